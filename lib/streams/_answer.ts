import { isObject, type JsonObject } from "../std/mod.ts";

/**
 * Throw where an answer of JetStream's interface is a refusal.
 * @throws {Error} with the broker's words and its code.
 */
export function checkAnswer({ error }: JsonObject): void {
  if (!isObject(error)) return;
  const text = typeof error.description === "string" ? error.description : "the broker refused";
  throw new Error(typeof error.err_code === "number" ? `${text} (${error.err_code})` : text);
}
