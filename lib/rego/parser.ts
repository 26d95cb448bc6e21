import { FUTURE_KEYWORDS } from "./_cursor.ts";
import { TermParser } from "./_terms.ts";
import type { Expr, Import, Module, RegoDialect, Rule, RuleBranch, Term } from "./ast.ts";
import { NOWHERE, RegoError, type RegoProblem } from "./errors.ts";
import { tokenize } from "./lexer.ts";

/** Parses a policy text in one dialect; `import rego.v1` selects v1 whatever was asked for. */
export function parseModule(source: string, filename: string, dialect: RegoDialect): Module {
  return new ModuleParser(source, filename, dialect).module();
}

/** Parses a query: the body of a rule without braces. */
export function parseQuery(query: string): readonly Expr[] {
  const parser = new TermParser(query, "query", tokenize(query, "query"), FUTURE_KEYWORDS);
  const out: Expr[] = [];
  while (!parser.atEnd()) {
    out.push(parser.expr());
    if (!parser.atEnd() && !parser.takeOp(";") && parser.token.gap !== 2) parser.unexpected();
  }
  if (out.length === 0) parser.fail("found empty query");
  return out;
}

const NO_BRANCHES: readonly RuleBranch[] = [];

class ModuleParser extends TermParser {
  #dialect: RegoDialect;
  readonly #problems: RegoProblem[] = [];
  readonly #imports: Import[] = [];

  constructor(source: string, filename: string, dialect: RegoDialect) {
    super(source, filename, tokenize(source, filename), dialect === "v1" ? FUTURE_KEYWORDS : []);
    this.#dialect = dialect;
  }

  module(): Module {
    if (this.atEnd()) throw RegoError.at("rego_parse_error", "empty module", { ...NOWHERE, filename: this.filename });
    const packageRow = this.token.row;
    const packagePath = this.#package();
    while (this.isKeyword("import")) this.#import();
    const rules = this.#rules();
    const [first, ...rest] = this.#problems;
    if (first !== undefined) throw new RegoError([first, ...rest]);
    return {
      filename: this.filename,
      dialect: this.#dialect,
      packagePath,
      imports: this.#imports,
      rules,
      scopedNot: this.scopedNot,
      source: this.source,
      packageRow,
    };
  }

  /** All rules; a text that cannot be parsed further ends them and is one more problem. */
  #rules(): Rule[] {
    const rules: Rule[] = [];
    try {
      while (!this.atEnd() && this.#proceed()) this.#rule(rules);
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      this.#problems.push(...error.problems);
    }
    return rules;
  }

