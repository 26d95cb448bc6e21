import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openTerminal } from "../../lib/cli/mod.ts";
import {
  type FleetReply,
  footerText,
  jsonLinesWriter,
  jsonWriter,
  prettyJson,
  type RequestStats,
  type RequestView,
  type ResultWriter,
  replyText,
  type TextOptions,
  tableOf,
  textWriter,
} from "../../lib/client/mod.ts";
import { Aggregates, builtinDdl, type DdlAction, findAction, withOutputDefaults } from "../../lib/ddl/mod.ts";
import type { StatusCode } from "../../lib/protocol/mod.ts";
import { encodeUtf8, goJson, isObject } from "../../lib/std/mod.ts";

const fixtures = join(import.meta.dir, "../fixtures/cli");
const fixture = (name: string) => readFileSync(join(fixtures, name), "utf8");

interface Captured {
  agent: string;
  action: string;
  replies: {
    sender: string;
    action: string;
    statuscode: StatusCode;
    statusmsg: string;
    data: unknown;
    time_utc: string;
  }[];
  request_stats: {
    requestid: string;
    no_responses: string[];
    discovered: number;
    failed: number;
    ok: number;
    responses: number;
    publish_time: number;
    request_time: number;
    discover_time: number;
    start_time_utc: string;
  };
}

function actionOf(agent: string, action: string): DdlAction {
  const ddl = builtinDdl(agent);
  if (ddl === undefined) throw new Error(`there is no ${agent}`);
  return findAction(ddl, action);
}

function nanoseconds(text: string): bigint {
  const [seconds = "", fraction = ""] = text.replace("Z", "").split(".");
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}

function replyOf(captured: Captured["replies"][number], agent: string, id: string): FleetReply {
  const { time_utc, ...rest } = captured;
  const { sender, action, statuscode, statusmsg, data } = rest;
  const message = encodeUtf8(JSON.stringify({ action, statuscode, statusmsg, data }));
  const time = nanoseconds(time_utc);
  return { ...rest, ok: statuscode === 0, time, document: { message, request: id, sender, agent, time } };
}

/** A request as it would be after giving what the original once showed. */
function replay(captured: Captured): { view: RequestView; replies: FleetReply[] } {
  const { agent, action, request_stats: figures } = captured;
  const description = actionOf(agent, action);
  const replies = captured.replies.map((reply) => replyOf(reply, agent, figures.requestid));
  const aggregates = new Aggregates(description);
  for (const reply of replies) if (reply.ok) aggregates.add(withOutputDefaults(description, reply.data));
  const stats: RequestStats = {
    requestId: figures.requestid,
    discovered: figures.discovered,
    responses: figures.responses,
    ok: figures.ok,
    failed: figures.failed,
    noResponses: figures.no_responses,
    unexpected: [],
    rejected: 0,
    rejections: [],
    startTime: Number(nanoseconds(figures.start_time_utc) / 1_000_000n),
    discoverTime: figures.discover_time / 1e6,
    publishTime: figures.publish_time / 1e6,
    requestTime: figures.request_time / 1e6,
  };
  const view = { agent, action, description, aggregates, stats, summaries: aggregates.json() };
  return { view, replies };
}

function write(make: (out: { write(text: string): void }) => ResultWriter, captured: Captured): string {
  const parts: string[] = [];
  const writer = make({ write: (text) => void parts.push(text) });
  const { view, replies } = replay(captured);
  for (const reply of replies) writer.reply(reply, view);
  writer.end(view);
  return parts.join("");
}

/** Milliseconds are all that our clock gives, so the start is compared to the millisecond. */
const toMilliseconds = (text: string) => text.replace(/("start_time_utc": ?"[^"]*?\.\d{3})\d*Z/, "$1Z");

describe("results as JSON", () => {
  const names = [
    "req-rpcutil-get_fact.json",
    "req-failed-aborted.json",
    "req-no-responses.json",
    "req-service-choria_registry-names.json",
  ];
  for (const name of names) {
    test(`are byte for byte those of the original: ${name}`, () => {
      const captured = JSON.parse(fixture(name)) as Captured;
      const text = write((out) => jsonWriter(out, false), captured);
      expect(text.trimEnd()).toBe(toMilliseconds(fixture(name).trimEnd()));
    });
  }

  test("sorted are in the order of names", () => {
    const captured = JSON.parse(fixture("req-rpcutil-get_fact.json")) as Captured;
    const mixed = { ...captured, replies: captured.replies.toReversed() };
    const senders = (text: string) => (JSON.parse(text) as Captured).replies.map(({ sender }) => sender);
    const sorted = ["srv1.choria.local", "srv2.choria.local", "srv3.choria.local"];
    expect(senders(write((out) => jsonWriter(out, true), mixed))).toEqual(sorted);
    expect(senders(write((out) => jsonWriter(out, false), mixed))).toEqual(sorted.toReversed());
  });

  test("escape what HTML knows", () => {
    expect(goJson({ a: "<b>&\u2028" })).toBe('{"a":"\\u003cb\\u003e\\u0026\\u2028"}');
  });
});

