/** The text of anything that was thrown; an `Error` gives its message. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The text of a thrown error with those of its causes, outermost first, joined by `: `. */
export function errorChain(error: unknown): string {
  const texts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && texts.length < 8) {
    texts.push(errorText(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return texts.join(": ");
}

/** The `code` of a system error (`ENOENT`, `EACCES`…), or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