  #proceed(): boolean {
    while (this.takeOp(";"));
    return !this.atEnd();
  }

  #problem(message: string, place = this.place()): void {
    this.#problems.push({
      code: "rego_parse_error",
      message,
      filename: place.filename,
      row: place.row,
      col: place.col,
    });
  }

  #package(): string[] {
    if (!this.takeKeyword("package")) {
      this.#problem("package expected");
      return [];
    }
    return this.#constantPath();
  }

  #constantPath(): string[] {
    const path: string[] = [];
    for (const step of this.headRef()) {
      if (step.t === "var") path.push(step.name);
      else if (step.t === "scalar" && typeof step.value === "string") path.push(step.value);
      else this.fail("expected a path of names");
    }
    return path;
  }

  #import(): void {
    const at = this.place(this.advance());
    const path = this.#constantPath();
    const alias = this.takeKeyword("as") ? this.advance().text : path[path.length - 1];
    const [root, second, third] = path;
    if (root === "rego" && second === "v1") this.#selectV1();
    else if (root === "future" && second === "keywords") this.#future(third);
    else if (root === "data" || root === "input") this.#bring({ path, alias: alias ?? root, at });
    else
      this.fail(
        `unexpected import path, must begin with one of: {data, future, input, rego}, got: ${root}`,
        this.previous,
      );
  }

  #bring(entry: Import): void {
    const other = this.#imports.find((each) => each.alias === entry.alias);
    if (other !== undefined && this.#dialect === "v1")
      this.#problem(`import must not shadow import ${other.path.join(".")}`, entry.at);
    this.#imports.push(entry);
  }

  #selectV1(): void {
    this.#dialect = "v1";
    for (const word of FUTURE_KEYWORDS) this.keywords.add(word);
  }

  #future(word: string | undefined): void {
    if (word === undefined) for (const each of FUTURE_KEYWORDS) this.keywords.add(each);
    else if (word === "not") this.scopedNot = true;
    else if (FUTURE_KEYWORDS.includes(word)) {
      this.keywords.add(word);
      if (word === "every") this.keywords.add("in");
    } else this.fail(`unexpected keyword, must be one of [contains every if in not]`, this.previous);
  }

  #rule(out: Rule[]): void {
    const at = this.place();
    if (this.isKeyword("package")) this.fail("unexpected package keyword");
    if (this.isKeyword("import")) this.fail("unexpected import keyword: imports come before rules");
    const isDefault = this.takeKeyword("default");
    const name = this.headRef();
    const args = this.headArgs();
    const contains = this.takeKeyword("contains") ? this.membership() : undefined;
    const value = this.takeOp(":=") || this.takeOp("=") ? this.membership() : undefined;
    if (isDefault) out.push(this.#default(name, args, value, at));
    else this.#bodies({ isDefault, name, args, contains, branches: NO_BRANCHES, at }, value, out);
  }

  #default(name: Term[], args: Term[] | undefined, value: Term | undefined, at: Rule["at"]): Rule {
    if (value === undefined) this.unexpected(":= or = token");
    if (!isFixed(value)) this.fail("illegal default rule (value cannot contain references or calls)", this.previous);
    return { isDefault: true, name, args, contains: undefined, branches: [{ value, body: [], at }], at };
  }

  #bodies(head: Rule, value: Term | undefined, out: Rule[]): void {
    if (this.takeKeyword("if")) {
      out.push(this.#finish(head, value, this.#ifBody(), true));
      return;
    }
    if (!this.isOp("{")) {
      out.push(this.#finish(head, value, undefined, false));
      return;
    }
    while (this.isOp("{")) {
      if (this.#dialect === "v1") this.#problem("`if` keyword is required before rule body", head.at);
      out.push(this.#finish(head, value, this.bracedBody(), false));
    }
  }

  /** What follows `if`: a body in braces, or one expression, which may be an object comprehension. */
  #ifBody(): Expr[] {
    if (!this.isOp("{")) return [this.expr()];
    const mark = this.mark();
    try {
      return this.bracedBody();
    } catch (error) {
      if (!(error instanceof RegoError)) throw error;
      this.reset(mark);
      return [this.#comprehensionOr(error)];
    }
  }

  /** The object comprehension that stands here; the error is thrown where there is none. */
  #comprehensionOr(error: RegoError): Expr {
    try {
      const expr = this.expr();
      if (expr.kind.k === "term" && expr.kind.term.t === "compr") return expr;
    } catch (second) {
      if (!(second instanceof RegoError)) throw second;
    }
    throw error;
  }

  #finish(head: Rule, value: Term | undefined, body: Expr[] | undefined, hasIf: boolean): Rule {
    const { isDefault, name, args, contains, at } = head;
    if (head.contains !== undefined && value !== undefined) this.fail("multi-value rules cannot have a value");
    const bare = value === undefined && body === undefined && args === undefined && head.contains === undefined;
    if (bare && name.length === 1) this.fail("var cannot be used for rule name", this.previous);
    const branches: RuleBranch[] = [{ value, body: body ?? [], at }];
    if (this.isKeyword("else")) this.#elses(branches);
    if (branches.length > 1 && head.contains !== undefined)
      this.fail("else keyword cannot be used on multi-value rules");
    const last = name[name.length - 1];
    const isOldSet =
      !hasIf && value === undefined && args === undefined && head.contains === undefined && name.length === 2;
    if (!isOldSet || last === undefined) return { isDefault, name, args, contains, branches, at };
    if (this.#dialect === "v1") {
      this.#problem("`contains` keyword is required for partial set rules", at);
      return { ...head, branches };
    }
    return { ...head, name: name.slice(0, -1), contains: last, branches };
  }

  #elses(out: RuleBranch[]): void {
    while (this.isKeyword("else")) {
      const at = this.place(this.advance());
      const value = this.takeOp(":=") || this.takeOp("=") ? this.membership() : undefined;
      if (this.takeKeyword("if")) {
        out.push({ value, body: this.#ifBody(), at });
        continue;
      }
      if (this.isOp("{")) {
        if (this.#dialect === "v1") this.#problem("`if` keyword is required before rule body", at);
        out.push({ value, body: this.bracedBody(), at });
        continue;
      }
      if (value === undefined) this.fail("else keyword needs a value or a body");
      out.push({ value, body: [], at });
    }
  }
}

/** Whether a term says the same whatever is asked: no names but inside comprehensions. */
function isFixed(term: Term): boolean {
  switch (term.t) {
    case "var":
    case "ref":
    case "call":
    case "template":
      return false;
    case "array":
    case "set":
      return term.items.every(isFixed);
    case "object":
      return term.pairs.every((pair) => pair.every(isFixed));
    default:
      return true;
  }
}
