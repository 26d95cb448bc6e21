/** Kinds of failure, by the names the rest of the policy world uses for them. */
export type RegoErrorCode =
  | "rego_parse_error"
  | "rego_compile_error"
  | "rego_type_error"
  | "rego_unsafe_var_error"
  | "rego_recursion_error"
  | "eval_builtin_error"
  | "eval_type_error"
  | "eval_conflict_error"
  | "eval_limit_error"
  | "eval_internal_error";

/** One finding: what is wrong and where. Rows and columns count from 1; 0 means no place is known. */
export interface RegoProblem {
  readonly code: RegoErrorCode;
  readonly message: string;
  readonly filename: string;
  readonly row: number;
  readonly col: number;
}

/** Text of a finding: `file:row: code: message`. */
export function problemText(problem: RegoProblem): string {
  const file = problem.filename === "" ? "" : `${problem.filename}:`;
  return `${file}${problem.row}: ${problem.code}: ${problem.message}`;
}

/**
 * Every parse, compile and evaluation failure of a policy.
 *
 * `code`, `row`, `col` and `detail` are those of the first finding, `problems` holds all of them.
 */
export class RegoError extends Error {
  readonly problems: readonly RegoProblem[];
  readonly code: RegoErrorCode;
  readonly row: number;
  readonly col: number;
  readonly filename: string;
  readonly detail: string;

  constructor(problems: readonly [RegoProblem, ...RegoProblem[]], options?: ErrorOptions) {
    const [first] = problems;
    super(RegoError.textOf(problems), options);
    this.name = "RegoError";
    this.problems = problems;
    this.code = first.code;
    this.row = first.row;
    this.col = first.col;
    this.filename = first.filename;
    this.detail = first.message;
  }

  private static textOf(problems: readonly RegoProblem[]): string {
    const lines = problems.map(problemText);
    if (lines.length === 1 && problems[0]?.code.startsWith("eval_")) return lines.join("");
    return lines.length === 1
      ? `1 error occurred: ${lines[0]}`
      : `${lines.length} errors occurred\n${lines.join("\n")}`;
  }

  /** An error with a single finding. */
  static at(code: RegoErrorCode, message: string, place: RegoPlace, options?: ErrorOptions): RegoError {
    return new RegoError([{ code, message, filename: place.filename, row: place.row, col: place.col }], options);
  }
}

/** A place in a policy text. */
export interface RegoPlace {
  readonly filename: string;
  readonly row: number;
  readonly col: number;
}

/** A place that is not known. */
export const NOWHERE: RegoPlace = { filename: "", row: 0, col: 0 };

/** Failure of a built-in function; outside strict mode it only leaves the expression undefined. */
export class BuiltinError extends Error {
  readonly code: "eval_builtin_error" | "eval_type_error";

  constructor(message: string, code: "eval_builtin_error" | "eval_type_error" = "eval_builtin_error") {
    super(message);
    this.name = "BuiltinError";
    this.code = code;
  }
}
