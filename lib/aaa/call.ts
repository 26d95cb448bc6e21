import { isObject, type JsonObject } from "../std/mod.ts";

/** The RPC message inside a request, as far as policies look at it. */
export interface SignedCall {
  agent: string;
  action: string;
  /** Undefined where the message has none. */
  data: JsonObject | undefined;
}

const keys = ["agent", "action", "data"];
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Read the RPC message of a request.
 *
 * Keys that differ from the known ones in case alone are refused: servers of the original would take them for the
 * known ones and do something else than what was judged here.
 *
 * @returns undefined when it is no RPC message.
 * @throws {Error} when it is one that cannot be judged.
 */
export function decodeCall(message: Uint8Array): SignedCall | undefined {
  const value = parse(message);
  if (value === undefined) return undefined;
  for (const key of Object.keys(value)) {
    if (!keys.includes(key) && keys.includes(key.toLowerCase())) {
      throw new Error(`the message holds the key "${key}", which some read as "${key.toLowerCase()}"`);
    }
  }
  const { agent, action } = value;
  if (typeof agent !== "string" || typeof action !== "string") return undefined;
  return { agent, action, data: decodeData(value) };
}

function decodeData(value: JsonObject): JsonObject | undefined {
  const { data } = value;
  if (data === undefined) return undefined;
  if (data === null) return {};
  if (isObject(data)) return data;
  throw new Error("the data of the message are not an object");
}

function parse(message: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(message));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
