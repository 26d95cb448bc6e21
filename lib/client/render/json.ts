import type { TextSink } from "../../cli/mod.ts";
import { type DdlAction, withOutputDefaults } from "../../ddl/mod.ts";
import { encodeReply } from "../../protocol/mod.ts";
import { decodeUtf8, errorText, escapeHtml, formatRfc3339Nanos, goJson } from "../../std/mod.ts";
import type { FleetReply } from "../reply.ts";
import type { RequestStats } from "../stats.ts";
import { ordered, type RequestView, type ResultWriter } from "./writer.ts";

/** Writes one JSON document at the end. */
export function jsonWriter(out: TextSink, sort: boolean): ResultWriter {
  const replies: FleetReply[] = [];
  return {
    discovering() {},
    discovered() {},
    reply: (reply) => void replies.push(reply),
    end: (request) => out.write(`${goJson(document(request, ordered(replies, sort)), 3)}\n`),
  };
}

/** Writes a JSON document a line, as things happen. */
export function jsonLinesWriter(out: TextSink): ResultWriter {
  const write = (line: object) => out.write(`${goJson(line)}\n`);
  return {
    discovering: (dm) => void write({ k: "discovery", dm }),
    discovered: (dm, nodes, time) => void write({ k: "discovery", count: nodes.length, dt: time / 1_000, dm }),
    reply(reply, request) {
      const { sender, ...rest } = replyDocument(reply, request.description);
      const { time_utc, ...result } = rest;
      // The protocol's reply has a time with more digits than a number holds, so its own text is put in.
      const document = escapeHtml(decodeUtf8(encodeReply(reply.document)));
      out.write(`{"k":"result","pr":${document},"rr":${goJson({ ...result, sender, time_utc })}}\n`);
    },
    end(request) {
      const { summaries } = request;
      if (Object.keys(summaries).length > 0) write({ k: "summaries", agg: summaries });
      write({ k: "stats", stat: statsDocument(request.stats) });
    },
    failed(error) {
      write({ k: "error", err: errorText(error) });
      return true;
    },
  };
}

function document(request: RequestView, replies: readonly FleetReply[]): object {
  const { agent, action, description, summaries } = request;
  return {
    agent,
    action,
    replies: replies.map((reply) => replyDocument(reply, description)),
    request_stats: statsDocument(request.stats),
    summaries,
  };
}

function replyDocument(reply: FleetReply, action: DdlAction | undefined) {
  const { sender, statuscode, statusmsg, data, time } = reply;
  const hasDefaults = reply.ok && action !== undefined;
  return {
    sender,
    action: reply.action,
    statuscode,
    statusmsg,
    data: hasDefaults ? withOutputDefaults(action, data) : data,
    time_utc: formatRfc3339Nanos(time),
  };
}

function statsDocument(stats: RequestStats): object {
  const ns = (ms: number) => Math.round(ms * 1e6);
  return {
    requestid: stats.requestId,
    no_responses: stats.noResponses,
    unexpected_responses: stats.unexpected,
    discovered: stats.discovered,
    failed: stats.failed,
    ok: stats.ok,
    responses: stats.responses,
    publish_time: ns(stats.publishTime),
    request_time: ns(stats.requestTime),
    discover_time: ns(stats.discoverTime),
    start_time_utc: formatRfc3339Nanos(BigInt(Math.round(stats.startTime)) * 1_000_000n),
    ...(stats.rejected === 0 ? {} : { rejected_responses: stats.rejected, rejections: stats.rejections }),
  };
}
