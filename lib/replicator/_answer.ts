import { decodeUtf8, isObject, type JsonObject } from "../std/mod.ts";

/**
 * Whether a stream takes every message that it takes at all, whatever it holds: one that discards new messages refuses
 * a large one and takes the small one after it. Of streams that hand messages out for good the end says nothing.
 */
export function takesAnything(stream: JsonObject | undefined): boolean {
  return stream !== undefined && stream.discard !== "new" && (stream.retention ?? "limits") === "limits";
}

/** What the target says to a message. */
export interface Answer {
  /** Where it stored it; 0 where it does not say. */
  sequence: number;
  /** The stream that has it; empty where it does not say. */
  stream: string;
  error?: string;
  /** It refuses this message for what it is. */
  isPermanent: boolean;
}

const silent: Answer = { sequence: 0, stream: "", isPermanent: false };

/** An acknowledgement of JetStream; anything else that is no error is one too, as any service may stand for the target. */
export function readAnswer(data: Uint8Array): Answer {
  let text = "";
  try {
    text = decodeUtf8(data);
    const answer: unknown = text.startsWith("{") ? JSON.parse(text) : undefined;
    if (isObject(answer)) {
      const { seq, stream } = answer;
      const stored = {
        ...silent,
        sequence: typeof seq === "number" ? seq : 0,
        stream: typeof stream === "string" ? stream : "",
      };
      if (!isObject(answer.error)) return stored;
      const { description, err_code, code } = answer.error;
      return { ...stored, error: `${description} (${err_code})`, isPermanent: code === 400 };
    }
  } catch {
    // Not ours to judge.
  }
  return text.startsWith("-ERR") ? { ...silent, error: text.slice(4).trim() } : silent;
}
