import { Cursor } from "./_cursor.ts";
import type { CallTerm, Expr, ExprKind, RefTerm, Term, VarTerm, WithModifier } from "./ast.ts";
import type { Token } from "./lexer.ts";

const ABOVE_OR = 4;
const NO_WITHS: readonly WithModifier[] = [];

/** Parses terms, expressions and bodies. */
export class TermParser extends Cursor {
  /** Whether `not` opens a scope of its own (`import future.keywords.not`). */
  scopedNot = false;

  /** Expressions up to, not including, the closing token. */
  body(close: "}" | "]"): Expr[] {
    const out: Expr[] = [];
    while (!this.isOp(close)) {
      out.push(this.expr());
      if (this.isOp(close)) break;
      if (!this.takeOp(";") && this.token.gap !== 2) this.unexpected(`\\n or ; or ${close}`);
    }
    if (out.length === 0) this.fail("found empty body");
    return out;
  }

  bracedBody(): Expr[] {
    this.enter();
    this.expectOp("{");
    const body = this.body("}");
    this.expectOp("}");
    this.leave();
    return body;
  }

  expr(): Expr {
    const first = this.token;
    const negated = this.takeKeyword("not");
    this.enter();
    const kind = this.#kind(negated);
    this.leave();
    const withs = this.isKeyword("with") ? this.#withs() : NO_WITHS;
    const text = this.source.slice(first.start, this.previous.end);
    return { kind, negated, withs, at: this.place(first), text };
  }

