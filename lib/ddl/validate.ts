import { isIPv4, isIPv6 } from "node:net";
import { isObject, type JsonObject } from "../std/mod.ts";
import { matchesPattern } from "./_pattern.ts";
import type { DdlAction, DdlInput } from "./ddl.ts";

const shellUnsafe = ["`", "$", ";", "|", "&&", ">", "<"];

/**
 * What is wrong with an input's value, in the words that callers match on; undefined when nothing is.
 *
 * Texts of inputs without a `maxlength` are not looked at any further, and neither are validations that start with
 * a lower-case letter and name none of the known checks: both as they always were.
 */
export function checkValue(input: DdlInput, value: unknown): string | undefined {
  switch (input.type) {
    case "integer":
      return isInteger(value) ? undefined : "is not an integer";
    case "float":
      return typeof value === "number" ? undefined : "is not a float";
    case "number":
      return typeof value === "number" ? undefined : "is not a number";
    case "boolean":
      return typeof value === "boolean" ? undefined : "is not a boolean";
    case "hash":
      return isObject(value) ? undefined : "is not a hash map";
    case "array":
      return Array.isArray(value) ? undefined : "is not an array";
    case "list":
      return checkChoice(input, value);
    case "string":
      return checkText(input, value);
    default:
      return `unsupported input type '${input.type}'`;
  }
}

/**
 * Check the inputs of a request as a server does: everything declared and needed is there, everything there is
 * declared and fits.
 *
 * @throws {Error} in the words that callers match on, for example `input 'X' is required`.
 */
export function validateInputs(action: DdlAction, data: JsonObject): void {
  const { process_results: _ignored, ...given } = data;
  const declared = Object.keys(action.input).sort();
  for (const name of declared) {
    const input = action.input[name];
    if (input === undefined) continue;
    if (!Object.hasOwn(given, name)) {
      if (!input.optional) throw new Error(`input '${name}' is required`);
      continue;
    }
    const reason = checkValue(input, given[name]);
    if (reason !== undefined) throw new Error(`validation failed for input '${name}': ${reason}`);
  }
  const names = Object.keys(given);
  if (declared.length === 0 && names.length > 0) {
    throw new Error("request contains inputs while none are declared in the DDL");
  }
  const unknown = names.find((name) => !Object.hasOwn(action.input, name));
  if (unknown !== undefined) {
    const valid = declared.join(", ");
    throw new Error(
      `request contains an input '${unknown}' that is not declared in the DDL. Valid inputs are: ${valid}`,
    );
  }
}

function isInteger(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 63;
}

function checkChoice(input: DdlInput, value: unknown): string | undefined {
  if (typeof value !== "string") return "should be a string";
  const { list = [] } = input;
  return list.includes(value) ? undefined : `should be one of ${list.join(", ")}`;
}

function checkText(input: DdlInput, value: unknown): string | undefined {
  if (typeof value !== "string") return "is not a string";
  const { maxlength = 0, validation = "" } = input;
  if (maxlength === 0) return undefined;
  if (Buffer.byteLength(value) > maxlength) return `is longer than ${maxlength} characters`;
  return checkValidation(validation, value);
}

function checkValidation(validation: string, value: string): string | undefined {
  switch (validation) {
    case "":
      return undefined;
    case "shellsafe": {
      const found = shellUnsafe.find((unsafe) => value.includes(unsafe));
      return found === undefined ? undefined : `may not contain '${found}'`;
    }
    case "ipv4address":
      return isV4(value) ? undefined : `${value} is not an IPv4 address`;
    case "ipv6address":
      return isIPv6(value) && !isV4(value) ? undefined : `${value} is not an IPv6 address`;
    case "ipaddress":
      return isIPv4(value) || isIPv6(value) ? undefined : `${value} is not an IP address`;
    default:
      if (/^[a-z]/.test(validation)) return undefined;
      return matchesPattern(validation, value) ? undefined : `input does not match '${validation}'`;
  }
}

/** An IPv4 address written as IPv6 counts as IPv4. */
function isV4(value: string): boolean {
  return isIPv4(value) || (isIPv6(value) && isIPv4(value.replace(/^::ffff:/i, "")));
}
