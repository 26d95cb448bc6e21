import { quoteRe2 } from "../../re2/mod.ts";
import { bad } from "./_kit.ts";

/**
 * The regular expression of a glob: `*` and `?` stop at delimiters, `**` does not; `[a-z]`, `[!x]` and `{a,b}` as usual.
 *
 * @throws BuiltinError when brackets or braces are not closed.
 */
export function globSource(glob: string, delimiters: readonly string[]): string {
  const other = delimiters.length === 0 ? "(?s:.)" : `[^${delimiters.map(classChar).join("")}]`;
  let out = "";
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] ?? "";
    if (char === "*") {
      const many = glob[i + 1] === "*";
      if (many) i++;
      out += many ? "(?s:.)*" : `${other}*`;
    } else if (char === "?") out += other;
    else if (char === "\\") out += quoteRe2(glob[++i] ?? "\\");
    else if (char === "[") {
      const [source, end] = bracket(glob, i);
      out += source;
      i = end;
    } else if (char === "{") {
      out += "(?:";
      depth++;
    } else if (char === "}" && depth > 0) {
      out += ")";
      depth--;
    } else if (char === "," && depth > 0) out += "|";
    else out += quoteRe2(char);
  }
  if (depth > 0) throw bad(`glob ${JSON.stringify(glob)} has an open brace`);
  return `^(?s:${out})$`;
}

function classChar(char: string): string {
  return char.replace(/[\\\]^-]/g, "\\$&");
}

function bracket(glob: string, start: number): readonly [string, number] {
  const negated = glob[start + 1] === "!";
  let out = "";
  for (let i = start + (negated ? 2 : 1); i < glob.length; i++) {
    const char = glob[i] ?? "";
    if (char === "]" && out !== "") return [`[${negated ? "^" : ""}${out}]`, i];
    if (char === "\\") out += classChar(glob[++i] ?? "\\");
    else out += char === "-" ? "-" : classChar(char);
  }
  throw bad(`glob ${JSON.stringify(glob)} has an open bracket`);
}
