import { readEscape } from "./_escape.ts";
import { type Infix, keywordIn, NAME_PART, NAME_START, type Operator, SINGLE, WITH_EQUALS } from "./_operators.ts";
import { parseNumber } from "./_scalars.ts";
import { RegoError, type RegoPlace } from "./errors.ts";

/** A token of a policy text; it is its own place. */
export type Token = OtherToken | NumberToken | TemplateToken | OperatorToken;

interface AnyToken extends RegoPlace {
  /** Name, operator, or content of a string. */
  readonly text: string;
  /** The operator, or the name where that is a keyword of some dialect; otherwise empty. */
  readonly sign: string;
  readonly start: number;
  readonly end: number;
  readonly gap: Gap;
}

interface OtherToken extends AnyToken {
  readonly kind: "name" | "string" | "eof";
  readonly value: undefined;
}

interface NumberToken extends AnyToken {
  readonly kind: "number";
  readonly value: number | bigint;
}

interface OperatorToken extends AnyToken {
  readonly kind: "op";
  readonly value: Infix | undefined;
}

interface TemplateToken extends AnyToken {
  readonly kind: "template";
  /** Text, then the tokens of an expression, in turn. */
  readonly value: readonly TemplatePart[];
}

/** What stands before a token: 0 nothing, 1 white space or a comment, 2 a line end. */
export type Gap = 0 | 1 | 2;

/** A piece of an interpolated string. */
export type TemplatePart = { readonly text: string } | { readonly tokens: readonly Token[] };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MAX_NESTED_TEMPLATES = 30;

/** Splits a policy text into tokens; the last one is of kind `eof`. */
export function tokenize(source: string, filename: string): Token[] {
  return new Lexer(source, filename).run(0, false);
}

interface Name {
  readonly text: string;
  readonly sign: string;
}

class Lexer {
  readonly #source: string;
  readonly #filename: string;
  #pos = 0;
  #row = 1;
  #lineStart = 0;
  #gap: Gap = 0;
  /** Names read lately, by a number made from their ends. */
  readonly #names: (Name | undefined)[] = new Array(64).fill(undefined);

  constructor(source: string, filename: string) {
    this.#source = source;
    this.#filename = filename;
  }

  /** Reads tokens to the end, or to the `}` that closes a template expression. */
  run(depth: number, nested: boolean): Token[] {
    const tokens: Token[] = [];
    let braces = 0;
    for (;;) {
      const code = this.#skip();
      if (this.#pos >= this.#source.length) {
        if (nested) this.#fail("unterminated template expression");
        tokens.push(this.#other("eof", this.#pos, "", ""));
        return tokens;
      }
      if (code === 123) braces++;
      if (code === 125 && braces-- === 0 && nested) {
        tokens.push(this.#other("eof", this.#pos, "", ""));
        return tokens;
      }
      tokens.push(this.#next(code, depth));
    }
  }

  #place(): RegoPlace {
    return { filename: this.#filename, row: this.#row, col: this.#pos - this.#lineStart + 1 };
  }

  #fail(message: string): never {
    throw RegoError.at("rego_parse_error", message, this.#place());
  }

  /** Passes over what stands before the next token, and gives the code of the first character of that. */
  #skip(): number {
    const source = this.#source;
    let pos = this.#pos;
    let gap: Gap = 0;
    for (;;) {
      const code = source.charCodeAt(pos);
      if (code === 32 || code === 9 || code === 13) pos++;
      else if (code === 10) {
        pos++;
        this.#row++;
        this.#lineStart = pos;
        gap = 2;
        continue;
      } else if (code === 35) {
        const end = source.indexOf("\n", pos);
        pos = end < 0 ? source.length : end;
      } else {
        this.#pos = pos;
        this.#gap = gap;
        return code;
      }
      if (gap === 0) gap = 1;
    }
  }

  #other(kind: OtherToken["kind"], start: number, text: string, sign: string): Token {
    return {
      kind,
      text,
      sign,
      value: undefined,
      start,
      end: this.#pos,
      gap: this.#gap,
      filename: this.#filename,
      row: this.#row,
      col: start - this.#lineStart + 1,
    };
  }

  #operator({ text, infix }: Operator): Token {
    const start = this.#pos;
    this.#pos += text.length;
    return {
      kind: "op",
      text,
      sign: text,
      value: infix,
      start,
      end: this.#pos,
      gap: this.#gap,
      filename: this.#filename,
      row: this.#row,
      col: start - this.#lineStart + 1,
    };
  }

