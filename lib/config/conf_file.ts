/** One `key = value` line of a `.conf` file. */
export interface ConfLine {
  key: string;
  value: string;
  /** Line number, from 1. */
  line: number;
}

/**
 * Read the lines of a `.conf` file: trimmed, blank and `#` lines passed over, split at the first `=`. There are
 * no quotes, sections or comments behind a value. Lines of another form mean nothing to the format and are
 * passed over, as every known reader does.
 */
export function parseConf(text: string): ConfLine[] {
  const lines: ConfLine[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const separator = trimmed.indexOf("=");
    const key = trimmed.slice(0, Math.max(separator, 0)).trim();
    const value = trimmed.slice(separator + 1).trim();
    if (key !== "" && value !== "") lines.push({ key, value, line: index + 1 });
  }
  return lines;
}

/**
 * Write settings as a `.conf` file, a line each, in the order given.
 *
 * @param header A comment for the top, without `#`.
 * @throws {TypeError} naming the key when a key or value would not survive reading back: line breaks, an empty
 * value, or a key that is empty, starts with `#` or holds `=`.
 */
export function formatConf(settings: Iterable<readonly [string, string]>, header?: string): string {
  const lines = header === undefined ? [] : [`# ${header.replace(/[\r\n]+/g, " ")}`];
  for (const [key, value] of settings) {
    const written = parseConf(`${key}=${value}`);
    if (written.length !== 1 || written[0]?.key !== key || written[0].value !== value) {
      throw new TypeError(`Cannot write the setting ${JSON.stringify(key)}: its key or value does not fit on a line`);
    }
    lines.push(`${key}=${value}`);
  }
  return `${lines.join("\n")}\n`;
}
