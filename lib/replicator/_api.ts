import type { NatsConnection } from "@nats-io/nats-core";
import { decodeUtf8, errorText, isObject, type JsonObject, parseExact } from "../std/mod.ts";

/** What the JetStream API refused. Its message ends in the number of the error. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Number of the error, for example 10059 for a stream that does not exist. */
  readonly number: number;

  constructor(description: string, number: number) {
    super(`${description} (${number})`);
    this.number = number;
  }
}

/** Numbers of errors that somebody acts on. */
export const apiErrors = {
  consumerNotFound: 10_014,
  messageNotFound: 10_037,
  streamNotFound: 10_059,
  noCluster: 10_074,
};

/** Whether something thrown is an {@link ApiError} of a number. */
export function isApiError(error: unknown, number: number): boolean {
  return error instanceof ApiError && error.number === number;
}

/**
 * Ask the JetStream API.
 *
 * @param subject What follows `$JS.API.`.
 * @returns the answer, in which integers may be bigints.
 * @throws {ApiError} when it refuses; {@link Error} in Go's words when nobody answers.
 */
export async function askApi(
  nats: NatsConnection,
  subject: string,
  body?: JsonObject,
  timeout = 3_000,
): Promise<JsonObject> {
  const data = body === undefined ? "" : stringify(body);
  let answer: unknown;
  try {
    answer = parseExact(decodeUtf8((await nats.request(`$JS.API.${subject}`, data, { timeout })).data));
  } catch (error) {
    throw new Error(natsErrorText(error), { cause: error });
  }
  if (!isObject(answer)) throw new Error("the answer is not a JSON object");
  if (isObject(answer.error)) {
    const { description, err_code } = answer.error;
    throw new ApiError(String(description ?? "refused"), Number(err_code ?? 0));
  }
  return answer;
}

/** The section of an answer; empty where it is missing. */
export function sectionOf(answer: JsonObject, key: string): JsonObject {
  const value = answer[key];
  return isObject(value) ? value : {};
}

/** A number of an answer; 0 where it is missing. */
export function numberOf(answer: JsonObject, key: string): number {
  const value = answer[key];
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : 0;
}

/** What went wrong in the words that operators know from Go's client. */
export function natsErrorText(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.name : "";
  if ([name, cause].includes("NoRespondersError")) return "nats: no responders available for request";
  if ([name, cause].includes("TimeoutError")) return "nats: timeout";
  return errorText(error);
}

/** Limits in nanoseconds may be longer than a double is exact. */
function stringify(body: JsonObject): string {
  return JSON.stringify(body, (_key, value: unknown) =>
    typeof value === "bigint" ? (JSON as { rawJSON?: (text: string) => unknown }).rawJSON?.(String(value)) : value,
  );
}