  #kind(negated: boolean): ExprKind {
    if (negated && this.scopedNot && this.isOp("{")) return { k: "body", body: this.bracedBody() };
    if (this.takeKeyword("some")) return this.#some();
    if (this.takeKeyword("every")) return this.#every();
    const left = this.membership();
    if (this.takeOp("=")) return { k: "unify", left, right: this.membership() };
    if (this.takeOp(":=")) return { k: "assign", left, right: this.membership() };
    return { k: "term", term: left };
  }

  #withs(): WithModifier[] {
    const out: WithModifier[] = [];
    while (this.isKeyword("with")) out.push(this.#with());
    return out;
  }

  #with(): WithModifier {
    const at = this.place(this.advance());
    const target = this.#term();
    if (!this.takeKeyword("as")) this.unexpected("as keyword");
    return { target, value: this.infix(1), at };
  }

  #some(): ExprKind {
    const terms = [this.infix(2)];
    while (this.takeOp(",")) terms.push(this.infix(2));
    if (this.takeKeyword("in")) {
      const [first, second] = terms;
      if (first === undefined || terms.length > 2) this.fail("unexpected number of variables in some");
      const domain = this.infix(2);
      if (second === undefined) return { k: "someIn", key: undefined, value: first, domain };
      return { k: "someIn", key: first, value: second, domain };
    }
    const vars = terms.filter((term): term is VarTerm => term.t === "var");
    if (vars.length !== terms.length) this.fail("expected variables after some");
    return { k: "some", vars };
  }

  #every(): ExprKind {
    const first = this.#term();
    const second = this.takeOp(",") ? this.#term() : undefined;
    if (!this.takeKeyword("in")) this.unexpected("in keyword");
    const domain = this.infix(2);
    const body = this.bracedBody();
    if (second === undefined) return { k: "every", key: undefined, value: first, domain, body };
    return { k: "every", key: first, value: second, domain, body };
  }

  /** An operand that may be `key, value in collection`. */
  membership(): Term {
    const left = this.infix(1);
    if (!this.isOp(",") || !this.keywords.has("in")) return left;
    const at = this.place();
    this.advance();
    const value = this.infix(2);
    if (!this.takeKeyword("in")) this.unexpected("in keyword");
    return this.#climb(infixCall("internal.member_3", [left, value, this.infix(2)], at), 1);
  }

  /** Operators that bind at least as tight as the level. */
  infix(level: number): Term {
    this.enter();
    const term = this.#climb(this.#term(), level);
    this.leave();
    return term;
  }

  #climb(start: Term, level: number): Term {
    let left = start;
    for (;;) {
      if (level <= 1 && this.isKeyword("in")) {
        const at = this.place(this.advance());
        left = infixCall("internal.member_2", [left, this.infix(2)], at);
        continue;
      }
      const { token } = this;
      const infix = token.kind === "op" ? token.value : undefined;
      if (infix === undefined || infix.level < level) return left;
      this.advance();
      left = infixCall(infix.name, [left, this.infix(infix.level + 1)], left.at);
    }
  }

  #term(): Term {
    const token = this.token;
    const at = this.place();
    switch (token.kind) {
      case "number":
        this.advance();
        return { t: "scalar", value: token.value, at };
      case "string":
        this.advance();
        return this.#path({ t: "scalar", value: token.text, at });
      case "template":
        this.advance();
        return { t: "template", parts: token.value.map((p) => ("text" in p ? p.text : this.#spliced(p.tokens))), at };
      case "name":
        return this.#path(this.#named());
      case "op":
        return this.#path(this.#bracketed());
      default:
        return this.unexpected();
    }
  }

  #spliced(tokens: readonly Token[]): Expr {
    return this.over(tokens, () => {
      if (this.atEnd()) this.fail("invalid template-string expression: empty expression");
      const expr = this.expr();
      if (!this.atEnd()) this.unexpected();
      return expr;
    });
  }

  #named(): Term {
    const at = this.place();
    if (!this.isName()) {
      if (this.takeKeyword("true")) return { t: "scalar", value: true, at };
      if (this.takeKeyword("false")) return { t: "scalar", value: false, at };
      if (this.takeKeyword("null")) return { t: "scalar", value: null, at };
      this.unexpected();
    }
    return { t: "var", name: this.advance().text, at };
  }

  #bracketed(): Term {
    if (this.isOp("[")) return this.#array();
    if (this.isOp("{")) return this.#braces();
    if (this.isOp("-")) return this.#negative();
    if (!this.takeOp("(")) this.unexpected();
    this.enter();
    const inner = this.membership();
    this.leave();
    this.expectOp(")");
    return inner;
  }

  #negative(): Term {
    const at = this.place(this.advance());
    const { token } = this;
    if (token.kind !== "number" || token.gap !== 0) this.unexpected("number");
    this.advance();
    return { t: "scalar", value: -token.value || 0, at };
  }

  #array(): Term {
    const at = this.place(this.advance());
    if (this.takeOp("]")) return { t: "array", items: [], at };
    const value = this.infix(ABOVE_OR);
    if (this.takeOp("|")) {
      this.enter();
      const body = this.body("]");
      this.leave();
      this.expectOp("]");
      return { t: "compr", kind: "array", key: undefined, value, body, at };
    }
    return { t: "array", items: this.#items(this.#climb(value, 1), "]"), at };
  }

  #items(first: Term, close: string): Term[] {
    const items = [first];
    while (!this.takeOp(close)) {
      if (!this.takeOp(",")) this.unexpected(`, or ${close} token`);
      if (this.takeOp(close)) break;
      items.push(this.infix(1));
    }
    return items;
  }

  #braces(): Term {
    const at = this.place(this.advance());
    if (this.takeOp("}")) return { t: "object", pairs: [], at };
    const first = this.infix(ABOVE_OR);
    if (this.takeOp("|")) {
      const body = this.#comprehensionBody();
      return { t: "compr", kind: "set", key: undefined, value: first, body, at };
    }
    const climbed = this.#climb(first, 1);
    if (!this.takeOp(":")) return { t: "set", items: this.#items(climbed, "}"), at };
    const value = this.infix(ABOVE_OR);
    if (this.takeOp("|")) {
      return { t: "compr", kind: "object", key: climbed, value, body: this.#comprehensionBody(), at };
    }
    return { t: "object", pairs: this.#pairs([climbed, this.#climb(value, 1)]), at };
  }

  #comprehensionBody(): Expr[] {
    this.enter();
    const body = this.body("}");
    this.leave();
    this.expectOp("}");
    return body;
  }

  #pairs(first: readonly [Term, Term]): (readonly [Term, Term])[] {
    const pairs = [first];
    while (!this.takeOp("}")) {
      if (!this.takeOp(",")) this.unexpected(", or } token");
      if (this.takeOp("}")) break;
      const key = this.infix(1);
      this.expectOp(":");
      pairs.push([key, this.infix(1)]);
    }
    return pairs;
  }

  #path(head: Term): Term {
    let out = head;
    let steps: Term[] | undefined;
    for (;;) {
      const { sign: op, gap } = this.token;
      if (gap !== 0) return out;
      if (op === "." || op === "[") {
        if (steps === undefined) {
          steps = out.t === "ref" ? [...out.path] : [];
          out = { t: "ref", head: out.t === "ref" ? out.head : out, path: steps, at: out.at };
        }
        steps.push(this.#step());
      } else if (op === "(" && (out.t === "var" || out.t === "ref")) {
        out = this.#call(out);
        steps = undefined;
      } else return out;
    }
  }

  #step(): Term {
    if (this.takeOp(".")) {
      const token = this.token;
      if (token.kind !== "name") this.unexpected("name");
      this.advance();
      return { t: "scalar", value: token.text, at: this.place(token) };
    }
    this.expectOp("[");
    const index = this.infix(1);
    this.expectOp("]");
    return index;
  }

  #call(callee: VarTerm | RefTerm): Term {
    const name = this.#calleeName(callee);
    this.expectOp("(");
    const args = this.takeOp(")") ? [] : this.#items(this.infix(1), ")");
    if (name.length === 1 && name[0] === "set" && args.length === 0) return { t: "set", items: [], at: callee.at };
    return { t: "call", name, args, at: callee.at, infix: false };
  }

  #calleeName(callee: VarTerm | RefTerm): string[] {
    if (callee.t === "var") return [callee.name];
    const name = callee.head.t === "var" ? [callee.head.name] : this.fail("expected function name");
    for (const step of callee.path) {
      if (step.t !== "scalar" || typeof step.value !== "string") this.fail("expected function name");
      name.push(step.value);
    }
    return name;
  }

  /** Reference of a rule head: a name and the steps behind it. */
  headRef(): Term[] {
    if (!this.isName()) this.unexpected("rule name");
    const token = this.advance();
    const out: Term[] = [{ t: "var", name: token.text, at: this.place(token) }];
    while (this.isTightOp(".") || this.isTightOp("[")) out.push(this.#step());
    return out;
  }

  /** Arguments of a function head; a function without arguments is a plain rule. */
  headArgs(): Term[] | undefined {
    if (!this.isTightOp("(")) return undefined;
    this.advance();
    return this.takeOp(")") ? undefined : this.#items(this.infix(1), ")");
  }
}

function infixCall(name: string, args: Term[], at: CallTerm["at"]): CallTerm {
  return { t: "call", name: [name], args, at, infix: true };
}
