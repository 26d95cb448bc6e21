import { valueText } from "../text.ts";
import {
  compareValues,
  equalValues,
  isArray,
  lookup,
  RegoObject,
  RegoSet,
  type RegoValue,
  sizeOf,
  typeName,
} from "../values.ts";
import { bad } from "./_kit.ts";
import { sprintf } from "./_sprintf.ts";

/** A piece of a template. */
type Piece =
  | { readonly t: "text"; readonly text: string }
  | { readonly t: "show"; readonly words: readonly string[] }
  | {
      readonly t: "block";
      readonly kind: "if" | "range" | "with";
      readonly arms: readonly Arm[];
      readonly rest: readonly Piece[];
    };

interface Arm {
  readonly words: readonly string[];
  readonly body: readonly Piece[];
}

interface Token {
  readonly text: string;
  readonly action: boolean;
}

const WORD = /"(?:[^"\\]|\\.)*"|`[^`]*`|:=|[|(),]|[^\s|(),"`]+/g;
const MAX_DEPTH = 50;

/**
 * Fills a template of Go's text/template language: fields, variables, if, range, with and the common functions.
 *
 * @throws BuiltinError for missing fields and for anything else the language has.
 */
export function renderTemplate(template: string, vars: RegoObject, make: (bytes: number) => void): string {
  const tokens = tokenize(template);
  const [pieces, stop] = parse(tokens, 0, 0);
  if (stop < tokens.length) throw bad("unexpected {{end}}");
  return new Renderer(make).run(pieces, vars, new Map([["$", vars]]));
}

function tokenize(template: string): Token[] {
  const out: Token[] = [];
  let trim = false;
  for (let pos = 0; pos < template.length; ) {
    const open = template.indexOf("{{", pos);
    let text = template.slice(pos, open < 0 ? undefined : open);
    if (trim) text = text.trimStart();
    if (open < 0) {
      out.push({ text, action: false });
      break;
    }
    const close = template.indexOf("}}", open);
    if (close < 0) throw bad("unclosed action");
    let body = template.slice(open + 2, close);
    if (/^-\s/.test(body)) {
      text = text.trimEnd();
      body = body.slice(1);
    }
    trim = /\s-$/.test(body.slice(-2));
    if (trim) body = body.slice(0, -1);
    out.push({ text, action: false });
    if (!body.trim().startsWith("/*")) out.push({ text: body.trim(), action: true });
    pos = close + 2;
  }
  return out;
}

function parse(tokens: readonly Token[], start: number, depth: number): readonly [Piece[], number] {
  if (depth > MAX_DEPTH) throw bad("the template is nested too deep");
  const out: Piece[] = [];
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined) break;
    const words = token.action ? (token.text.match(WORD) ?? []) : [];
    const [first] = words;
    if (!token.action) out.push({ t: "text", text: token.text });
    else if (first === "end" || first === "else") return [out, i];
    else if (first === "if" || first === "range" || first === "with") {
      const [piece, end] = parseBlock(tokens, i, first, words.slice(1), depth + 1);
      out.push(piece);
      i = end;
    } else if (
      first === "define" ||
      first === "template" ||
      first === "block" ||
      first === "break" ||
      first === "continue"
    ) {
      throw bad(`unsupported template action ${first}`);
    } else out.push({ t: "show", words });
  }
  return [out, tokens.length];
}

function parseBlock(
  tokens: readonly Token[],
  at: number,
  kind: "if" | "range" | "with",
  words: readonly string[],
  depth: number,
): readonly [Piece, number] {
  const arms: Arm[] = [];
  let condition = words;
  let rest: readonly Piece[] = [];
  for (let start = at + 1; ; ) {
    const [body, stop] = parse(tokens, start, depth);
    const ended = tokens[stop]?.text.match(WORD) ?? [];
    arms.push({ words: condition, body });
    if (ended[0] === "end") return [{ t: "block", kind, arms, rest }, stop];
    if (ended[0] !== "else") throw bad("unexpected end of template");
    if (ended[1] === kind) {
      condition = ended.slice(2);
      start = stop + 1;
      continue;
    }
    const [other, end] = parse(tokens, stop + 1, depth);
    if (tokens[end]?.text !== "end") throw bad("unexpected end of template");
    rest = other;
    return [{ t: "block", kind, arms, rest }, end];
  }
}

type Scope = Map<string, RegoValue>;

class Renderer {
  readonly #make: (bytes: number) => void;

  constructor(make: (bytes: number) => void) {
    this.#make = make;
  }

  run(pieces: readonly Piece[], dot: RegoValue, scope: Scope): string {
    let out = "";
    for (const piece of pieces) {
      const part =
        piece.t === "text"
          ? piece.text
          : piece.t === "show"
            ? this.#show(piece.words, dot, scope)
            : this.#block(piece, dot, scope);
      this.#make(part.length + 16);
      out += part;
    }
    return out;
  }

  #show(words: readonly string[], dot: RegoValue, scope: Scope): string {
    const [name = "", sign] = words;
    if (name.startsWith("$") && (sign === ":=" || sign === "=")) {
      scope.set(name, evaluate(words.slice(2), dot, scope));
      return "";
    }
    return shown(evaluate(words, dot, scope));
  }

  #block(piece: Piece & { t: "block" }, dot: RegoValue, scope: Scope): string {
    for (const arm of piece.arms) {
      const { names, words } = declared(arm.words);
      const value = evaluate(words, dot, scope);
      const inner = new Map(scope);
      if (piece.kind === "range") {
        const parts = entriesOf(value).map(([key, item]) => {
          const [first, second] = names;
          if (first !== undefined) inner.set(first, second === undefined ? item : key);
          if (second !== undefined) inner.set(second, item);
          return this.run(arm.body, item, inner);
        });
        if (parts.length > 0) return parts.join("");
      } else if (isTrue(value)) {
        if (names[0] !== undefined) inner.set(names[0], value);
        return this.run(arm.body, piece.kind === "with" ? value : dot, inner);
      }
    }
    return this.run(piece.rest, dot, new Map(scope));
  }
}

function declared(words: readonly string[]): { names: readonly string[]; words: readonly string[] } {
  const at = words.indexOf(":=");
  if (at < 0) return { names: [], words };
  return { names: words.slice(0, at).filter((word) => word.startsWith("$")), words: words.slice(at + 1) };
}

function entriesOf(value: RegoValue): readonly (readonly [RegoValue, RegoValue])[] {
  if (value instanceof RegoObject) return value.entries();
  const items = isArray(value) ? value : value instanceof RegoSet ? value.values() : undefined;
  if (items === undefined) throw bad("range can't iterate over this value");
  return items.map((item, i) => [i, item] as const);
}

function isTrue(value: RegoValue): boolean {
  const size = typeof value === "string" ? value.length : sizeOf(value);
  return size === undefined ? value !== null && value !== false && value !== 0 : size > 0;
}

function shown(value: RegoValue): string {
  if (typeof value === "string") return value;
  if (value === null) return "<undefined>";
  if (isArray(value)) return `[${value.map(shown).join(" ")}]`;
  if (value instanceof RegoObject)
    return `map[${value
      .entries()
      .map(([k, v]) => `${shown(k)}:${shown(v)}`)
      .join(" ")}]`;
  return valueText(value);
}

/** Value of a pipeline. */
function evaluate(words: readonly string[], dot: RegoValue, scope: Scope): RegoValue {
  let input: RegoValue | undefined;
  for (const command of splitAt(words, "|")) {
    const args = operands(command, dot, scope);
    const [first = "", ...given] = args;
    const name = typeof first === "object" && first !== null && "call" in first ? first.call : undefined;
    const values = (name === undefined ? args : given)
      .map((each) => operandValue(each))
      .concat(input === undefined ? [] : [input]);
    input = name === undefined ? (values[0] ?? null) : call(name, values);
  }
  if (input === undefined) throw bad("missing value for command");
  return input;
}

type Operand = { readonly call: string } | { readonly value: RegoValue };

function operandValue(operand: Operand | string): RegoValue {
  if (typeof operand === "string") throw bad("missing operand");
  return "value" in operand ? operand.value : call(operand.call, []);
}

function splitAt(words: readonly string[], mark: string): string[][] {
  const out: string[][] = [[]];
  let depth = 0;
  for (const word of words) {
    if (word === "(") depth++;
    if (word === ")") depth--;
    if (word === mark && depth === 0) out.push([]);
    else out[out.length - 1]?.push(word);
  }
  return out;
}

function operands(words: readonly string[], dot: RegoValue, scope: Scope): Operand[] {
  const out: Operand[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word !== "(") {
      out.push(operand(word, dot, scope));
      continue;
    }
    let depth = 1;
    let end = i + 1;
    for (; end < words.length && depth > 0; end++) depth += words[end] === "(" ? 1 : words[end] === ")" ? -1 : 0;
    out.push({ value: evaluate(words.slice(i + 1, end - 1), dot, scope) });
    i = end - 1;
  }
  return out;
}

function operand(word: string, dot: RegoValue, scope: Scope): Operand {
  if (word.startsWith('"')) return { value: JSON.parse(word) as string };
  if (word.startsWith("`")) return { value: word.slice(1, -1) };
  if (word === "true" || word === "false") return { value: word === "true" };
  if (word === "nil") return { value: null };
  if (/^-?\d+(?:\.\d+)?$/.test(word)) return { value: Number(word) };
  const [head = "", ...path] = word.split(".");
  const start = head === "" ? dot : head.startsWith("$") ? scope.get(head) : undefined;
  if (start === undefined && !head.startsWith("$")) return { call: word };
  if (start === undefined) throw bad(`undefined variable ${JSON.stringify(head)}`);
  let value = start;
  for (const name of path.filter((each) => each !== "")) {
    if (!(value instanceof RegoObject)) throw bad(`can't evaluate field ${name} of a ${typeName(value)}`);
    value = value.get(name) ?? null;
  }
  return { value };
}

