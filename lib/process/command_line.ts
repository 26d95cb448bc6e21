/** How {@link splitCommand} reads a line. */
export interface SplitOptions {
  /**
   * `shlex` reads as watchers' commands have always been read: a `#` where a word may begin hides the rest of its
   * line, a backslash between double quotes escapes whatever follows, and an empty line has no words.
   * @default "shell"
   */
  dialect?: "shell" | "shlex";
}

/**
 * Split a command line into its words as a shell does, without running one: blanks separate, quotes and backslashes
 * keep together. Nothing is expanded.
 *
 * @throws {SyntaxError} when a quote is not closed, the line ends with a backslash, or there is no word at all.
 */
export function splitCommand(line: string, options: SplitOptions = {}): string[] {
  const isShlex = options.dialect === "shlex";
  const words: string[] = [];
  let word = "";
  let isOpen = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    if (/\s/.test(character)) {
      if (isOpen) words.push(word);
      word = "";
      isOpen = false;
      continue;
    }
    if (isShlex && character === "#" && !isOpen) {
      at = endOfLine(line, at);
      continue;
    }
    isOpen = true;
    if (character === "'" || character === '"') {
      const quoted = readQuoted(line, at, isShlex);
      word += quoted.text;
      at = quoted.end;
    } else if (character === "\\") {
      word += escaped(line, ++at);
    } else {
      word += character;
    }
  }
  if (isOpen) words.push(word);
  if (words.length === 0 && !isShlex) throw new SyntaxError("Cannot read the command line: it is empty");
  return words;
}

function endOfLine(line: string, start: number): number {
  const end = line.indexOf("\n", start);
  return end < 0 ? line.length : end;
}

/**
 * Write words as a command line that {@link splitCommand}, and any shell, reads back as the same words.
 */
export function joinCommand(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

function readQuoted(line: string, start: number, escapesAll: boolean): { text: string; end: number } {
  const quote = line[start];
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === quote) return { text, end: at };
    // Between double quotes a backslash only takes away the meaning of what would have one there.
    const isEscape = quote === '"' && character === "\\" && (escapesAll || /["\\$`]/.test(line[at + 1] ?? ""));
    text += isEscape ? escaped(line, ++at) : character;
  }
  throw new SyntaxError(`Cannot read the command line: the quote at character ${start + 1} is not closed`);
}

function escaped(line: string, at: number): string {
  const character = line[at];
  if (character === undefined) throw new SyntaxError("Cannot read the command line: it ends with a backslash");
  return character;
}
