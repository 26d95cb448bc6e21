import { statusCodes } from "../../protocol/mod.ts";
import { ActionError } from "../../rpc/mod.ts";
import { isObject, type JsonObject } from "../../std/mod.ts";

/** Reads the inputs of one call, and ends it with status 4 where one has another type than it must. */
export class Inputs {
  readonly #action: string;
  readonly #data: JsonObject;

  constructor(action: string, data: JsonObject) {
    this.#action = action;
    this.#data = data;
  }

  /** A text; empty when it is missing. */
  text(key: string): string {
    const value = this.#data[key] ?? "";
    if (typeof value === "string") return value;
    throw this.#wrong(key, "a string", value);
  }

  /** A whole number; 0 when it is missing. Clients without a DDL send numbers as text. */
  integer(key: string): number {
    const value = this.#data[key] ?? 0;
    const number = typeof value === "string" && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number)) return number;
    throw this.#wrong(key, "a whole number", value);
  }

  /** Texts by name; none when they are missing. */
  texts(key: string): Map<string, string> {
    const value = this.#data[key] ?? {};
    if (!isObject(value)) throw this.#wrong(key, "an object of strings", value);
    const entries = Object.entries(value).map(([name, item]): [string, string] => {
      if (typeof item !== "string") throw this.#wrong(`${key}.${name}`, "a string", item);
      return [name, item];
    });
    return new Map(entries);
  }

  #wrong(key: string, expected: string, value: unknown): ActionError {
    const found = Array.isArray(value) ? "array" : typeof value;
    return new ActionError(
      `Could not parse request data for choria_provision#${this.#action}: ${key} must be ${expected}, found ${found}`,
      { statuscode: statusCodes.invalidData },
    );
  }
}
