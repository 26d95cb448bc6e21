import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  errorCode,
  errorText,
  isObject,
  type Json,
  type JsonObject,
  type Logger,
  writeFileAtomic,
} from "../std/mod.ts";

/** What a machine remembers: `machine_data.json` in its folder. */
export interface MachineData {
  /** All of it. */
  readonly all: Readonly<JsonObject>;
  get(key: string): Json | undefined;
  /** Keep a value, on disk before this returns. @throws {Error} when it cannot be written. */
  set(key: string, value: Json): void;
  /** Keep several values with one write. */
  merge(values: JsonObject): void;
  /** Forget a value; nothing happens where there is none. */
  delete(key: string): void;
}

/** Most that a machine may remember, in bytes of its file. */
const maxData = 8 * 1024 * 1024;

/** Open the `machine_data.json` of a folder. One that cannot be read is warned of, and replaced with the first write. */
export function openMachineData(folder: string, logger: Logger): MachineData {
  return new FileData(join(folder, "machine_data.json"), logger);
}

class FileData implements MachineData {
  readonly #path: string;
  #values: ReadonlyMap<string, Json>;
  #all: Readonly<JsonObject>;

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#values = readValues(path, logger);
    this.#all = Object.fromEntries(this.#values);
  }

  get all(): Readonly<JsonObject> {
    return this.#all;
  }

  get(key: string): Json | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Json): void {
    this.#keep(new Map(this.#values).set(key, value));
  }

  merge(values: JsonObject): void {
    if (Object.keys(values).length === 0) return;
    this.#keep(new Map([...this.#values, ...entriesOf(values)]));
  }

  delete(key: string): void {
    if (!this.#values.has(key)) return;
    this.#keep(new Map([...this.#values].filter(([name]) => name !== key)));
  }

  #keep(values: ReadonlyMap<string, Json>): void {
    const all = Object.fromEntries(values);
    const text = JSON.stringify(sorted(all));
    if (text.length > maxData)
      throw new Error(`Cannot write ${this.#path}: a machine remembers ${maxData} bytes at most`);
    writeFileAtomic(this.#path, text, { mode: 0o600 });
    this.#values = values;
    this.#all = all;
  }
}

function readValues(path: string, logger: Logger): Map<string, Json> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (isObject(value)) return new Map(entriesOf(value));
    logger.warn("The data of a machine is no JSON object and is ignored", { file: path });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") {
      logger.warn("The data of a machine cannot be read and is ignored", { file: path, reason: errorText(error) });
    }
  }
  return new Map();
}

/** What was parsed from JSON holds nothing else. */
function entriesOf(values: JsonObject): [string, Json][] {
  return Object.entries(values) as [string, Json][];
}

/** The same value with the keys of every object in order, as peers write them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key])]));
}
