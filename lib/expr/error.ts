/** An expression that cannot be read, does not fit its purpose, or has no value. */
export class ExprError extends Error {
  override readonly name: string = "ExprError";
  /** What is wrong, without the place. */
  readonly reason: string;
  /** Line of the expression, from 1; 0 where no place is to blame. */
  readonly line: number;
  /** Column of the line in characters, from 1; 0 where no place is to blame. */
  readonly column: number;

  /**
   * @param reason What is wrong; the message adds the place to it: `unknown name x (1:5)`.
   * @param source The expression.
   * @param at UTF-16 offset of the place in the source; left out where no place is to blame.
   */
  constructor(reason: string, source = "", at?: number, options?: ErrorOptions) {
    const { line, column } = place(source, at);
    super(line === 0 ? reason : `${reason} (${line}:${column})`, options);
    this.reason = reason;
    this.line = line;
    this.column = column;
  }
}

/** An expression that was stopped because it asked for too much: steps, memory, time or nesting. */
export class ExprLimitError extends ExprError {
  override readonly name: string = "ExprLimitError";
}

function place(source: string, at: number | undefined): { line: number; column: number } {
  if (at === undefined) return { line: 0, column: 0 };
  const before = source.slice(0, at).split("\n");
  return { line: before.length, column: [...(before.at(-1) ?? "")].length + 1 };
}