describe("results as JSON lines", () => {
  test("are line for line those of the original", () => {
    const lines = fixture("req-rpcutil-get_fact.jsonl").trimEnd().split("\n");
    const parse = (line = "null"): unknown => JSON.parse(line);
    const parts: string[] = [];
    const writer = jsonLinesWriter({ write: (text) => parts.push(text) });
    writer.discovering("mc");
    const { count, dt } = parse(lines[1]) as { count: number; dt: number };
    writer.discovered("mc", Array.from({ length: count }, String), dt * 1_000);
    const results = lines.slice(2, 5).map((line) => parse(line) as { rr: Captured["replies"][number] });
    const { stat } = parse(lines[6]) as { stat: Captured["request_stats"] };
    const captured = {
      agent: "rpcutil",
      action: "get_fact",
      replies: results.map(({ rr }) => rr),
      request_stats: stat,
    };
    const { view, replies } = replay(captured);
    for (const reply of replies) writer.reply(reply, view);
    writer.end(view);
    expect(parts.join("").trimEnd().split("\n")).toEqual(lines.map(toMilliseconds));
  });

  test("tell an error as a line", () => {
    const parts: string[] = [];
    const writer = jsonLinesWriter({ write: (text) => parts.push(text) });
    writer.discovering("mc");
    expect(writer.failed?.(new Error("did not discover any nodes"))).toBe(true);
    expect(parts.join("")).toBe(fixture("req-error.jsonl"));
  });
});

const plain = openTerminal({ stdout: { write: () => true }, stderr: { write: () => true }, env: {} });
const options: TextOptions = {
  terminal: plain,
  out: plain.out,
  isVerbose: false,
  display: undefined,
  sort: false,
  hasProgress: false,
  tellsDiscovery: false,
};

function textOf(name: string, changes: Partial<TextOptions> = {}): string {
  const captured = JSON.parse(fixture(name)) as Captured;
  return write((out) => textWriter({ ...options, ...changes, out }), captured);
}

describe("results as text", () => {
  test("show outputs by their labels, summaries and the figures", () => {
    expect(textOf("req-rpcutil-get_fact.json")).toMatchSnapshot();
  });

  test("show why a node failed", () => {
    expect(textOf("req-failed-aborted.json")).toMatchSnapshot();
  });

  test("name those that did not answer", () => {
    expect(textOf("req-no-responses.json")).toMatchSnapshot();
  });

  test("in full show every reply and all figures", () => {
    expect(textOf("req-failed-aborted.json", { isVerbose: true })).toMatchSnapshot();
  });

  test("show what the DDL shows, unless the user wants others", () => {
    const captured = JSON.parse(fixture("req-rpcutil-get_fact.json")) as Captured;
    const [good] = replay(captured).replies;
    if (good === undefined) throw new Error("the fixture has no reply");
    const bad = { ...good, ok: false, statuscode: 4 as const, statusmsg: "no" };
    const shown = (display: "ok" | "failed" | "always", wanted?: TextOptions["display"]) =>
      [good, bad].map((reply) => {
        const action = { ...actionOf("rpcutil", "get_fact"), display };
        return replyText(reply, action, { ...options, display: wanted }) !== "";
      });
    expect(shown("always")).toEqual([true, true]);
    expect(shown("ok")).toEqual([true, false]);
    expect(shown("failed")).toEqual([false, true]);
    expect(shown("failed", "ok")).toEqual([true, false]);
    expect(shown("ok", "failed")).toEqual([false, true]);
    expect(shown("ok", "all")).toEqual([true, true]);
    expect(shown("always", "none")).toEqual([false, false]);
    const text = replyText(bad, actionOf("rpcutil", "get_fact"), options);
    expect(text).toBe(`${"srv1.choria.local".padEnd(40)} Invalid Request Data\n\n    no\n\n`);
  });

  test("name replies that were not accepted, with the reasons", () => {
    const { stats } = replay(JSON.parse(fixture("req-rpcutil-get_fact.json")) as Captured).view;
    const rejections = [
      { sender: "a", reason: "why" },
      { sender: "b", reason: "why" },
    ];
    const text = footerText({ ...stats, rejected: 2, rejections }, false, plain.paint);
    expect(text).toEndWith("\nResponses that were not accepted: 2\n\n    why\n");
  });

  test("show no more than 200 silent nodes unless all are wanted", () => {
    const { stats } = replay(JSON.parse(fixture("req-no-responses.json")) as Captured).view;
    const many = { ...stats, noResponses: Array.from({ length: 300 }, (_, i) => `n${i}.x`) };
    const short = footerText(many, false, plain.paint);
    expect(short).toContain("No Responses from (showing first 200): 300");
    expect(short).not.toContain("n299.x");
    expect(footerText(many, true, plain.paint)).toContain("n299.x");
  });
});

describe("results as a table", () => {
  test("have one row a node that did not fail", () => {
    const { replies } = replay(JSON.parse(fixture("req-rpcutil-get_fact.json")) as Captured);
    const [first] = replies;
    if (first === undefined) throw new Error("the fixture has no reply");
    const mixed = [...replies, { ...first, sender: "bad", ok: false, statuscode: 1 as const }];
    expect(tableOf(mixed, actionOf("rpcutil", "get_fact"))).toMatchSnapshot();
  });
});

describe("values", () => {
  test("of many lines have sorted keys, and short lists stay on one", () => {
    const value = { b: [1, 2], a: { z: null, y: "x" }, long: Array.from({ length: 30 }, (_, i) => `item ${i}`) };
    const text = prettyJson(value);
    expect(text.split("\n").slice(0, 7)).toEqual([
      "{",
      '  "a": {',
      '    "y": "x",',
      '    "z": null',
      "  },",
      '  "b": [1, 2],',
      '  "long": [',
    ]);
    const parsed: unknown = JSON.parse(text);
    expect(isObject(parsed) && parsed).toEqual(value);
    expect(prettyJson({})).toBe("{}");
    expect(prettyJson([])).toBe("[]");
  });
});
