import { parseNumber } from "./_scalars.ts";
import { RegoError, type RegoPlace } from "./errors.ts";

/** Kinds of token. */
export type TokenKind = "name" | "number" | "string" | "template" | "op" | "eof";

/** A token of a policy text. */
export interface Token {
  readonly kind: TokenKind;
  /** Name, operator, or content of a string. */
  readonly text: string;
  readonly value: number | bigint;
  /** Parts of an interpolated string: text, then the source span of an expression, in turn. */
  readonly parts: readonly TemplatePart[];
  readonly start: number;
  readonly end: number;
  readonly row: number;
  readonly col: number;
  /** Whether white space (or a comment) stands before it. */
  readonly spaced: boolean;
  /** Whether a line end stands before it. */
  readonly newline: boolean;
}

/** A piece of an interpolated string. */
export type TemplatePart = { readonly text: string } | { readonly tokens: readonly Token[] };

const DOUBLE = new Set([":=", "==", "!=", "<=", ">="]);
const SINGLE = new Set("=<>+-*/%|&,;:.()[]{}");
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const NO_PARTS: readonly TemplatePart[] = [];
const MAX_NESTED_TEMPLATES = 30;

/** Splits a policy text into tokens; the last one is of kind `eof`. */
export function tokenize(source: string, filename: string): Token[] {
  return new Lexer(source, filename).run(0, false).tokens;
}

function isNameStart(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95;
}

class Lexer {
  readonly #source: string;
  readonly #filename: string;
  #pos = 0;
  #row = 1;
  #lineStart = 0;
  #spaced = false;
  #newline = false;

  constructor(source: string, filename: string) {
    this.#source = source;
    this.#filename = filename;
  }

  /** Reads tokens to the end, or to the `}` that closes a template expression. */
  run(depth: number, nested: boolean): { tokens: Token[] } {
    const tokens: Token[] = [];
    let braces = 0;
    for (;;) {
      this.#skip();
      const char = this.#source[this.#pos];
      if (char === undefined) {
        if (nested) this.#fail("unterminated template expression");
        tokens.push(this.#token("eof", this.#pos, ""));
        return { tokens };
      }
      if (char === "{") braces++;
      if (char === "}" && braces-- === 0 && nested) {
        tokens.push(this.#token("eof", this.#pos, ""));
        return { tokens };
      }
      tokens.push(this.#next(char, depth));
    }
  }

  #place(): RegoPlace {
    return { filename: this.#filename, row: this.#row, col: this.#pos - this.#lineStart + 1 };
  }

  #fail(message: string): never {
    throw RegoError.at("rego_parse_error", message, this.#place());
  }

  #skip(): void {
    this.#spaced = false;
    this.#newline = false;
    for (;;) {
      const char = this.#source.charCodeAt(this.#pos);
      if (char === 10) this.#line();
      else if (char === 35) {
        const end = this.#source.indexOf("\n", this.#pos);
        this.#pos = end < 0 ? this.#source.length : end;
      } else if (char === 32 || char === 9 || char === 13) this.#pos++;
      else return;
      this.#spaced = true;
    }
  }

  #line(): void {
    this.#pos++;
    this.#row++;
    this.#lineStart = this.#pos;
    this.#newline = true;
  }

  #token(kind: TokenKind, start: number, text: string, value: number | bigint = 0, parts = NO_PARTS): Token {
    return {
      kind,
      text,
      value,
      parts,
      start,
      end: this.#pos,
      row: this.#row,
      col: start - this.#lineStart + 1,
      spaced: this.#spaced,
      newline: this.#newline,
    };
  }

  #next(char: string, depth: number): Token {
    const code = char.charCodeAt(0);
    if (isNameStart(code)) return this.#name();
    if (code >= 48 && code <= 57) return this.#number();
    if (char === '"' || char === "`") return this.#string(char);
    if (char === "$") return this.#template(depth);
    const start = this.#pos;
    const two = char + (this.#source[start + 1] ?? "");
    if (DOUBLE.has(two)) {
      this.#pos += 2;
      return this.#token("op", start, two);
    }
    if (!SINGLE.has(char)) this.#fail(`illegal token: unexpected character ${JSON.stringify(char)}`);
    this.#pos++;
    return this.#token("op", start, char);
  }

