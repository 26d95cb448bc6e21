import { statusCodes } from "../protocol/mod.ts";
import { ActionError } from "../rpc/mod.ts";
import type { JsonObject } from "../std/mod.ts";

/** What an input must look like. */
export interface TextRules {
  /** Most bytes. */
  maxLength: number;
  /** What the text must match. */
  pattern?: RegExp;
}

/**
 * An input that must be a text and not empty.
 * @throws {ActionError} with status 4, naming the input and what is wrong with it.
 */
export function requiredText(data: JsonObject, name: string, rules: TextRules): string {
  const value = optionalText(data, name, rules);
  if (value === "") throw invalid(`input '${name}' is required`);
  return value;
}

/**
 * An input that may be missing; empty when it is.
 * @throws {ActionError} with status 4, naming the input and what is wrong with it.
 */
export function optionalText(data: JsonObject, name: string, rules: TextRules): string {
  const value = data[name] ?? "";
  if (typeof value !== "string") throw invalid(`validation failed for input '${name}': is not a string`);
  if (Buffer.byteLength(value) > rules.maxLength) {
    throw invalid(`validation failed for input '${name}': is longer than ${rules.maxLength} characters`);
  }
  if (value !== "" && rules.pattern !== undefined && !rules.pattern.test(value)) {
    throw invalid(`validation failed for input '${name}': input does not match '${rules.pattern.source}'`);
  }
  return value;
}

/**
 * An input that must be one of some texts; the first of them when it is missing.
 * @throws {ActionError} with status 4, naming the input and what it may be.
 */
export function oneOf(data: JsonObject, name: string, choices: readonly [string, ...string[]]): string {
  const value = data[name] ?? choices[0];
  if (typeof value === "string" && choices.includes(value)) return value;
  throw invalid(`validation failed for input '${name}': should be one of ${choices.join(", ")}`);
}

/**
 * An input that may be missing and is a whole number; undefined when it is missing.
 * @throws {ActionError} with status 4, naming the input.
 */
export function optionalInteger(data: JsonObject, name: string): number | undefined {
  const value = data[name];
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value)) return Number(value);
  throw invalid(`validation failed for input '${name}': is not an integer`);
}

/**
 * An input that may be missing and is true or false; false when it is missing.
 * @throws {ActionError} with status 4, naming the input.
 */
export function optionalFlag(data: JsonObject, name: string): boolean {
  const value = data[name] ?? false;
  if (typeof value === "boolean") return value;
  throw invalid(`validation failed for input '${name}': is not a boolean`);
}

function invalid(reason: string): ActionError {
  return new ActionError(`Validation failed: ${reason}`, { statuscode: statusCodes.invalidData });
}
