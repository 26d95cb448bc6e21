import { isObject, type JsonObject } from "../std/mod.ts";
import type { DdlAction, DdlInput } from "./ddl.ts";
import { checkValue } from "./validate.ts";

/**
 * Turn what somebody typed into the inputs of an action: texts become values of the declared types, are checked,
 * and inputs that were not given take their defaults.
 *
 * @param given Texts by input name; a name in another case than declared is taken in lower case.
 * @throws {Error} in the words that users match on: `input 'x' has not been declared`, `input 'x' is required`,
 * `invalid value for 'x': …`.
 */
export function convertInputs(action: DdlAction, given: Readonly<Record<string, string>>): JsonObject {
  const data: JsonObject = {};
  for (const [key, text] of Object.entries(given)) {
    const name = Object.hasOwn(action.input, key) ? key : key.toLowerCase();
    const input = Object.hasOwn(action.input, name) ? action.input[name] : undefined;
    if (input === undefined) throw new Error(`input '${name}' has not been declared`);
    data[name] = convert(name, input, text);
  }
  return withInputDefaults(action, data);
}

/**
 * Inputs of an action with the defaults of those that were not given, checked as those from text are.
 * @throws {Error} like {@link convertInputs}.
 */
export function completeInputs(action: DdlAction, given: JsonObject): JsonObject {
  for (const [name, value] of Object.entries(given)) {
    const input = Object.hasOwn(action.input, name) ? action.input[name] : undefined;
    if (input === undefined) throw new Error(`input '${name}' has not been declared`);
    check(name, input, value);
  }
  return withInputDefaults(action, { ...given });
}

function withInputDefaults(action: DdlAction, data: JsonObject): JsonObject {
  for (const name of Object.keys(action.input).sort()) {
    const input = action.input[name];
    if (input === undefined || Object.hasOwn(data, name)) continue;
    if (input.default !== undefined) data[name] = input.default;
    else if (!input.optional) throw new Error(`input '${name}' is required`);
  }
  return data;
}

function convert(name: string, input: DdlInput, text: string): unknown {
  const value = fromText(input, text);
  if (value === undefined) throw invalid(name, mismatch(input, text));
  return check(name, input, value);
}

function check(name: string, input: DdlInput, value: unknown): unknown {
  const reason = input.type === "" ? "unsupported type ''" : checkValue(input, value);
  if (reason !== undefined) throw invalid(name, reason);
  return value;
}

function invalid(name: string, reason: string): Error {
  return new Error(`invalid value for '${name}': ${reason}`);
}

function fromText(input: DdlInput, text: string): unknown {
  switch (input.type) {
    case "integer":
      return integerOf(text);
    case "float":
    case "number":
      return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? finite(Number(text)) : undefined;
    case "boolean":
      return booleanOf(text);
    case "hash":
      return jsonOf(text, isObject);
    case "array":
      return jsonOf(text, Array.isArray);
    default:
      return text;
  }
}

function mismatch(input: DdlInput, text: string): string {
  if (input.type === "hash") return `'${text}' is not a valid JSON string with a hash inside`;
  if (input.type === "array") return `'${text}' is not a valid JSON string with an array inside`;
  return `'${text}' is not a valid ${input.type === "number" ? "float" : input.type}`;
}

/** Whole numbers that a double cannot hold are refused rather than sent as another number. */
function integerOf(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

function booleanOf(text: string): boolean | undefined {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  return /^(0|f|F|FALSE|false|False)$/.test(text) ? false : undefined;
}

function jsonOf(text: string, isWanted: (value: unknown) => boolean): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isWanted(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