  #name(): Token {
    const start = this.#pos;
    for (let code = this.#source.charCodeAt(start); isNameStart(code) || (code >= 48 && code <= 57); ) {
      code = this.#source.charCodeAt(++this.#pos);
    }
    return this.#token("name", start, this.#source.slice(start, this.#pos));
  }

  #number(): Token {
    const start = this.#pos;
    NUMBER.lastIndex = start;
    const text = NUMBER.exec(this.#source)?.[0] ?? "";
    this.#pos += text.length;
    if (/[0-9A-Za-z_]/.test(this.#source[this.#pos] ?? "")) this.#fail("illegal number format");
    const value = parseNumber(text);
    if (value === undefined) this.#fail("illegal number: too many digits");
    return this.#token("number", start, text, value);
  }

  #string(quote: string): Token {
    const start = this.#pos;
    const spaced = this.#spaced;
    const newline = this.#newline;
    const { row, col } = this.#place();
    this.#pos++;
    const text = this.#chars(quote, false);
    this.#pos++;
    return { kind: "string", text, value: 0, parts: NO_PARTS, start, end: this.#pos, row, col, spaced, newline };
  }

  #template(depth: number): Token {
    const start = this.#pos;
    const spaced = this.#spaced;
    const newline = this.#newline;
    const { row, col } = this.#place();
    const quote = this.#source[this.#pos + 1];
    if (quote !== '"' && quote !== "`") this.#fail('illegal token: unexpected character "$"');
    if (depth >= MAX_NESTED_TEMPLATES) this.#fail("interpolated strings are nested too deep");
    this.#pos += 2;
    const parts: TemplatePart[] = [];
    for (;;) {
      parts.push({ text: this.#chars(quote, true) });
      if (this.#source[this.#pos++] === quote) break;
      parts.push({ tokens: this.run(depth + 1, true).tokens });
      this.#pos++;
    }
    return { kind: "template", text: "", value: 0, parts, start, end: this.#pos, row, col, spaced, newline };
  }

  /** Reads up to the closing quote, or in a template up to an opening brace; leaves the position on it. */
  #chars(quote: string, template: boolean): string {
    const plain = template ? 0 : this.#plain(quote.charCodeAt(0));
    let out = this.#source.slice(this.#pos, this.#pos + plain);
    this.#pos += plain;
    for (;;) {
      const char = this.#source[this.#pos];
      if (char === undefined) this.#fail("non-terminated string");
      if (char === quote || (template && char === "{")) return out;
      if (char === "\n") {
        if (quote === '"') this.#fail("non-terminated string");
        this.#row++;
        this.#lineStart = this.#pos + 1;
      }
      if (char === "\\" && template && this.#source[this.#pos + 1] === "{") {
        out += "{";
        this.#pos += 2;
      } else if (char === "\\" && quote === '"') out += this.#escape();
      else {
        out += char;
        this.#pos++;
      }
    }
  }

  /** Number of characters ahead that stand for themselves on this line. */
  #plain(quote: number): number {
    let end = this.#pos;
    for (let code = this.#source.charCodeAt(end); code >= 32 && code !== quote && code !== 92; ) {
      code = this.#source.charCodeAt(++end);
    }
    return end - this.#pos;
  }

  #escape(): string {
    const char = this.#source[this.#pos + 1] ?? "";
    const simple = ESCAPES[char];
    if (simple !== undefined) {
      this.#pos += 2;
      return simple;
    }
    const hex = this.#source.slice(this.#pos + 2, this.#pos + 6);
    if (char !== "u" || !/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail("illegal escape sequence");
    this.#pos += 6;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }
}
