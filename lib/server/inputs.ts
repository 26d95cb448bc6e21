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

function invalid(reason: string): ActionError {
  return new ActionError(`Validation failed: ${reason}`, { statuscode: statusCodes.invalidData });
}
