import { errorText, isObject, type JsonObject, parseDuration } from "../../std/mod.ts";

/**
 * Make something of a watcher's properties.
 *
 * @throws {Error} that begins with `could not set properties:`, as peers know it.
 */
export function readProperties<T>(values: JsonObject, read: (properties: Properties) => T): T {
  try {
    return read(new Properties(values));
  } catch (error) {
    throw new Error(`could not set properties: ${errorText(error)}`, { cause: error });
  }
}

/**
 * Properties as people write them: names in any case, numbers and yes or no also as texts, one value in place of a
 * list. What is not there gives the empty value of its type.
 */
export class Properties {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: JsonObject) {
    const entries = Object.entries(values).map(([name, value]) => [name.toLowerCase(), value] as const);
    // The plain spelling wins over others of the same name.
    entries.push(...Object.entries(values).filter(([name]) => name === name.toLowerCase()));
    this.#values = new Map(entries);
  }

  /** Whether there is a value other than null. */
  has(name: string): boolean {
    return (this.#values.get(name) ?? null) !== null;
  }

  text(name: string): string {
    return asText(name, this.#values.get(name));
  }

  /** @throws {Error} `NAME is required` where there is none, or an empty one. */
  required(name: string): string {
    const text = this.text(name);
    if (text === "") throw new Error(`${name} is required`);
    return text;
  }

  flag(name: string): boolean {
    const value = this.#values.get(name) ?? false;
    if (typeof value === "boolean") return value;
    if (typeof value === "number") return value !== 0;
    if (value === "" || isOneOf(value, ["0", "f", "F", "FALSE", "false", "False"])) return false;
    if (isOneOf(value, ["1", "t", "T", "TRUE", "true", "True"])) return true;
    throw mismatch(name, "true or false", value);
  }

  /** A whole number. */
  number(name: string): number {
    const value = this.#values.get(name) ?? 0;
    const number = typeof value === "boolean" ? Number(value) : typeof value === "string" ? fromText(value) : value;
    if (typeof number !== "number" || !Number.isFinite(number)) throw mismatch(name, "a number", value);
    return Math.trunc(number);
  }

  /** Milliseconds, from a text in Go's units (`1m30s`) or a number of nanoseconds. */
  duration(name: string): number {
    const value = this.#values.get(name) ?? 0;
    if (typeof value === "number") return value / 1e6;
    if (typeof value !== "string") throw mismatch(name, "a duration", value);
    try {
      return parseDuration(value, { units: "go" });
    } catch (error) {
      throw new Error(`${name}: ${errorText(error)}`, { cause: error });
    }
  }

  list(name: string): string[] {
    const value = this.#values.get(name) ?? [];
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    return items.map((item) => asText(name, item));
  }

  /** Texts by name; their names keep their case. */
  table(name: string): Record<string, string> {
    const entries = Object.entries(this.object(name) ?? {});
    return Object.fromEntries(entries.map(([key, value]) => [key, asText(`${name}.${key}`, value)]));
  }

  object(name: string): JsonObject | undefined {
    const value = this.#values.get(name) ?? undefined;
    if (value === undefined || isObject(value)) return value;
    throw mismatch(name, "a table of values", value);
  }
}

function asText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (value === undefined || value === null) return "";
  throw mismatch(name, "a text", value);
}

function fromText(text: string): number {
  return text === "" ? 0 : /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
}

function isOneOf(value: unknown, texts: readonly string[]): boolean {
  return typeof value === "string" && texts.includes(value);
}

function mismatch(name: string, wanted: string, value: unknown): Error {
  const shown = JSON.stringify(value)?.slice(0, 80) ?? typeof value;
  return new Error(`${name} has to be ${wanted}, got ${shown}`);
}
