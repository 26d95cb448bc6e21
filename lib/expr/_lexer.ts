import { readNumber, unescapeBytes, unescapeText } from "./_literals.ts";
import { ExprError } from "./error.ts";

/** One word or sign of an expression. */
export interface Token {
  kind: "Number" | "String" | "Bytes" | "Identifier" | "Operator" | "Bracket" | "EOF";
  /** As it is written; for strings what they say. */
  text: string;
  /** Offset of its first character. */
  at: number;
  /** What a number literal stands for. */
  number?: bigint | number;
  /** What a literal of bytes stands for. */
  bytes?: Uint8Array;
}

const words: ReadonlySet<string> = new Set("not in and or matches contains startsWith endsWith let if else".split(" "));
const space = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const number =
  /(?:0[xX][\da-fA-F_]*|0[oO][\d_]*|0[bB][\d_]*|(?:\d[\d_]*)?(?:\.(?!\.)[\d_]*)?(?:[eE][+-]?\d+)?)[\p{L}\w.]*/uy;
const name = /[\p{L}_$][\p{L}\p{Nd}_$]*/uy;
const operator = /\?\.|\?\?|\.\.|\*\*|::|==|!=|<=|>=|&&|\|\||[-+*/%^<>!=?:,;.|&#]/y;

/**
 * Split an expression into its tokens; the last is the EOF.
 * @throws {ExprError} where the text is none of the language.
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = skipSpace(source, 0); at < source.length; ) {
    const { token, end } = readToken(source, at, tokens.at(-1));
    tokens.push(token);
    at = skipSpace(source, end);
  }
  tokens.push({ kind: "EOF", text: "", at: Math.max(0, source.length - 1) });
  return tokens;
}

function skipSpace(source: string, at: number): number {
  const end = at + (match(space, source, at)?.length ?? 0);
  if (source.startsWith("/*", end)) throw new ExprError("unclosed comment", source, source.length);
  return end;
}

function readToken(source: string, at: number, before: Token | undefined): { token: Token; end: number } {
  const first = source[at] ?? "";
  if ("([{}])".includes(first)) return { token: { kind: "Bracket", text: first, at }, end: at + 1 };
  if (first === '"' || first === "'" || first === "`") return readText(source, at, first);
  if (/\d/.test(first) || /^\.\d/.test(source.slice(at, at + 2))) return readDigits(source, at);
  if (/^[bB]["']/.test(source.slice(at, at + 2))) return readBytes(source, at);
  const found = match(name, source, at);
  if (found !== undefined) {
    const isField = before?.kind === "Operator" && (before.text === "." || before.text === "?.");
    const kind = words.has(found) && !isField ? "Operator" : "Identifier";
    return { token: { kind, text: found, at }, end: at + found.length };
  }
  const sign = match(operator, source, at);
  if (sign === undefined) throw unknownCharacter(source, at);
  // A digit after "?." belongs to a ternary whose first branch begins with a point.
  const text = sign === "?." && /\d/.test(source[at + 2] ?? "") ? "?" : sign;
  return { token: { kind: "Operator", text, at }, end: at + text.length };
}

function readDigits(source: string, at: number): { token: Token; end: number } {
  const text = match(number, source, at) ?? "";
  const range = text.indexOf("..");
  const literal = range < 0 ? text : text.slice(0, range);
  const token: Token = { kind: "Number", text: literal, at, number: readNumber(literal, { source, at }) };
  return { token, end: at + literal.length };
}

function readText(source: string, at: number, quote: string): { token: Token; end: number } {
  if (quote === "`") return readRaw(source, at);
  let end = at + 1;
  while (end < source.length && source[end] !== quote && source[end] !== "\n") end += source[end] === "\\" ? 2 : 1;
  if (source[end] !== quote) throw new ExprError("literal not terminated", source, Math.min(end, source.length));
  const text = unescapeText(source.slice(at + 1, end), quote, { source, at });
  return { token: { kind: "String", text, at }, end: end + 1 };
}

/** `b"..."`: the text as UTF-8, where an escape stands for a byte. */
function readBytes(source: string, at: number): { token: Token; end: number } {
  const { token, end } = readText(source, at + 1, source[at + 1] ?? "");
  const bytes = unescapeBytes(source.slice(at + 2, end - 1), source[at + 1] ?? "", { source, at: at + 1 });
  return { token: { kind: "Bytes", text: token.text, at, bytes }, end };
}

/** Between backticks nothing is an escape, but two backticks are one. */
function readRaw(source: string, at: number): { token: Token; end: number } {
  let end = source.indexOf("`", at + 1);
  while (end >= 0 && source[end + 1] === "`") end = source.indexOf("`", end + 2);
  if (end < 0) throw new ExprError("literal not terminated", source, source.length);
  return { token: { kind: "String", text: source.slice(at + 1, end).replaceAll("``", "`"), at }, end: end + 1 };
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(source)?.[0];
  return found === "" ? undefined : found;
}

function unknownCharacter(source: string, at: number): ExprError {
  const code = source.codePointAt(at) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  return new ExprError(`unrecognized character: U+${hex} '${String.fromCodePoint(code)}'`, source, at);
}
