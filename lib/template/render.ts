import { TemplateError, TemplateFault } from "./error.ts";
import type { Template } from "./parse.ts";
import type { BlockPiece, Command, Piece, Pipeline, Span, Word } from "./tree.ts";

/** What values are, and what can be done with them. Faults are thrown as {@link TemplateFault}. */
export interface TemplateModel<V> {
  /** A value that stands in the template; whole numbers are bigints. */
  literal(value: string | boolean | null | number | bigint): V;
  /** Whether a value counts as true: not empty, not zero. */
  isTrue(value: V): boolean;
  /** A value as text. */
  show(value: V): string;
  /** A field of a value. */
  field(value: V, name: string): V;
  /** What a range goes over: keys or indexes, with their items. */
  entries(value: V): readonly (readonly [V, V])[];
  /** Check the number of arguments before they are looked at. */
  checkCall?(name: string, count: number): void;
  call(name: string, args: readonly V[]): V;
  /** Told how many characters were made, so that it may stop what takes too much. */
  made?(characters: number): void;
}

/**
 * Fill a template in.
 *
 * @param dot The value at hand, also known as `$`.
 * @throws {TemplateError} `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …`; what the model throws otherwise
 * passes.
 */
export function renderTemplate<V>(template: Template, model: TemplateModel<V>, dot: V): string {
  return new Renderer(template, model).render(dot);
}

type Scope<V> = Map<string, V>;

class Renderer<V> {
  readonly #template: Template;
  readonly #model: TemplateModel<V>;
  #at: Span = { start: 0, end: 0 };

  constructor(template: Template, model: TemplateModel<V>) {
    this.#template = template;
    this.#model = model;
  }

  render(dot: V): string {
    try {
      return this.#run(this.#template.pieces, dot, new Map([["$", dot]]));
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error;
      const { name, text } = this.#template;
      const { start, end } = this.#at;
      const before = text.slice(0, start).split("\n");
      const column = Buffer.byteLength(before.at(-1) ?? "");
      const place = `template: ${name}:${before.length}:${column}: executing "${name}" at <${text.slice(start, end)}>`;
      throw new TemplateError(`${place}: ${error.message}`, error.message, { cause: error });
    }
  }

  #run(pieces: readonly Piece[], dot: V, scope: Scope<V>): string {
    let out = "";
    for (const piece of pieces) {
      const part =
        piece.kind === "text"
          ? piece.text
          : piece.kind === "action"
            ? this.#action(piece.pipeline, dot, scope)
            : this.#block(piece, dot, scope);
      this.#model.made?.(part.length + 16);
      out += part;
    }
    return out;
  }

  #action(pipeline: Pipeline, dot: V, scope: Scope<V>): string {
    const value = this.#evaluate(pipeline, dot, scope);
    const [name] = pipeline.variables;
    if (name === undefined) return this.#model.show(value);
    scope.set(name, value);
    return "";
  }

  #block(piece: BlockPiece, dot: V, scope: Scope<V>): string {
    for (const { pipeline, body } of piece.arms) {
      const value = this.#evaluate(pipeline, dot, scope);
      const inner = new Map(scope);
      if (piece.word === "range") {
        const parts = this.#range(pipeline.variables, body, value, inner);
        if (parts.length > 0) return parts.join("");
      } else if (this.#model.isTrue(value)) {
        const [name] = pipeline.variables;
        if (name !== undefined) inner.set(name, value);
        return this.#run(body, piece.word === "with" ? value : dot, inner);
      }
    }
    return this.#run(piece.rest, dot, new Map(scope));
  }

  #range([first, second]: readonly string[], body: readonly Piece[], value: V, scope: Scope<V>): string[] {
    return this.#model.entries(value).map(([key, item]) => {
      if (first !== undefined) scope.set(first, second === undefined ? item : key);
      if (second !== undefined) scope.set(second, item);
      return this.#run(body, item, scope);
    });
  }

  #evaluate({ commands }: Pipeline, dot: V, scope: Scope<V>): V {
    let input: V[] = [];
    for (const command of commands) input = [this.#command(command, input, dot, scope)];
    const [value] = input;
    // A pipeline has a command, or it would not have been read.
    return value === undefined ? this.#model.literal(null) : value;
  }

  #command(command: Command, input: readonly V[], dot: V, scope: Scope<V>): V {
    const [first, ...rest] = command.words;
    if (first?.kind !== "function") return this.#operand(first, rest, input, dot, scope);
    this.#at = first;
    this.#model.checkCall?.(first.name, rest.length + input.length);
    const given = rest.map((word) => this.#word(word, dot, scope));
    if (given.length === 0) this.#at = first;
    return this.#call(first.name, [...given, ...input], command);
  }

  #operand(first: Word | undefined, rest: readonly Word[], input: readonly V[], dot: V, scope: Scope<V>): V {
    if (first === undefined) throw new TemplateFault("missing value for command");
    this.#at = first;
    if (rest.length > 0 || input.length > 0) {
      throw new TemplateFault(`can't give argument to non-function ${this.#text(first)}`);
    }
    return this.#word(first, dot, scope);
  }

  #call(name: string, args: readonly V[], command: Span): V {
    try {
      return this.#model.call(name, args);
    } catch (error) {
      // Faults of the function itself are told of the command, those of an argument where it stands.
      if (error instanceof TemplateFault && error.message.startsWith("error calling")) this.#at = command;
      throw error;
    }
  }

  #word(word: Word, dot: V, scope: Scope<V>): V {
    this.#at = word;
    switch (word.kind) {
      case "literal":
        return this.#model.literal(word.value);
      case "field":
        return this.#fields(dot, word.path);
      case "variable": {
        const value = scope.get(word.name);
        if (value === undefined) throw new TemplateFault(`undefined variable ${JSON.stringify(word.name)}`);
        return this.#fields(value, word.path);
      }
      case "function":
        this.#model.checkCall?.(word.name, 0);
        return this.#call(word.name, [], word);
      case "pipeline":
        return this.#fields(this.#evaluate(word.pipeline, dot, scope), word.path);
    }
  }

  #fields(value: V, path: readonly string[]): V {
    return path.reduce((found, name) => this.#model.field(found, name), value);
  }

  #text({ start, end }: Span): string {
    return this.#template.text.slice(start, end);
  }
}
