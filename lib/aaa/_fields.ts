import { isObject, isStringList, type JsonObject } from "../std/mod.ts";

/**
 * Reads the keys of a JSON object of the configuration; every complaint names the key with its whole path.
 * Keys that nobody asks for are passed over.
 */
export class Fields {
  readonly #object: JsonObject;
  /** Where the object stands, for example `/userlist_authenticator`; empty for the document itself. */
  readonly path: string;

  /** @throws {Error} naming the path when the value is not an object. */
  constructor(value: unknown, path = "") {
    if (!isObject(value)) throw new Error(`${path || "/"}: expected an object, found ${kindOf(value)}`);
    this.#object = value;
    this.path = path;
  }

  /** Whether a key is there and not null. */
  has(key: string): boolean {
    return (this.#object[key] ?? undefined) !== undefined;
  }

  /** The error of a key's value. */
  error(key: string, reason: string): Error {
    return new Error(`${this.path}/${key}: ${reason}`);
  }

  /** A text; empty when it is absent. */
  text(key: string): string {
    const value = this.#object[key] ?? "";
    if (typeof value === "string") return value;
    throw this.error(key, `expected a text, found ${kindOf(value)}`);
  }

  /** A text that must be there and not empty. */
  requiredText(key: string): string {
    const text = this.text(key);
    if (text === "") throw this.error(key, "is required");
    return text;
  }

  /** True or false; false when it is absent. */
  flag(key: string): boolean {
    const value = this.#object[key] ?? false;
    if (typeof value === "boolean") return value;
    throw this.error(key, `expected true or false, found ${kindOf(value)}`);
  }

  /** A TCP port; 0 when it is absent. */
  port(key: string): number {
    const value = this.#object[key] ?? 0;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
    throw this.error(key, `expected a port number from 0 to 65535, found ${kindOf(value)}`);
  }

  /** A list of texts; none when it is absent. */
  texts(key: string): string[] {
    const value = this.#object[key] ?? [];
    if (isStringList(value)) return value;
    throw this.error(key, `expected a list of texts, found ${kindOf(value)}`);
  }

  /** An object of texts; none when it is absent. */
  textMap(key: string): Record<string, string> {
    const fields = new Fields(this.#object[key] ?? {}, `${this.path}/${key}`);
    return Object.fromEntries(Object.keys(fields.#object).map((name) => [name, fields.text(name)]));
  }

  /** A list of anything; none when it is absent. */
  list(key: string): unknown[] {
    const value = this.#object[key] ?? [];
    if (Array.isArray(value)) return value;
    throw this.error(key, `expected a list, found ${kindOf(value)}`);
  }

  /** An object; undefined when it is absent. */
  object(key: string): Fields | undefined {
    return this.has(key) ? new Fields(this.#object[key], `${this.path}/${key}`) : undefined;
  }
}

/** A value in few words. Texts are not repeated, as they may be secrets. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return "a text";
  return typeof value === "object" ? "an object" : `the ${typeof value} ${String(value)}`;
}
