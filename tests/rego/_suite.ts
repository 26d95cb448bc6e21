import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseJson } from "../../lib/rego/json.ts";
import {
  compileModules,
  parseTerm,
  type RegoDialect,
  RegoError,
  type RegoFunction,
  RegoObject,
  RegoSet,
  type RegoValue,
} from "../../lib/rego/mod.ts";
import { compareValues, toRego } from "../../lib/rego/values.ts";

/** One case of the conformance suite. */
export interface Case {
  readonly category: string;
  readonly note: string;
  readonly query: string;
  readonly modules: readonly string[];
  readonly data: RegoValue | undefined;
  readonly input: RegoValue | undefined;
  readonly wantResult: readonly RegoValue[] | undefined;
  readonly wantErrorCode: string | undefined;
  readonly wantError: string | undefined;
  readonly sortBindings: boolean;
  readonly strict: boolean;
}

/** Folder of the conformance cases, undefined where there is none. */
export function suiteFolder(): string | undefined {
  const folder = process.env.REGO_CONFORMANCE ?? join(import.meta.dir, "../../../shared/vectors/rego-conformance");
  return existsSync(join(folder, "v0.jsonl")) && existsSync(join(folder, "v1.jsonl")) ? folder : undefined;
}

/** The cases of one dialect. */
export async function loadCases(folder: string, dialect: RegoDialect): Promise<Case[]> {
  const text = await Bun.file(join(folder, `${dialect}.jsonl`)).text();
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map(readCase);
}

function readCase(line: string): Case {
  const doc = parseJson(line);
  if (!(doc instanceof RegoObject)) throw new TypeError("a case is an object");
  const text = (key: string) => {
    const value = doc.get(key);
    return typeof value === "string" ? value : undefined;
  };
  const list = (key: string): readonly RegoValue[] | undefined => {
    const value = doc.get(key);
    return Array.isArray(value) ? (value as readonly RegoValue[]) : undefined;
  };
  const term = text("input_term");
  const data = doc.get("data");
  return {
    category: text("category") ?? "",
    note: text("note") ?? "",
    query: text("query") ?? "",
    modules: (list("modules") ?? []).map(String),
    data: data === null ? undefined : data,
    input: term === undefined ? doc.get("input") : parseTerm(term),
    wantResult: list("want_result"),
    wantErrorCode: text("want_error_code"),
    wantError: text("want_error"),
    sortBindings: doc.get("sort_bindings") === true,
    strict: doc.get("strict_error") === true,
  };
}

/** Functions that only the suite knows. */
const EXTRA: readonly RegoFunction[] = [{ name: "test.sleep", arity: 1, call: () => null }];

/** Runs a case; the reason it fails, undefined when it passes. */
export function runCase(test: Case, dialect: RegoDialect): string | undefined {
  try {
    const sources = test.modules.map((source, i) => ({ source, filename: `test-${i}.rego` }));
    const policy = compileModules(sources, { dialect, functions: EXTRA });
    const options = {
      input: test.input,
      data: test.data,
      strictBuiltinErrors: test.strict,
      limits: { timeMs: 10_000 },
    };
    const found = policy.query(test.query, options).map(toRego);
    return test.wantErrorCode !== undefined || test.wantError !== undefined
      ? `no error, but ${show(found)}; want ${test.wantErrorCode} ${test.wantError}`
      : compareResults(found, test);
  } catch (error) {
    return judgeError(error, test);
  }
}

function judgeError(error: unknown, test: Case): string | undefined {
  if (!(error instanceof RegoError)) return `crash: ${error instanceof Error ? error.stack : String(error)}`;
  if (test.wantErrorCode === undefined && test.wantError === undefined) return `unexpected ${error.message}`;
  if (test.wantErrorCode !== undefined && test.wantErrorCode !== error.code)
    return `code: ${error.message}; want ${test.wantErrorCode} ${test.wantError}`;
  if (test.wantError !== undefined && !error.message.includes(test.wantError))
    return `text: ${error.message}; want ${test.wantError}`;
  return undefined;
}

function compareResults(found: readonly RegoValue[], test: Case): string | undefined {
  const want = (test.wantResult ?? []).map((each) => normal(each, test.sortBindings));
  const have = found.map((each) => normal(each, test.sortBindings));
  if (test.wantResult === undefined) return undefined;
  return compareValues(have, want) === 0 ? undefined : `got ${show(have)}; want ${show(want)}`;
}

function normal(value: RegoValue, sort: boolean): RegoValue {
  if (value instanceof RegoSet) return normal(value.values(), true);
  if (Array.isArray(value)) {
    const items = (value as readonly RegoValue[]).map((item) => normal(item, sort));
    return sort ? items.sort(compareValues) : items;
  }
  if (!(value instanceof RegoObject)) return value;
  return RegoObject.of(value.entries().map(([key, item]) => [key, normal(item, sort)] as const));
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, v: unknown) =>
      typeof v === "bigint" ? `${v}n` : v instanceof RegoObject ? Object.fromEntries(v.entries()) : v,
    )?.slice(0, 400) ?? ""
  );
}
