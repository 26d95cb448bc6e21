import { ExprError } from "./error.ts";

const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};
const escapePattern = /\\(?:(x)([0-9a-fA-F]{2})|(u)([0-9a-fA-F]{4})|(U)([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]?))/y;
const largestInteger = (1n << 63n) - 1n;

/** Where a literal stands. */
export interface LiteralPlace {
  source: string;
  /** Offset of the literal's first character. */
  at: number;
}

/**
 * The text of a string literal's body.
 * @throws {ExprError} at an escape that the language does not have.
 */
export function unescapeText(body: string, quote: string, place: LiteralPlace): string {
  if (!body.includes("\\")) return body;
  let out = "";
  for (let at = 0; at < body.length; ) {
    const next = body.indexOf("\\", at);
    if (next < 0) return out + body.slice(at);
    escapePattern.lastIndex = next;
    const found = escapePattern.exec(body);
    const text = found === null ? undefined : escaped(found, quote);
    if (found === null || text === undefined) {
      throw new ExprError("invalid char escape", place.source, place.at + next + 2);
    }
    out += body.slice(at, next) + text;
    at = next + found[0].length;
  }
  return out;
}

/**
 * The bytes of a literal's body: its text as UTF-8, where escapes of numbers are single bytes.
 * @throws {ExprError} at an escape that the language does not have.
 */
export function unescapeBytes(body: string, quote: string, place: LiteralPlace): Uint8Array {
  const pieces = body.split(/(\\(?:x[0-9a-fA-F]{2}|[0-7]{3}|[\s\S]))/);
  const bytes = pieces.map((piece) => {
    const number = /^\\(?:x(..)|(\d{3}))$/.exec(piece);
    if (number === null) return Buffer.from(unescapeText(piece, quote, place));
    return Uint8Array.of(Number.parseInt(number[1] ?? number[2] ?? "", number[1] === undefined ? 8 : 16));
  });
  return new Uint8Array(Buffer.concat(bytes));
}

function escaped(found: RegExpExecArray, quote: string): string | undefined {
  const hex = found[2] ?? found[4] ?? found[6];
  if (hex !== undefined) return character(Number.parseInt(hex, 16));
  if (found[7] !== undefined) return character(Number.parseInt(found[7], 8));
  const letter = found[8] ?? "";
  return letter === quote ? quote : simpleEscapes[letter];
}

function character(code: number): string | undefined {
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return code > 0x10ffff || isSurrogate ? undefined : String.fromCodePoint(code);
}

/**
 * The value of a number literal: a bigint for whole numbers, a number for those with a point or an exponent.
 * @throws {ExprError} when it is malformed, or does not fit 64 bits.
 */
export function readNumber(literal: string, { source, at }: LiteralPlace): bigint | number {
  const text = literal.replaceAll("_", "");
  if (/^0[xX][0-9a-fA-F]+$|^0[oO][0-7]+$|^0[bB][01]+$|^\d+$/.test(text)) {
    const value = BigInt(text);
    if (value <= largestInteger) return value;
    throw new ExprError(`invalid integer literal "${text}": value out of range`, source, at);
  }
  if (!/^(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new ExprError(`bad number syntax: "${text}"`, source, at);
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new ExprError(`invalid float literal "${text}": value out of range`, source, at);
}
