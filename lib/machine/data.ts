import type { Json, JsonObject } from "../std/mod.ts";

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
