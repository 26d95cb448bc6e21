/**
 * Split a command line into its words as a shell does, without running one: blanks separate, quotes and backslashes
 * keep together. Nothing is expanded.
 *
 * @throws {SyntaxError} when a quote is not closed, the line ends with a backslash, or there is no word at all.
 */
export function splitCommand(line: string): string[] {
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
    isOpen = true;
    if (character === "'" || character === '"') {
      const quoted = readQuoted(line, at);
      word += quoted.text;
      at = quoted.end;
    } else if (character === "\\") {
      word += escaped(line, ++at);
    } else {
      word += character;
    }
  }
  if (isOpen) words.push(word);
  if (words.length === 0) throw new SyntaxError("Cannot read the command line: it is empty");
  return words;
}

/**
 * Write words as a command line that {@link splitCommand}, and any shell, reads back as the same words.
 */
export function joinCommand(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

function readQuoted(line: string, start: number): { text: string; end: number } {
  const quote = line[start];
  let text = "";
  for (let at = start + 1; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character === quote) return { text, end: at };
    // Between double quotes a backslash only takes away the meaning of what would have one there.
    const isEscape = quote === '"' && character === "\\" && /["\\$`]/.test(line[at + 1] ?? "");
    text += isEscape ? escaped(line, ++at) : character;
  }
  throw new SyntaxError(`Cannot read the command line: the quote at character ${start + 1} is not closed`);
}

function escaped(line: string, at: number): string {
  const character = line[at];
  if (character === undefined) throw new SyntaxError("Cannot read the command line: it ends with a backslash");
  return character;
}
