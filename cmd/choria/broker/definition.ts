import { readFileSync } from "node:fs";
import { errorText, parseObject } from "../../../lib/std/mod.ts";

/**
 * A configuration of a stream or of a consumer from a file in JSON; the broker judges what it says.
 * @throws {Error} naming the file.
 */
export function readDefinition<T extends object>(file: string): Partial<T> {
  try {
    return parseObject(readFileSync(file, "utf8")) as Partial<T>;
  } catch (error) {
    throw new Error(`Cannot read the configuration ${file}: ${errorText(error)}`, { cause: error });
  }
}

/** A configuration for another stream or consumer: without the broker's own notes about this one. */
export function withoutNotes<T extends { metadata?: Record<string, string> }>({ metadata = {}, ...config }: T) {
  const own = Object.entries(metadata).filter(([key]) => !isNote(key));
  return { ...config, ...(own.length === 0 ? {} : { metadata: Object.fromEntries(own) }) };
}

/** Whether a key of metadata is the broker's own. */
export function isNote(key: string): boolean {
  return key.startsWith("_nats.");
}
