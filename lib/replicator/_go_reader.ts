import { isObject, type JsonObject } from "../std/mod.ts";

/**
 * Reads typed values out of a parsed document as Go's JSON decoder does: a key matches whatever its case, a value of
 * another type is an error, and errors name the field in that decoder's words, which operators know.
 */
export class GoReader {
  readonly #struct: string;
  readonly #path: string;
  readonly #values: JsonObject;

  /**
   * @param struct Name of what is read, for errors.
   * @param value What stands in the document.
   * @param path Keys that lead here.
   */
  constructor(struct: string, value: unknown, path = "") {
    this.#struct = struct;
    this.#path = path;
    if (!isObject(value)) throw new Error(`json: cannot unmarshal ${kindOf(value)} into Go value of type ${struct}`);
    this.#values = value;
  }

  text(key: string): string {
    const value = this.#value(key) ?? "";
    if (typeof value === "string") return value;
    throw this.#bad(key, value, "string");
  }

  flag(key: string): boolean {
    const value = this.#value(key) ?? false;
    if (typeof value === "boolean") return value;
    // Older YAML has these for booleans.
    if (typeof value === "string" && /^(yes|no|on|off|y|n)$/i.test(value)) return /^(yes|on|y)$/i.test(value);
    throw this.#bad(key, value, "bool");
  }

  integer(key: string): number {
    const value = this.#value(key) ?? 0;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw this.#bad(key, value, "int");
  }

  unsigned(key: string): number {
    const value = this.#value(key) ?? 0;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#bad(key, value, "uint64");
  }

  number(key: string): number {
    const value = this.#value(key) ?? 0;
    if (typeof value === "number") return value;
    throw this.#bad(key, value, "float64");
  }

  /** A moment in RFC 3339, in Unix milliseconds. */
  time(key: string): number | undefined {
    const value = this.#value(key);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw new Error("Time.UnmarshalJSON: input is not a JSON string");
    if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)) {
      const time = Date.parse(value);
      if (Number.isFinite(time)) return time;
    }
    const layout = "2006-01-02T15:04:05Z07:00";
    throw new Error(
      `parsing time ${JSON.stringify(value)} as "${layout}": cannot parse ${JSON.stringify(value)} as "2006"`,
    );
  }

  /** Texts under names. */
  texts(key: string): Record<string, string> {
    const value = this.#value(key) ?? {};
    if (!isObject(value)) throw this.#bad(key, value, "map[string]string");
    return Object.fromEntries(
      Object.entries(value).map(([name, text]) => {
        if (typeof text !== "string") throw this.#bad(key, text, "string");
        return [name, text];
      }),
    );
  }

  /** What a key holds below it; undefined where it is missing. */
  section(key: string, struct: string): GoReader | undefined {
    const value = this.#value(key);
    if (value === undefined || value === null) return undefined;
    if (!isObject(value)) throw this.#bad(key, value, struct);
    return new GoReader(struct, value, this.#pathOf(key));
  }

  /** A list of such. */
  sections(key: string, struct: string): GoReader[] {
    const value = this.#value(key) ?? [];
    if (!Array.isArray(value)) throw this.#bad(key, value, `[]*${struct}`);
    return value.map((item: unknown) => {
      if (!isObject(item)) throw this.#bad(key, item, struct);
      return new GoReader(struct, item, this.#pathOf(key));
    });
  }

  #value(key: string): unknown {
    if (Object.hasOwn(this.#values, key)) return this.#values[key];
    const other = Object.keys(this.#values).find((name) => name.toLowerCase() === key);
    return other === undefined ? undefined : this.#values[other];
  }

  #pathOf(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }

  #bad(key: string, value: unknown, type: string): Error {
    // The decoder shows numbers that do not fit, but not those that are no numbers' place.
    const isUnfit = typeof value === "number" && (type === "int" || type === "uint64");
    const found = isUnfit ? `number ${value}` : kindOf(value);
    return new Error(
      `json: cannot unmarshal ${found} into Go struct field ${this.#struct}.${this.#pathOf(key)} of type ${type}`,
    );
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return typeof value === "boolean" ? "bool" : typeof value;
}
