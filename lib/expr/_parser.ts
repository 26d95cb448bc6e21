import { binaryStrength, comparisons, groupsRight, negatable, predicateArity, unaryStrength } from "./_grammar.ts";
import { type Token, tokenize } from "./_lexer.ts";
import { childrenOf, type Literal, type Node, type NodeBody } from "./_nodes.ts";
import { ExprError, ExprLimitError } from "./error.ts";

const maxSource = 65_536;
const maxNodes = 10_000;
/** Deepest tree: evaluating one level costs a few frames of the stack. */
const maxDepth = 500;
/** Deepest nesting of what is being read: reading one level costs more frames. */
const maxNesting = 150;

/**
 * Read an expression as a tree.
 *
 * @throws {ExprError} where it is not of the language.
 * @throws {ExprLimitError} when it is longer than 65,536 characters, has more than 10,000 nodes, or is nested deeper
 * than 150 brackets or 500 nodes.
 */
export function parse(source: string): Node {
  if (source.length > maxSource) throw new ExprLimitError(`expression is longer than ${maxSource} characters`);
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #position = 0;
  #nesting = 0;
  #predicates = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  parse(): Node {
    const node = this.#sequence();
    if (this.#token.kind !== "EOF") throw this.#unexpected();
    return node;
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#position, this.#tokens.length - 1)] ?? { kind: "EOF", text: "", at: 0 };
  }

  #next(): Token {
    const token = this.#token;
    this.#position++;
    return token;
  }

  #is(kind: Token["kind"], text: string): boolean {
    return this.#token.kind === kind && this.#token.text === text;
  }

  #isOperator(text: string): boolean {
    return this.#is("Operator", text);
  }

  /** Pass over a sign when it comes next. */
  #skip(kind: Token["kind"], text: string): boolean {
    const isNext = this.#is(kind, text);
    if (isNext) this.#position++;
    return isNext;
  }

  #expect(kind: Token["kind"], text?: string): Token {
    if (this.#token.kind !== kind || (text !== undefined && this.#token.text !== text)) throw this.#unexpected();
    return this.#next();
  }

  #unexpected(): ExprError {
    const { kind, text, at } = this.#token;
    if (kind !== "EOF") return new ExprError(`unexpected token ${kind}(${JSON.stringify(text)})`, this.#source, at);
    return new ExprError("unexpected token EOF", this.#source, this.#source === "" ? undefined : at);
  }

  #make(at: number, body: NodeBody): Node {
    let [size, depth] = [1, 0];
    for (const child of childrenOf(body)) {
      size += child?.size ?? 0;
      depth = Math.max(depth, child?.depth ?? 0);
    }
    if (size > maxNodes) throw new ExprLimitError("expression exceeds maximum allowed nodes", this.#source, at);
    if (depth >= maxDepth) throw new ExprLimitError("expression is nested too deeply", this.#source, at);
    return { ...body, at, size, depth: depth + 1 };
  }

  /** Expressions with semicolons between them: the last one counts. */
  #sequence(): Node {
    const { at } = this.#token;
    const items = [this.#expression(0)];
    while (this.#skip("Operator", ";") && !this.#isEnd()) items.push(this.#expression(0));
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : this.#make(at, { type: "sequence", items });
  }

  #isEnd(): boolean {
    return this.#token.kind === "EOF" || this.#is("Bracket", ")") || this.#is("Bracket", "}");
  }

  #expression(strength: number): Node {
    if (++this.#nesting > maxNesting) {
      throw new ExprLimitError("expression is nested too deeply", this.#source, this.#token.at);
    }
    const node = this.#freshExpression(strength);
    this.#nesting--;
    return node;
  }

  #freshExpression(strength: number): Node {
    if (strength === 0 && this.#isOperator("let")) return this.#let();
    if (strength === 0 && this.#isOperator("if")) return this.#if();
    const node = this.#operators(this.#unary(), strength);
    return strength === 0 ? this.#ternary(node) : node;
  }

  /** All operators that bind at least so tightly, with what is to the right of them. */
  #operators(first: Node, strength: number): Node {
    let left = first;
    let before = "";
    for (let token = this.#token; token.kind === "Operator"; token = this.#token) {
      const isNegated = token.text === "not" && negatable.has(this.#tokens[this.#position + 1]?.text ?? "");
      const { text: operator, at } = isNegated ? (this.#tokens[this.#position + 1] ?? token) : token;
      const binds = Object.hasOwn(binaryStrength, operator) ? binaryStrength[operator] : undefined;
      if (binds === undefined || binds < strength) break;
      this.#position += isNegated ? 2 : 1;
      if (operator === "|") {
        left = this.#pipe(left);
        before = "";
        continue;
      }
      if (before === "??" && operator !== "??") throw this.#mixed(operator, at);
      if (comparisons.has(operator)) left = this.#comparisons(left, { operator, at, binds });
      else {
        const right = this.#expression(groupsRight.has(operator) ? binds : binds + 1);
        left = this.#make(at, { type: "binary", operator, left, right });
      }
      if (isNegated) left = this.#make(token.at, { type: "unary", operator: "not", operand: left });
      before = operator;
    }
    return left;
  }

  #mixed(operator: string, at: number): ExprError {
    const text = `Operator (${operator}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.`;
    return new ExprError(text, this.#source, at);
  }

  /** `a < b < c` says `a < b and b < c`. */
  #comparisons(first: Node, sign: { operator: string; at: number; binds: number }): Node {
    let left = first;
    let { operator, at } = sign;
    let whole: Node | undefined;
    for (;;) {
      const right = this.#expression(sign.binds + 1);
      const pair = this.#make(at, { type: "binary", operator, left, right });
      whole = whole === undefined ? pair : this.#make(at, { type: "binary", operator: "&&", left: whole, right: pair });
      if (this.#token.kind !== "Operator" || !comparisons.has(this.#token.text)) return whole;
      ({ text: operator, at } = this.#next());
      left = right;
    }
  }

  #pipe(left: Node): Node {
    const { text, at } = this.#expect("Identifier");
    const callee = this.#make(at, { type: "name", name: text });
    return this.#postfix(this.#call(callee, [left]));
  }

  #ternary(test: Node): Node {
    if (!this.#skip("Operator", "?")) return test;
    const then = this.#isOperator(":") ? test : this.#expression(0);
    this.#expect("Operator", ":");
    return this.#make(test.at, { type: "conditional", test, then, otherwise: this.#expression(0) });
  }

  #let(): Node {
    this.#next();
    const { text: name, at } = this.#expect("Identifier");
    this.#expect("Operator", "=");
    const value = this.#expression(0);
    this.#expect("Operator", ";");
    const body = this.#sequence();
    return this.#make(at, { type: "let", name, value, body });
  }

  #if(): Node {
    this.#next();
    const test = this.#expression(0);
    const then = this.#block();
    this.#expect("Operator", "else");
    const otherwise = this.#isOperator("if") ? this.#expression(0) : this.#block();
    return this.#make(test.at, { type: "conditional", test, then, otherwise });
  }

  #block(): Node {
    this.#expect("Bracket", "{");
    const body = this.#sequence();
    this.#expect("Bracket", "}");
    return body;
  }

  #unary(): Node {
    const { kind, text, at } = this.#token;
    if (kind === "Operator" && Object.hasOwn(unaryStrength, text)) {
      this.#next();
      const operand = this.#expression(unaryStrength[text] ?? 0);
      return this.#make(at, { type: "unary", operator: text, operand });
    }
    return this.#primary();
  }

  #primary(): Node {
    const token = this.#token;
    if (token.kind === "Number") return this.#literal(this.#next().number ?? 0);
    if (token.kind === "Bytes") return this.#postfix(this.#literal(this.#next().bytes ?? new Uint8Array()));
    if (token.kind === "String") return this.#postfix(this.#literal(this.#next().text));
    if (token.kind === "Identifier") return this.#named();
    if (this.#skip("Bracket", "(")) return this.#inBrackets();
    if (this.#is("Bracket", "[")) return this.#postfix(this.#list());
    if (this.#is("Bracket", "{")) return this.#postfix(this.#map());
    if (this.#skip("Operator", "::")) return this.#postfix(this.#call(this.#name(this.#expect("Identifier")), []));
    if (this.#predicates > 0 && this.#isOperator("#")) return this.#pointer();
    if (this.#predicates > 0 && this.#isOperator(".")) {
      return this.#postfix(this.#make(token.at, { type: "pointer", name: "" }));
    }
    throw this.#unexpected();
  }

  #literal(value: Literal): Node {
    const at = this.#tokens[this.#position - 1]?.at ?? 0;
    return this.#make(at, { type: "literal", value });
  }

  #name({ text, at }: Token): Node {
    return this.#make(at, { type: "name", name: text });
  }

  #named(): Node {
    const token = this.#next();
    if (token.text === "true" || token.text === "false") return this.#literal(token.text === "true");
    if (token.text === "nil") return this.#literal(null);
    const name = this.#name(token);
    return this.#postfix(this.#is("Bracket", "(") ? this.#call(name, []) : name);
  }

  #inBrackets(): Node {
    const node = this.#sequence();
    this.#expect("Bracket", ")");
    return this.#postfix(node);
  }

  /** `#`, and with a name right behind it `#index` and `#acc`. */
  #pointer(): Node {
    const { at } = this.#next();
    const isNamed = this.#token.kind === "Identifier" && this.#token.at === at + 1;
    return this.#postfix(this.#make(at, { type: "pointer", name: isNamed ? this.#next().text : "" }));
  }

  #list(): Node {
    const { at } = this.#next();
    const items: Node[] = [];
    while (!this.#is("Bracket", "]")) {
      items.push(this.#expression(0));
      if (!this.#skip("Operator", ",")) break;
    }
    this.#expect("Bracket", "]");
    return this.#make(at, { type: "list", items });
  }

  #map(): Node {
    const { at } = this.#next();
    const entries: { key: Node; value: Node }[] = [];
    while (!this.#is("Bracket", "}")) {
      const key = this.#mapKey();
      this.#expect("Operator", ":");
      entries.push({ key, value: this.#expression(0) });
      if (!this.#skip("Operator", ",")) break;
    }
    this.#expect("Bracket", "}");
    return this.#make(at, { type: "map", entries });
  }

  #mapKey(): Node {
    const { kind } = this.#token;
    if (kind === "Identifier" || kind === "String" || kind === "Number") return this.#literal(this.#next().text);
    if (this.#is("Bracket", "(")) return this.#expression(0);
    const what = "a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses";
    throw new ExprError(`${what} (${this.#unexpected().reason})`, this.#source, this.#token.at);
  }

  #call(callee: Node, given: Node[]): Node {
    this.#expect("Bracket", "(");
    const arity = callee.type === "name" ? predicateArity(callee.name) : undefined;
    const most = arity?.[1] ?? Number.POSITIVE_INFINITY;
    const list = [...given];
    while (!this.#is("Bracket", ")")) {
      list.push(arity !== undefined && list.length === 1 ? this.#predicate() : this.#expression(0));
      if (!this.#skip("Operator", ",") || list.length >= most) break;
    }
    this.#expect("Bracket", ")");
    return this.#make(callee.at, { type: "call", callee, arguments: list });
  }

  #predicate(): Node {
    this.#predicates++;
    const { at } = this.#token;
    const body = this.#is("Bracket", "{") ? this.#block() : this.#expression(0);
    this.#predicates--;
    return this.#make(at, { type: "predicate", body });
  }

  /** What follows a value: fields, indexes, slices and calls of methods. */
  #postfix(first: Node): Node {
    let node = first;
    for (;;) {
      if (this.#isOperator(".") || this.#isOperator("?.")) node = this.#member(node);
      else if (this.#is("Bracket", "[")) node = this.#index(node, false);
      else return node;
    }
  }

  #member(object: Node): Node {
    const isOptional = this.#next().text === "?.";
    if (isOptional && this.#is("Bracket", "[")) return this.#index(object, true);
    const { text, at } = this.#expect("Identifier");
    const key = this.#make(at, { type: "literal", value: text });
    const member = this.#make(at, { type: "member", object, key, isOptional, isField: true });
    return this.#is("Bracket", "(") ? this.#call(member, []) : member;
  }

  #index(object: Node, isOptional: boolean): Node {
    const { at } = this.#next();
    const from = this.#isOperator(":") ? undefined : this.#expression(0);
    if (from !== undefined && this.#skip("Bracket", "]")) {
      return this.#make(at, { type: "member", object, key: from, isOptional, isField: false });
    }
    this.#expect("Operator", ":");
    const to = this.#is("Bracket", "]") ? undefined : this.#expression(0);
    this.#expect("Bracket", "]");
    return this.#make(at, { type: "slice", object, from, to });
  }
}
