import { TemplateError } from "./error.ts";
import { cutTemplate, LexError, type Part, type Token } from "./lex.ts";
import type { BlockPiece, Command, Piece, Pipeline, Word } from "./tree.ts";

/** A template that was read. */
export interface Template {
  /** What errors call it. */
  readonly name: string;
  readonly text: string;
  readonly pieces: readonly Piece[];
}

const maxDepth = 50;

/**
 * Read a template.
 *
 * @param hasFunction Whether there is a function of a name.
 * @throws {TemplateError} `template: NAME:LINE: …`
 */
export function parseTemplate(name: string, text: string, hasFunction: (name: string) => boolean): Template {
  try {
    return { name, text, pieces: new Parser(cutTemplate(text), hasFunction).all() };
  } catch (error) {
    if (!(error instanceof LexError)) throw error;
    const line = text.slice(0, error.at).split("\n").length;
    throw new TemplateError(`template: ${name}:${line}: ${error.message}`, error.message, { cause: error });
  }
}

const unsupported = ["define", "template", "block", "break", "continue"];

class Parser {
  readonly #parts: readonly Part[];
  readonly #hasFunction: (name: string) => boolean;
  #next = 0;

  constructor(parts: readonly Part[], hasFunction: (name: string) => boolean) {
    this.#parts = parts;
    this.#hasFunction = hasFunction;
  }

  all(): Piece[] {
    const { pieces, end } = this.#list(0);
    if (end !== undefined) throw new LexError(`unexpected {{${end.words[0]?.text ?? ""}}}`, end.start);
    return pieces;
  }

  /** Pieces up to an `end` or `else`, which is taken as well. */
  #list(depth: number): { pieces: Piece[]; end?: { words: readonly Token[]; start: number } } {
    if (depth > maxDepth) throw new LexError("the template is nested too deep", 0);
    const pieces: Piece[] = [];
    for (let part = this.#parts[this.#next++]; part !== undefined; part = this.#parts[this.#next++]) {
      if ("text" in part) {
        if (part.text !== "") pieces.push({ kind: "text", text: part.text });
        continue;
      }
      const { tokens, start } = part;
      const [first] = tokens;
      const word = first?.kind === "word" ? first.text : "";
      if (word === "end" || word === "else") return { pieces, end: { words: tokens, start } };
      if (unsupported.includes(word)) throw new LexError(`unsupported template action ${word}`, start);
      if (word === "if" || word === "range" || word === "with") pieces.push(this.#block(word, tokens, start, depth));
      else pieces.push({ kind: "action", pipeline: this.#pipeline(tokens, start) });
    }
    return { pieces };
  }

  #block(word: BlockPiece["word"], tokens: readonly Token[], start: number, depth: number): BlockPiece {
    const arms: { pipeline: Pipeline; body: Piece[] }[] = [];
    let condition = tokens.slice(1);
    for (;;) {
      const pipeline = this.#pipeline(condition, start);
      const { pieces: body, end } = this.#list(depth + 1);
      arms.push({ pipeline, body });
      if (end === undefined) throw new LexError("unexpected EOF", start);
      const [first, second] = end.words;
      if (first?.text === "end") return { kind: "block", word, arms, rest: [] };
      if (second === undefined) return { kind: "block", word, arms, rest: this.#rest(start, depth) };
      if (second.text !== word) throw new LexError(`unexpected ${second.text} in else`, end.start);
      condition = end.words.slice(2);
    }
  }

  #rest(start: number, depth: number): Piece[] {
    const { pieces, end } = this.#list(depth + 1);
    if (end === undefined) throw new LexError("unexpected EOF", start);
    if (end.words[0]?.text !== "end") throw new LexError("expected end; found {{else}}", end.start);
    return pieces;
  }

  #pipeline(tokens: readonly Token[], start: number): Pipeline {
    const reader = new PipelineReader(tokens, start, this.#hasFunction);
    const pipeline = reader.pipeline(0);
    reader.expectEnd();
    return pipeline;
  }
}

class PipelineReader {
  readonly #tokens: readonly Token[];
  readonly #start: number;
  readonly #hasFunction: (name: string) => boolean;
  #next = 0;

