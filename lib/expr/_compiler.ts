import { compileRe2, type Re2, Re2Error } from "../re2/mod.ts";
import { fetch, slice } from "./_access.ts";
import type { Builtin } from "./_builtin.ts";
import { builtins } from "./_builtins.ts";
import { checkBinary, checkMember, checkUnary } from "./_checks.ts";
import type { Compiled, CompiledPredicate, Step } from "./_compiled.ts";
import { predicateArity } from "./_grammar.ts";
import { common, type Kind, kindName, mayBe } from "./_kinds.ts";
import type { Node, NodeOf } from "./_nodes.ts";
import { toBoolean, unary } from "./_operators.ts";
import { predicateCalls, predicateStep } from "./_predicates.ts";
import type { Run } from "./_run.ts";
import { Scope } from "./_scope.ts";
import {
  cut,
  type ExprSignature,
  hostStep,
  literal,
  logical,
  mapStep,
  matchStep,
  noMethod,
  operation,
  simplified,
  typeLabel,
  uncut,
  value,
} from "./_steps.ts";
import { callMethod, methodOf } from "./_time_functions.ts";
import { ExprError } from "./error.ts";

/** What names stand for while an expression is compiled. */
export interface Names {
  readonly source: string;
  readonly functions: Readonly<Record<string, ExprSignature>>;
  readonly variables: Readonly<Record<string, Kind>>;
  /** Whether names that nobody declared are nil instead of an error. */
  readonly allowsUndefined: boolean;
}

/** Makes a tree ready to be evaluated, and refuses what can be seen to fail. */
export class Compiler {
  readonly #names: Names;
  readonly #scope = new Scope();

  constructor(names: Names) {
    this.#names = names;
  }

  /**
   * Compile a node and all below it.
   * @throws {ExprError} where a name is unknown or kinds do not go together.
   */
  compile(node: Node): Compiled {
    const { kind, step } = this.#link(node);
    if (node.type !== "member" && node.type !== "slice" && node.type !== "call") return { kind, step };
    return { kind, step: (run) => uncut(step(run)) };
  }