function call(name: string, args: readonly RegoValue[]): RegoValue {
  const [a = null, b = null] = args;
  switch (name) {
    case "print":
      return args.map(shown).join(args.some((each) => typeof each === "string") ? "" : " ");
    case "println":
      return `${args.map(shown).join(" ")}\n`;
    case "printf":
      return sprintf(String(a), args.slice(1));
    case "len":
      return typeof a === "string" ? Buffer.byteLength(a) : (sizeOf(a) ?? 0);
    case "index":
      return args.slice(1).reduce<RegoValue>((value, key) => lookup(value, key) ?? null, a);
    case "not":
      return !isTrue(a);
    case "and":
      return args.find((each) => !isTrue(each)) ?? args[args.length - 1] ?? null;
    case "or":
      return args.find(isTrue) ?? args[args.length - 1] ?? null;
    case "eq":
      return args.slice(1).some((each) => equalValues(a, each));
    case "ne":
      return !equalValues(a, b);
    case "lt":
      return compareValues(a, b) < 0;
    case "le":
      return compareValues(a, b) <= 0;
    case "gt":
      return compareValues(a, b) > 0;
    case "ge":
      return compareValues(a, b) >= 0;
    case "urlquery":
      return encodeURIComponent(args.map(shown).join("")).replaceAll("%20", "+");
    case "html":
      return args
        .map(shown)
        .join("")
        .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
    default:
      throw bad(`function ${JSON.stringify(name)} not defined`);
  }
}