  #next(code: number, depth: number): Token {
    if (NAME_START[code] === 1) return this.#name();
    if (code === 34) return this.#string('"');
    if (code >= 48 && code <= 57) return this.#number();
    if (code === 96) return this.#string("`");
    if (code === 36) return this.#template(depth);
    const double = this.#source.charCodeAt(this.#pos + 1) === 61 ? WITH_EQUALS[code] : undefined;
    const operator = double ?? SINGLE[code];
    if (operator !== undefined) return this.#operator(operator);
    const char = JSON.stringify(this.#source[this.#pos] ?? "");
    return this.#fail(`illegal token: unexpected character ${char}`);
  }

  #name(): Token {
    const source = this.#source;
    const start = this.#pos;
    let end = start + 1;
    while (NAME_PART[source.charCodeAt(end)] === 1) end++;
    this.#pos = end;
    const { text, sign } = this.#known(start, end);
    return this.#other("name", start, text, sign);
  }

  /** A piece of the text as a name; one that was read before is the same string again. */
  #known(start: number, end: number): Name {
    const source = this.#source;
    const length = end - start;
    const place = (source.charCodeAt(start) * 7 + source.charCodeAt(end - 1) * 3 + length) & 63;
    const before = this.#names[place];
    if (before !== undefined && before.text.length === length && source.startsWith(before.text, start)) return before;
    const text = source.slice(start, end);
    const name: Name = { text, sign: keywordIn(text) };
    this.#names[place] = name;
    return name;
  }

  #number(): Token {
    const start = this.#pos;
    NUMBER.lastIndex = start;
    const text = NUMBER.exec(this.#source)?.[0] ?? "";
    this.#pos += text.length;
    if (/[0-9A-Za-z_]/.test(this.#source[this.#pos] ?? "")) this.#fail("illegal number format");
    const value = parseNumber(text);
    if (value === undefined) this.#fail("illegal number: too many digits");
    return { ...this.#other("eof", start, text, ""), kind: "number", value };
  }

  #string(quote: string): Token {
    const start = this.#pos;
    const gap = this.#gap;
    const [row, lineStart] = [this.#row, this.#lineStart];
    this.#pos++;
    const text = this.#chars(quote, false);
    this.#pos++;
    const token = this.#other("string", start, text, "");
    return row === this.#row ? token : { ...token, gap, row, col: start - lineStart + 1 };
  }

  #template(depth: number): Token {
    const start = this.#pos;
    const gap = this.#gap;
    const { row, col } = this.#place();
    const quote = this.#source[this.#pos + 1];
    if (quote !== '"' && quote !== "`") this.#fail('illegal token: unexpected character "$"');
    if (depth >= MAX_NESTED_TEMPLATES) this.#fail("interpolated strings are nested too deep");
    this.#pos += 2;
    const parts: TemplatePart[] = [];
    for (;;) {
      parts.push({ text: this.#chars(quote, true) });
      if (this.#source[this.#pos++] === quote) break;
      parts.push({ tokens: this.run(depth + 1, true) });
      this.#pos++;
    }
    return { ...this.#other("eof", start, "", ""), kind: "template", value: parts, gap, row, col };
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
    const found = readEscape(this.#source, this.#pos);
    if (found === undefined) this.#fail("illegal escape sequence");
    this.#pos += found.length;
    return found.text;
  }
}