  /** Compile a part of a chain; its step may give {@link cut}. */
  #link(node: Node): Compiled {
    switch (node.type) {
      case "literal":
        return literal(node.value);
      case "name":
        return this.#name(node);
      case "pointer":
        return this.#pointer(node);
      case "unary":
        return this.#unary(node);
      case "binary":
        return this.#binary(node);
      case "conditional":
        return this.#conditional(node);
      case "member":
        return this.#member(node);
      case "slice":
        return this.#slice(node);
      case "call":
        return this.#call(node);
      case "predicate":
        throw this.#error("unexpected predicate", node.at);
      case "let":
        return this.#let(node);
      case "sequence":
        return this.#sequence(node);
      case "list":
        return this.#list(node);
      case "map":
        return this.#map(node);
    }
  }

  #error(reason: string, at: number): ExprError {
    return new ExprError(reason, this.#names.source, at);
  }

  #name({ name, at }: NodeOf<"name">): Compiled {
    const local = this.#scope.local(name);
    if (local !== undefined) return { kind: local.kind, step: (run) => run.slots[local.slot] };
    if (name === "$env") return { kind: "map", step: (run) => run.env };
    if (Object.hasOwn(this.#names.functions, name)) return { kind: "function", step: () => null };
    this.#known(name, at);
    const kind = Object.hasOwn(this.#names.variables, name) ? this.#names.variables[name] : undefined;
    return { kind: kind ?? "any", step: (run) => value(run.env, name) };
  }

  #known(name: string, at: number): void {
    const { variables, allowsUndefined } = this.#names;
    if (!allowsUndefined && !Object.hasOwn(variables, name)) throw this.#error(`unknown name ${name}`, at);
  }

  #pointer({ name, at }: NodeOf<"pointer">): Compiled {
    const { pointers } = this.#scope;
    if (pointers === undefined) throw this.#error("cannot use pointer accessor outside predicate", at);
    if (name === "") return { kind: "any", step: (run) => run.slots[pointers.item] };
    if (name === "index") return { kind: "int", step: (run) => BigInt(Number(run.slots[pointers.index])) };
    if (name !== "acc" || pointers.name !== "reduce") throw this.#error(`unknown pointer #${name}`, at);
    return { kind: "any", step: (run) => run.slots[pointers.accumulator] };
  }

  #unary({ operator, operand, at }: NodeOf<"unary">): Compiled {
    const { kind, step } = this.compile(operand);
    const problem = checkUnary(operator, kind);
    if (problem !== undefined) throw this.#error(problem, at);
    const work = (run: Run) => {
      const given = step(run);
      run.at = at;
      return unary(run, operator, given);
    };
    return { kind: operator === "not" || operator === "!" ? "bool" : kind, step: work };
  }

  #binary({ operator, left, right, at }: NodeOf<"binary">): Compiled {
    const [a, b] = [this.compile(left), this.compile(right)];
    const outcome = checkBinary(operator, a.kind, b.kind);
    if ("problem" in outcome) throw this.#error(outcome.problem, at);
    const simpler = simplified(operator, { left, right, a, b });
    if (simpler !== undefined) return simpler;
    if (operator === "matches") return { kind: "bool", step: matchStep(a.step, b.step, this.#pattern(right, at)) };
    return {
      kind: outcome.kind,
      step: logical(operator, a.step, b.step, at) ?? operation(operator, a.step, b.step, at),
    };
  }

  /** A regular expression that is said outright is compiled once, and refused when it is none. */
  #pattern(node: Node, at: number): { at: number; known: Re2 | undefined } {
    if (node.type !== "literal" || typeof node.value !== "string") return { at, known: undefined };
    try {
      return { at, known: compileRe2(node.value, { maxSize: 5_000 }) };
    } catch (error) {
      if (error instanceof Re2Error) throw this.#error(error.message, at);
      throw error;
    }
  }

  #conditional({ test, then, otherwise }: NodeOf<"conditional">): Compiled {
    const condition = this.compile(test);
    if (!mayBe(condition.kind, "bool")) {
      throw this.#error(`non-bool expression (type ${kindName(condition.kind)}) used as condition`, test.at);
    }
    const [yes, no] = [this.compile(then), this.compile(otherwise)];
    const step = (run: Run) => {
      const given = condition.step(run);
      run.at = test.at;
      return toBoolean(run, given) ? yes.step(run) : no.step(run);
    };
    return { kind: common(yes.kind, no.kind), step };
  }

  #member(node: NodeOf<"member">): Compiled {
    const { object, key, isOptional, isField, at } = node;
    const whole = this.#link(object);
    const { kind, step: index } = this.compile(key);
    if (object.type === "name" && object.name === "$env" && key.type === "literal") this.#known(String(key.value), at);
    const problem = checkMember(whole.kind, kind, { isField, name: key.type === "literal" ? String(key.value) : "" });
    if (problem !== undefined) throw this.#error(problem, at);
    const step = (run: Run) => {
      const from = whole.step(run);
      if (from === cut) return cut;
      const isNil = from === null || from === undefined;
      if (isNil && isOptional) return cut;
      // A map that is nil is empty, but only where it is known to be a map.
      if (isNil && whole.kind === "map") return null;
      const name = index(run);
      run.at = at;
      return fetch(run, from, name);
    };
    return { kind: "any", step };
  }

  #slice({ object, from, to, at }: NodeOf<"slice">): Compiled {
    const whole = this.#link(object);
    if (!mayBe(whole.kind, "array", "string")) throw this.#error(`cannot slice ${kindName(whole.kind)}`, at);
    const [first, last] = [from, to].map((node) => node && this.#bound(node));
    const step = (run: Run) => {
      const list = whole.step(run);
      if (list === cut) return cut;
      const bounds = [first?.(run), last?.(run)];
      run.at = at;
      return slice(run, list, bounds[0], bounds[1]);
    };
    return { kind: whole.kind, step };
  }

  #bound(node: Node): Step {
    const { kind, step } = this.compile(node);
    if (mayBe(kind, "int", "float")) return step;
    throw this.#error(`non-integer slice index ${kindName(kind)}`, node.at);
  }

  #call(node: NodeOf<"call">): Compiled {
    const { callee } = node;
    if (callee.type === "member") return this.#method(node, callee);
    if (callee.type !== "name") throw this.#error("cannot call this", node.at);
    const { name, at } = callee;
    const local = this.#scope.local(name);
    if (local !== undefined) throw this.#error(`${kindName(local.kind)} is not callable`, at);
    if (predicateArity(name) !== undefined) return this.#predicateCall(name, node);
    const signature = Object.hasOwn(this.#names.functions, name) ? this.#names.functions[name] : undefined;
    if (signature !== undefined) return this.#host(name, signature, node);
    const builtin = Object.hasOwn(builtins, name) ? builtins[name] : undefined;
    if (builtin !== undefined) return this.#builtin(name, builtin, node);
    return this.#unknownCall(name, node);
  }

  /** A function that nobody declared may still come with the data, where undefined names are allowed. */
  #unknownCall(name: string, node: NodeOf<"call">): Compiled {
    this.#known(name, node.at);
    const kind = Object.hasOwn(this.#names.variables, name) ? (this.#names.variables[name] ?? "any") : "any";
    if (kind !== "any") throw this.#error(`${kindName(kind)} is not callable`, node.at);
    const steps = node.arguments.map((argument) => this.compile(argument).step);
    return { kind: "any", step: hostStep(name, steps, node.at) };
  }

  #host(name: string, signature: ExprSignature, node: NodeOf<"call">): Compiled {
    const steps = this.#arguments(name, signature, node).map(({ step }) => step);
    return { kind: signature.returns ?? "any", step: hostStep(name, steps, node.at, signature) };
  }

  #builtin(name: string, builtin: Builtin, node: NodeOf<"call">): Compiled {
    const all = this.#arguments(name, builtin, node);
    const { at } = node;
    const [first] = all;
    if (builtin.accepts !== undefined && first !== undefined && !mayBe(first.kind, ...builtin.accepts)) {
      throw this.#error(`invalid argument for ${name} (type ${typeLabel(first.kind)})`, at);
    }
    const steps = all.map(({ step }) => step);
    const step = (run: Run) => {
      const given = steps.map((each) => each(run));
      run.at = at;
      return builtin.call(run, given);
    };
    return { kind: builtin.outcome?.(all.map(({ kind }) => kind)) ?? builtin.returns, step };
  }

  /** Arguments in the right number, none of them of a kind that is not wanted. */
  #arguments(
    name: string,
    wanted: { parameters: readonly Kind[]; required?: number; isVariadic?: boolean },
    node: { arguments: Node[]; at: number },
  ): Compiled[] {
    const { parameters, required = parameters.length, isVariadic = false } = wanted;
    if (node.arguments.length < required) throw this.#error(`not enough arguments to call ${name}`, node.at);
    if (!isVariadic && node.arguments.length > parameters.length) {
      throw this.#error(`too many arguments to call ${name}`, node.at);
    }
    return node.arguments.map((argument, i) => {
      const compiled = this.compile(argument);
      const parameter = parameters[Math.min(i, parameters.length - 1)] ?? "any";
      if (parameter === "any" || mayBe(compiled.kind, parameter)) return compiled;
      const found = typeLabel(compiled.kind);
      throw this.#error(`cannot use ${found} as argument (type ${kindName(parameter)}) to call ${name}`, argument.at);
    });
  }

  #method(node: NodeOf<"call">, callee: NodeOf<"member">): Compiled {
    const { object, key, isOptional, at } = callee;
    const name = key.type === "literal" ? String(key.value) : "";
    const self = this.#link(object);
    const method = methodOf(self.kind, name);
    if (self.kind !== "any" && self.kind !== "map" && method === undefined) {
      throw this.#error(`type ${kindName(self.kind)} has no method ${name}`, at);
    }
    const steps = this.#arguments(name, method ?? { parameters: ["any"], required: 0, isVariadic: true }, node).map(
      (argument) => argument.step,
    );
    const step = (run: Run) => {
      const from = self.step(run);
      if (from === cut || (isOptional && (from === null || from === undefined))) return cut;
      const given = steps.map((each) => each(run));
      run.at = at;
      return callMethod(run, from, name, given) ?? noMethod(run, from, name);
    };
    return { kind: method?.returns ?? "any", step };
  }

  #predicateCall(name: string, node: NodeOf<"call">): Compiled {
    const [listNode, predicateNode, extraNode] = node.arguments;
    const work = predicateCalls[name];
    const [least] = predicateArity(name) ?? [2];
    if (work === undefined || listNode === undefined || node.arguments.length < least) {
      throw this.#error(`expected at least ${least} arguments`, node.at);
    }
    const list = this.compile(listNode);
    if (!mayBe(list.kind, "array")) {
      throw this.#error(`builtin ${name} takes only array (got ${kindName(list.kind)})`, listNode.at);
    }
    const predicate = this.#predicate(name, predicateNode, node.at);
    if (work.isTest && !mayBe(predicate.kind, "bool")) {
      const place = predicateNode?.type === "predicate" ? predicateNode.body.at : node.at;
      throw this.#error(`predicate should return boolean (got ${kindName(predicate.kind)})`, place);
    }
    const extra = extraNode === undefined ? undefined : this.compile(extraNode).step;
    return { kind: work.returns, step: predicateStep(work, { list: list.step, predicate, extra }) };
  }

  /** Without a predicate the element itself is what counts. */
  #predicate(name: string, node: Node | undefined, at: number): CompiledPredicate {
    const pointers = this.#scope.enter(name);
    const body: Compiled =
      node?.type === "predicate" ? this.compile(node.body) : { kind: "any", step: (run) => run.slots[pointers.item] };
    this.#scope.leave();
    return { ...body, ...pointers, at, cost: node?.size ?? 1 };
  }

  #let({ name, value, body, at }: NodeOf<"let">): Compiled {
    const { functions, variables } = this.#names;
    if (Object.hasOwn(builtins, name) || predicateArity(name) !== undefined) {
      throw this.#error(`cannot redeclare builtin ${name}`, at);
    }
    if (this.#scope.local(name) !== undefined) throw this.#error(`cannot redeclare variable ${name}`, at);
    if (Object.hasOwn(functions, name) || Object.hasOwn(variables, name)) {
      throw this.#error(`cannot redeclare ${name}`, at);
    }
    const given = this.compile(value);
    const slot = this.#scope.declare(name, given.kind);
    const { kind, step } = this.compile(body);
    this.#scope.forget(name);
    const work = (run: Run) => {
      run.slots[slot] = given.step(run);
      return step(run);
    };
    return { kind, step: work };
  }

  #sequence({ items }: NodeOf<"sequence">): Compiled {
    const all = items.map((item) => this.compile(item));
    const steps = all.map(({ step }) => step);
    return { kind: all.at(-1)?.kind ?? "nil", step: (run) => steps.reduce<unknown>((_, each) => each(run), null) };
  }

  #list({ items }: NodeOf<"list">): Compiled {
    const steps = items.map((item) => this.compile(item).step);
    return { kind: "array", step: (run) => run.list(steps.map((each) => each(run))) };
  }

  #map({ entries, at }: NodeOf<"map">): Compiled {
    const all = entries.map(({ key, value }) => [this.compile(key).step, this.compile(value).step] as const);
    return { kind: "map", step: mapStep(all, at) };
  }
}
