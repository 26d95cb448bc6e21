import { NoRespondersError } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import { encodeUtf8, type JsonObject, parseObject } from "../std/mod.ts";
import { Fields } from "./fields.ts";

/** What brokers can be asked; the names are those of the subjects `$SYS.REQ.SERVER.PING.*`. */
export type Topic = "VARZ" | "CONNZ" | "ROUTEZ" | "GATEWAYZ" | "LEAFZ" | "JSZ" | "HEALTHZ" | "STATSZ";

/** One broker's answer. */
export interface BrokerAnswer {
  /** What was sent, as it was sent. */
  document: JsonObject;
  /** Which broker answers: `name`, `host`, `id`, `cluster`, `ver`, `jetstream`, … */
  server: Fields;
  /** What was asked for. */
  data: Fields;
  /** Milliseconds from the question to this answer. */
  rtt: number;
}

/** How {@link askBrokers} asks. */
export interface AskOptions {
  /** Details of the question. @default {} */
  body?: JsonObject;
  /** End as soon as this many have answered; 0 waits until no more answers come. @default 0 */
  expect?: number;
  /** Longest wait in milliseconds. @default 5000 */
  timeout?: number;
  /** How long after an answer another one is waited for, in milliseconds. @default 300 */
  quiet?: number;
  /** Ask the broker of this id alone. */
  id?: string;
  signal?: AbortSignal;
}

/** More answers than any network has brokers are somebody's mistake. */
const mostAnswers = 4_096;

/** Nobody answered: most likely the user may not ask. */
export class NoBrokersError extends Error {
  override readonly name = "NoBrokersError";
}

/**
 * Ask all brokers, and gather their answers in the order of their arrival.
 *
 * @param connection Of the system account.
 * @param topic What to ask for; undefined asks who is there, which is answered with `statsz`.
 * @throws {@link NoBrokersError} when nobody answers.
 */
export async function askBrokers(
  connection: Pick<Connection, "nats" | "newInbox">,
  topic: Topic | undefined,
  options: AskOptions = {},
): Promise<BrokerAnswer[]> {
  const { body = {}, expect = options.id === undefined ? 0 : 1, id = "PING", signal } = options;
  const { timeout = 5_000, quiet = 300 } = options;
  const limit = expect || mostAnswers;
  const answers: BrokerAnswer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const subject = `$SYS.REQ.SERVER.${id}${topic === undefined ? "" : `.${topic}`}`;
  const inbox = connection.newInbox();
  const start = performance.now();
  const deadline = setTimeout(resolve, timeout);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const subscription = connection.nats.subscribe(inbox, {
    callback: (error, message) => {
      if (error) return reject(error);
      if (message.data.length === 0 && message.headers?.code === 503) return reject(new NoRespondersError(subject));
      const answer = decodeAnswer(message.data, performance.now() - start);
      // Answers that came along with the last one wanted are one too many.
      if (answer === undefined || answers.length >= limit) return;
      clearTimeout(silence);
      if (answers.push(answer) >= limit) resolve();
      else silence = setTimeout(resolve, quiet);
    },
  });
  const abort = () => reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    connection.nats.publish(subject, encodeUtf8(JSON.stringify(body)), { reply: inbox });
    await promise;
  } catch (error) {
    throw error instanceof NoRespondersError ? new NoBrokersError(refusedText) : error;
  } finally {
    signal?.removeEventListener("abort", abort);
    clearTimeout(silence);
    clearTimeout(deadline);
    subscription.unsubscribe();
  }
  if (answers.length === 0) throw new NoBrokersError(`no results received, ${accountText}`);
  return answers;
}

const accountText = "ensure the account used has system privileges and appropriate permissions";
const refusedText = `server request failed, ${accountText}`;

/** What is no answer of a broker is left out. */
function decodeAnswer(bytes: Uint8Array, rtt: number): BrokerAnswer | undefined {
  try {
    const document = parseObject(bytes);
    const fields = new Fields(document);
    if (!fields.has("server")) return undefined;
    const data = fields.has("data") ? fields.below("data") : fields.below("statsz");
    return { document, server: fields.below("server"), data, rtt };
  } catch {
    return undefined;
  }
}
