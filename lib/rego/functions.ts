/** A function that the caller adds to the language. */
export interface RegoFunction {
  /** Name as policies call it; dots allowed. */
  readonly name: string;
  /** Number of arguments. */
  readonly arity: number;
  /**
   * The result for plain JavaScript arguments; undefined leaves the expression undefined.
   * An exception counts as an error of a built-in function: undefined, or a failure in strict mode.
   */
  call(args: readonly unknown[]): unknown;
}
