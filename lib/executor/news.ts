import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { MsgHdrs } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { decodeUtf8, parseObject } from "../std/mod.ts";
import { decodeJob, isJobId, type Job, JobError, type JobExit } from "./job.ts";

/** What became of a job; see {@link jobEvents}. */
export type JobNews = {
  /** The job. */
  id: string;
  /** Id of the request that started it. */
  requestId: string;
  /** The node; empty where the message does not say. */
  identity: string;
} & (
  | { event: "spec"; job: Job }
  | { event: "pid"; pid: number }
  | { event: "hb"; isRunning: boolean }
  | { event: "out"; stream: "stdout" | "stderr"; data: Uint8Array }
  | { event: "exit"; exit: JobExit }
);

/** A message of a stream. */
export interface JobMessage {
  subject: string;
  data: Uint8Array;
  headers?: MsgHdrs | undefined;
}

const form = /(?:^|\.)choria\.executor\.([^.]+)\.([^.]+)\.(spec|pid|hb|out\.stdout|out\.stderr|exit)$/;

/** What a message says of a job; undefined when it is no event of one. */
export function decodeJobNews({ subject, data, headers }: JobMessage): JobNews | undefined {
  const [, requestId = "", id = "", event] = form.exec(subject) ?? [];
  const from = { id, requestId, identity: headers?.get("Choria-Identity") ?? "" };
  try {
    switch (event) {
      case "spec":
        return { ...from, event, job: decodeJob(data) };
      case "pid":
        return { ...from, event, pid: Number(decodeUtf8(data)) };
      case "hb":
        return { ...from, event, isRunning: decodeUtf8(data) === "true" };
      case "out.stdout":
      case "out.stderr":
        return { ...from, event: "out", stream: event === "out.stdout" ? "stdout" : "stderr", data };
      case "exit":
        return { ...from, event, exit: decodeExit(data) };
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

function decodeExit(data: Uint8Array): JobExit {
  const { code, error } = parseObject(data);
  if (typeof code !== "number") throw new JobError("exit code could not be read");
  return { code, error: typeof error === "string" ? error : "" };
}

/** What {@link jobNews} gives. */
export interface JobNewsOptions {
  /** One job, from its beginning; by default all, from now on. */
  id?: string;
  signal: AbortSignal;
}

/** Where events are when they are submitted, and where a broker's own stream has them. */
const submitted = "choria.submission.in.choria.executor";
const transformed = "choria.executor";

/**
 * Follow what happens to jobs, from the stream that holds their events, until the signal aborts.
 *
 * @throws {JobError} when the id is none, or no stream holds events; otherwise the broker's refusal.
 */
export async function* jobNews({ nats }: Pick<Connection, "nats">, options: JobNewsOptions): AsyncGenerator<JobNews> {
  const { id, signal } = options;
  if (id !== undefined && !isJobId(id)) throw new JobError(`${JSON.stringify(id)} is no id of a job`);
  const manager = await jetstreamManager(nats);
  const [stream] = await manager.streams.names(`${submitted}.>`).next();
  if (stream === undefined) {
    throw new JobError(
      "No stream holds the events of jobs: set plugin.choria.network.stream.executor_retention in the broker's configuration",
    );
  }
  const filter_subjects = [submitted, transformed].map((prefix) => `${prefix}.*.${id ?? "*"}.>`);
  const start = id === undefined ? DeliverPolicy.New : DeliverPolicy.All;
  const { name } = await manager.consumers.add(stream, {
    filter_subjects,
    deliver_policy: start,
    ack_policy: AckPolicy.None,
    inactive_threshold: 60_000_000_000,
    mem_storage: true,
  });
  const consumer = await jetstream(nats).consumers.get(stream, name);
  const messages = await consumer.consume({ max_messages: 200 });
  const stop = () => void messages.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const message of messages) {
      const news = decodeJobNews(message);
      if (news !== undefined) yield news;
      if (signal.aborted) return;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await messages.close();
    await consumer.delete().catch(() => undefined);
  }
}
