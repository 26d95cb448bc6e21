import { readEscape } from "./_escape.ts";
import { parseNumber } from "./_scalars.ts";
import { RegoObject, type RegoValue } from "./values.ts";

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const MAX_DEPTH = 500;

/**
 * Parses JSON text into values of the language, integers of any length exactly.
 *
 * @throws SyntaxError when the text is no JSON document or nested beyond 500 levels.
 */
export function parseJson(text: string): RegoValue {
  const reader = new JsonReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class JsonReader {
  readonly #text: string;
  #pos = 0;

  constructor(text: string) {
    this.#text = text;
  }

  #fail(what: string): never {
    throw new SyntaxError(`Cannot read JSON: ${what} at offset ${this.#pos}`);
  }

  #skip(): string {
    for (;;) {
      const char = this.#text.charCodeAt(this.#pos);
      if (char !== 32 && char !== 10 && char !== 13 && char !== 9) return this.#text[this.#pos] ?? "";
      this.#pos++;
    }
  }

  end(): void {
    if (this.#skip() !== "") this.#fail("unexpected text");
  }

  value(depth: number): RegoValue {
    if (depth > MAX_DEPTH) this.#fail("nested too deep");
    const char = this.#skip();
    if (char === "{") return this.#object(depth);
    if (char === "[") return this.#array(depth);
    if (char === '"') return this.#string();
    if (this.#word("true")) return true;
    if (this.#word("false")) return false;
    if (this.#word("null")) return null;
    return this.#number();
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#pos)) return false;
    this.#pos += word.length;
    return true;
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#pos;
    const text = NUMBER.exec(this.#text)?.[0];
    const value = text === undefined ? undefined : parseNumber(text);
    if (text === undefined || value === undefined) this.#fail("unexpected character");
    this.#pos += text.length;
    return value;
  }

  #array(depth: number): RegoValue {
    const out: RegoValue[] = [];
    this.#pos++;
    if (this.#skip() === "]") {
      this.#pos++;
      return out;
    }
    for (;;) {
      out.push(this.value(depth + 1));
      if (this.#next("]")) return out;
    }
  }

  #object(depth: number): RegoValue {
    const out = new RegoObject();
    this.#pos++;
    if (this.#skip() === "}") {
      this.#pos++;
      return out;
    }
    for (;;) {
      if (this.#skip() !== '"') this.#fail("object key expected");
      const key = this.#string();
      if (this.#skip() !== ":") this.#fail("colon expected");
      this.#pos++;
      out.set(key, this.value(depth + 1));
      if (this.#next("}")) return out;
    }
  }

  #next(close: string): boolean {
    const char = this.#skip();
    this.#pos++;
    if (char === close) return true;
    if (char !== ",") this.#fail(`, or ${close} expected`);
    return false;
  }

  #string(): string {
    let out = "";
    this.#pos++;
    for (;;) {
      out += this.#plain();
      const char = this.#text[this.#pos];
      if (char === '"') {
        this.#pos++;
        return out;
      }
      if (char !== "\\") this.#fail("unterminated string");
      out += this.#escape();
    }
  }

  /** Characters up to the next quote, backslash or control character. */
  #plain(): string {
    const start = this.#pos;
    for (let code = this.#text.charCodeAt(start); code >= 32 && code !== 34 && code !== 92; ) {
      code = this.#text.charCodeAt(++this.#pos);
    }
    return this.#text.slice(start, this.#pos);
  }

  #escape(): string {
    const found = readEscape(this.#text, this.#pos);
    if (found === undefined) this.#fail("bad escape");
    this.#pos += found.length;
    return found.text;
  }
}
