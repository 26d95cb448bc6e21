import { readFileSync, statSync } from "node:fs";
import { errorText, isObject, type JsonObject, type Logger } from "../std/mod.ts";

/** What a node knows of itself, read from files that others keep. */
export interface FactSource {
  /** The facts as they are now, keys sorted. Never rejects: what cannot be read is logged and left out. */
  read(): Promise<JsonObject>;
}

interface Remembered<T> {
  stamp: string;
  value: T;
}

/**
 * Facts of JSON and YAML files. A later file replaces whole top-level keys of those before it. Files are looked at
 * for every reading and parsed when they changed.
 */
export function factFiles(paths: readonly string[], logger: Logger): FactSource {
  const files = paths.map((path) => ({ path, read: remembering(path, (text) => parseFacts(path, text)) }));
  const told = new Map<string, string>();
  // Facts are read for most requests: a file that stays away is told of once.
  const tell = (file: string, reason: string) => {
    if (told.get(file) !== reason) logger.warn("Facts could not be read", { file, reason });
    told.set(file, reason);
  };
  return {
    async read() {
      const merged = new Map<string, unknown>();
      for (const { path, read } of files) {
        try {
          for (const [key, value] of Object.entries(await read())) merged.set(key, value);
          told.delete(path);
        } catch (error) {
          tell(path, errorText(error));
        }
      }
      return Object.fromEntries([...merged].sort(byKey));
    },
  };
}

/** Classes of a file, one a line, sorted; none when there is no such file. */
export function classesFile(path: string): () => readonly string[] {
  const read = remembering(path, (text) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .sort(),
  );
  return () => {
    try {
      return path === "" ? [] : read();
    } catch {
      return [];
    }
  };
}

/** Read a file when it is not what it was the last time. */
function remembering<T>(path: string, parse: (text: string) => T): () => T {
  let known: Remembered<T> | undefined;
  return () => {
    const { mtimeMs, size, ino } = statSync(path);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    if (known?.stamp === stamp) return known.value;
    known = { stamp, value: parse(readFileSync(path, "utf8")) };
    return known.value;
  };
}

async function parseFacts(path: string, text: string): Promise<JsonObject> {
  const value: unknown = path.endsWith("yaml") ? (await import("yaml")).parse(text) : JSON.parse(text);
  if (!isObject(value)) throw new TypeError("expected an object at the top");
  return sortObject(value);
}

/** Facts are shown in this order, and wildcards in their names find the first of it. */
function sortObject(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, item]): [string, unknown] => [key, sortKeys(item)])
      .sort(byKey),
  );
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  return isObject(value) ? sortObject(value) : value;
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
