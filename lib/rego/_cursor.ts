import { RegoError, type RegoPlace } from "./errors.ts";
import type { Token } from "./lexer.ts";

const MAX_DEPTH = 250;

/** Names that are keywords in every dialect. */
export const BASE_KEYWORDS: ReadonlySet<string> = new Set(
  "as default else false import package not null true with some".split(" "),
);

/** Keywords that came later: on in v1, switched on by imports in v0. */
export const FUTURE_KEYWORDS: readonly string[] = ["in", "every", "if", "contains"];

/** A place in the list of tokens to go back to. */
export interface Mark {
  readonly index: number;
  readonly depth: number;
}

/** Reads a list of tokens from front to back. */
export class Cursor {
  readonly source: string;
  readonly filename: string;
  readonly keywords: Set<string>;
  #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(source: string, filename: string, tokens: readonly Token[], keywords: Iterable<string>) {
    this.source = source;
    this.filename = filename;
    this.#tokens = tokens;
    this.keywords = new Set(keywords);
    this.token = this.#at(0);
  }

  /** The token about to be read. */
  token: Token;

  /** The token read last. */
  get previous(): Token {
    return this.#at(Math.max(0, this.#index - 1));
  }

  /** The token after the next. */
  get following(): Token {
    return this.#at(this.#index + 1);
  }

  #at(index: number): Token {
    const token = this.#tokens[Math.min(index, this.#tokens.length - 1)];
    if (token === undefined) throw new RangeError("Cannot read a token: the list is empty");
    return token;
  }

  atEnd(): boolean {
    return this.token.kind === "eof";
  }

  advance(): Token {
    const { token } = this;
    const next = this.#tokens[this.#index + 1];
    if (next !== undefined) {
      this.#index++;
      this.token = next;
    }
    return token;
  }

  place(token: Token = this.token): RegoPlace {
    return token;
  }

  fail(message: string, token: Token = this.token): never {
    throw RegoError.at("rego_parse_error", message, this.place(token));
  }

  unexpected(wanted?: string): never {
    const { kind, text } = this.token;
    const found = kind === "eof" ? "end of text" : kind === "op" ? `${text} token` : `${kind} ${JSON.stringify(text)}`;
    this.fail(wanted === undefined ? `unexpected ${found}` : `unexpected ${found}: expected ${wanted}`);
  }

  isOp(text: string): boolean {
    return this.token.sign === text;
  }

  /** Whether the next token is this operator with nothing before it. */
  isTightOp(text: string): boolean {
    return this.token.sign === text && this.token.gap === 0;
  }

  takeOp(text: string): boolean {
    if (this.token.sign !== text) return false;
    this.advance();
    return true;
  }

  expectOp(text: string): Token {
    if (!this.isOp(text)) this.unexpected(`${text} token`);
    return this.advance();
  }

  /** Whether the next token is this keyword, and not the head of a reference such as `default.rule`. */
  isKeyword(word: string): boolean {
    return this.token.sign === word && this.#known(word) && !this.#headsPath();
  }

  takeKeyword(word: string): boolean {
    if (!this.isKeyword(word)) return false;
    this.advance();
    return true;
  }

  /** Whether the next token is a name that may stand for a variable. */
  isName(): boolean {
    const { kind, sign } = this.token;
    if (kind !== "name") return false;
    if (sign === "" || this.#headsPath()) return true;
    if (sign === "contains" && this.following.sign === "(") return true;
    return !this.#known(sign);
  }

  #known(word: string): boolean {
    return BASE_KEYWORDS.has(word) || this.keywords.has(word);
  }

  #headsPath(): boolean {
    const { sign, gap } = this.following;
    return sign === "." && gap === 0;
  }

  /** Begins a nested piece of parsing, refusing texts that are nested beyond reason. */
  enter(): void {
    if (++this.#depth > MAX_DEPTH) this.fail(`the text is nested deeper than ${MAX_DEPTH} levels`);
  }

  /** Ends a nested piece of parsing. */
  leave(): void {
    this.#depth--;
  }

  /** Where reading is now, for {@link reset}. */
  mark(): Mark {
    return { index: this.#index, depth: this.#depth };
  }

  /** Goes back to a mark. */
  reset({ index, depth }: Mark): void {
    this.#index = index;
    this.#depth = depth;
    this.token = this.#at(index);
  }

  /** Runs a piece of parsing over another list of tokens. */
  over<T>(tokens: readonly Token[], run: () => T): T {
    const saved = [this.#tokens, this.#index] as const;
    this.#tokens = tokens;
    this.#index = 0;
    this.token = this.#at(0);
    try {
      return run();
    } finally {
      [this.#tokens, this.#index] = saved;
      this.token = this.#at(this.#index);
    }
  }
}
