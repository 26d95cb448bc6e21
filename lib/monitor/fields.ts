import { isObject, type JsonObject } from "../std/mod.ts";

/** Reads a document of a broker leniently: what is missing, or of another type, is empty. Brokers add fields freely. */
export class Fields {
  readonly document: JsonObject;

  constructor(document: unknown) {
    this.document = isObject(document) ? document : {};
  }

  /** A text; empty where there is none. */
  text(key: string): string {
    const value = this.document[key];
    return typeof value === "string" ? value : "";
  }

  /** A number; 0 where there is none. */
  number(key: string): number {
    const value = this.document[key];
    return typeof value === "number" ? value : 0;
  }

  /** A flag; false where there is none. */
  flag(key: string): boolean {
    return this.document[key] === true;
  }

  /** A time in milliseconds; 0 where there is none. */
  time(key: string): number {
    return Date.parse(this.text(key)) || 0;
  }

  /** Whether the document has a key at all. */
  has(key: string): boolean {
    return this.document[key] !== undefined && this.document[key] !== null;
  }

  /** The document below a key; an empty one where there is none. */
  below(key: string): Fields {
    return new Fields(this.document[key]);
  }

  /** The documents of a list; none where there is no list. */
  list(key: string): Fields[] {
    const value = this.document[key];
    return Array.isArray(value) ? value.map((item) => new Fields(item)) : [];
  }

  /** The documents of a map by their names; none where there is no map. */
  map(key: string): [name: string, value: Fields][] {
    return Object.entries(this.below(key).document).map(([name, value]) => [name, new Fields(value)]);
  }
}