  constructor(tokens: readonly Token[], start: number, hasFunction: (name: string) => boolean) {
    this.#tokens = tokens;
    this.#start = start;
    this.#hasFunction = hasFunction;
  }

  pipeline(depth: number): Pipeline {
    if (depth > maxDepth) throw new LexError("the template is nested too deep", this.#start);
    const variables = this.#variables();
    const commands: Command[] = [];
    do commands.push(this.#command(depth));
    while (this.#take("|"));
    return { variables, commands };
  }

  expectEnd(): void {
    const token = this.#tokens[this.#next];
    if (token !== undefined) throw new LexError(`unexpected ${JSON.stringify(token.text)} in command`, token.start);
  }

  #variables(): string[] {
    const at = this.#tokens.findIndex(({ text }) => text === ":=" || text === "=");
    const names = this.#tokens.slice(0, at).filter(({ kind }) => kind === "variable");
    if (this.#next > 0 || at < 1 || at > 3 || names.length === 0) return [];
    this.#next = at + 1;
    return names.map(({ text }) => text);
  }

  #command(depth: number): Command {
    const words: Word[] = [];
    for (let token = this.#tokens[this.#next]; token !== undefined; token = this.#tokens[this.#next]) {
      if (token.kind === "sign" && token.text !== "(") break;
      this.#next++;
      words.push(token.text === "(" ? this.#nested(token, depth) : this.#word(token));
    }
    const [first, last] = [words[0], words.at(-1)];
    if (first === undefined || last === undefined) throw new LexError("missing value for command", this.#start);
    return { words, start: first.start, end: last.end };
  }

  #nested(open: Token, depth: number): Word {
    const outer = new PipelineReader(this.#tokens.slice(this.#next), open.start, this.#hasFunction);
    const pipeline = outer.pipeline(depth + 1);
    this.#next += outer.#next;
    if (!this.#take(")")) throw new LexError("unclosed left paren", open.start);
    const close = this.#tokens[this.#next - 1];
    const end = close?.end ?? open.end;
    const field = this.#tokens[this.#next];
    if (field?.kind !== "field" || field.start !== end) {
      return { kind: "pipeline", pipeline, path: [], start: open.start, end };
    }
    this.#next++;
    return { kind: "pipeline", pipeline, path: pathOf(field.text), start: open.start, end: field.end };
  }

  #word({ kind, text, start, end }: Token): Word {
    const span = { start, end };
    switch (kind) {
      case "string":
        return { ...span, kind: "literal", value: unquoted(text, start) };
      case "number":
        return { ...span, kind: "literal", value: numberOf(text) };
      case "field":
        return { ...span, kind: "field", path: pathOf(text) };
      case "variable": {
        const [name = "$", ...path] = text.split(".");
        return { ...span, kind: "variable", name, path };
      }
      default:
        return this.#named(text, span);
    }
  }

  #named(text: string, span: { start: number; end: number }): Word {
    if (text === "true" || text === "false") return { ...span, kind: "literal", value: text === "true" };
    if (text === "nil") return { ...span, kind: "literal", value: null };
    if (!this.#hasFunction(text)) throw new LexError(`function ${JSON.stringify(text)} not defined`, span.start);
    return { ...span, kind: "function", name: text };
  }

  #take(sign: string): boolean {
    const token = this.#tokens[this.#next];
    if (token?.kind !== "sign" || token.text !== sign) return false;
    this.#next++;
    return true;
  }
}

function pathOf(text: string): string[] {
  return text.split(".").filter((name) => name !== "");
}

/** Whole numbers are bigints, all others floats: Go tells them apart. */
function numberOf(text: string): number | bigint {
  if (!/^[+-]?(0[xX][\da-fA-F]+|\d+)$/.test(text)) return Number(text);
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace("+", ""));
}

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
};

function unquoted(text: string, at: number): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  return text.slice(1, -1).replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)/g, (_, code: string) => {
    const plain = escapes[code];
    if (plain !== undefined) return plain;
    const point = code.length > 1 ? Number.parseInt(code.slice(1), 16) : Number.NaN;
    if (!(point <= 0x10ffff)) throw new LexError("invalid syntax in quoted string", at);
    return String.fromCodePoint(point);
  });
}
