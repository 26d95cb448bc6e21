import { encodeUtf8, errorText, type Logger } from "../std/mod.ts";
import type { Spool } from "../submission/mod.ts";
import { encodeJob, type Job, type JobExit } from "./job.ts";

/** Tells the network what happens to a job. Never throws. */
export interface JobEvents {
  spec(job: Job): void;
  pid(pid: number): void;
  heartbeat(isRunning: boolean): void;
  output(stream: "stdout" | "stderr", data: Uint8Array): void;
  exit(exit: JobExit): void;
}

/** Events are sent before ordinary messages. */
const priority = 1;

/**
 * Events of a job as reliable messages on `choria.executor.<request>.<job>.{spec,pid,hb,out.stdout,out.stderr,exit}`.
 *
 * @param spool Where messages are submitted; undefined to tell nobody.
 */
export function jobEvents(job: Job, spool: Pick<Spool, "submit"> | undefined, logger: Logger): JobEvents {
  const { requestId, id, identity } = job;
  const submit = (event: string, payload: string | Uint8Array) => {
    const bytes = typeof payload === "string" ? encodeUtf8(payload) : payload;
    const subject = `choria.executor.${requestId}.${id}.${event}`;
    try {
      spool?.submit({ subject, payload: bytes, sender: "executor", identity, priority, reliable: true });
    } catch (error) {
      logger.error("An event of a job could not be submitted", { job: id, event, reason: errorText(error) });
    }
  };
  return {
    spec: (current) => submit("spec", encodeJob(current)),
    pid: (pid) => submit("pid", String(pid)),
    heartbeat: (isRunning) => submit("hb", String(isRunning)),
    output: (stream, data) => submit(`out.${stream}`, data),
    exit: (exit) => submit("exit", JSON.stringify(exit)),
  };
}
