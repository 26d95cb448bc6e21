import { RegoError } from "./errors.ts";
import type { RegoExplanation } from "./explanation.ts";
import type { EvaluateOptions, RegoPolicy } from "./policy.ts";

/** One line of a table of tests: what goes in and what must come out. */
export interface RegoCase {
  readonly name: string;
  readonly input?: unknown;
  /** The value wanted; leave it out together with `wantError` where the query must be undefined. */
  readonly want?: unknown;
  /** Part of the error text wanted. */
  readonly wantError?: string;
}

/** What became of one case. */
export interface RegoCaseResult {
  readonly name: string;
  readonly passed: boolean;
  /** Why the case failed, in a sentence. */
  readonly reason?: string;
  /** The value found, absent when the query was undefined or failed. */
  readonly value?: unknown;
  readonly explanation?: RegoExplanation;
}

/** Runs a table of cases against a policy; failed cases carry an explanation of what the rules did. */
export function runRegoCases(
  policy: RegoPolicy,
  query: string,
  cases: readonly RegoCase[],
  options: EvaluateOptions = {},
): RegoCaseResult[] {
  return cases.map((each) => {
    try {
      const result = policy.evaluate(query, { ...options, input: each.input, explain: true });
      return judge(each, result.defined, result.value, result.explanation);
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      return judgeError(each, error);
    }
  });
}

function judge(
  { name, want, wantError }: RegoCase,
  defined: boolean,
  value: unknown,
  explanation?: RegoExplanation,
): RegoCaseResult {
  const found = defined ? { value } : {};
  const reason = differs(want, wantError, defined, value);
  if (reason === undefined) return { name, passed: true, ...found };
  return { name, passed: false, reason, ...found, ...(explanation === undefined ? {} : { explanation }) };
}

function differs(want: unknown, wantError: string | undefined, defined: boolean, value: unknown): string | undefined {
  const found = defined ? text(value) : "undefined";
  if (wantError !== undefined) return `wanted the error ${JSON.stringify(wantError)}, found ${found}`;
  if (found === (want === undefined ? "undefined" : text(want))) return undefined;
  return `wanted ${want === undefined ? "undefined" : text(want)}, found ${found}`;
}

function judgeError({ name, wantError, want }: RegoCase, error: RegoError): RegoCaseResult {
  if (wantError !== undefined && error.message.includes(wantError)) return { name, passed: true };
  const wanted = wantError === undefined ? text(want) : `the error ${JSON.stringify(wantError)}`;
  return { name, passed: false, reason: `wanted ${wanted}, found the error ${JSON.stringify(error.message)}` };
}

/** Text of a value with sorted keys, equal for equal values. */
function text(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) => {
      if (typeof part === "bigint") return `${part}`;
      if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
      return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    }) ?? "undefined"
  );
}
