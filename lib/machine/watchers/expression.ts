import { compileExpr, type Expr, type ExprLimits, type ExprOptions, lookup, newLookupBudget } from "../../expr/mod.ts";
import { errorText } from "../../std/mod.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { intervalOf } from "./_interval.ts";
import { type Properties, readProperties } from "./_properties.ts";

const defaultInterval = 10_000;

const dialect: ExprOptions = {
  functions: { get_fact: { parameters: ["string"] } },
  variables: { data: "map", facts: "map", identity: "string" },
  boolean: true,
};

/** Everything on the node waits while an expression is evaluated. */
const limits: ExprLimits = { timeMs: 100 };

/**
 * Evaluates expressions over the machine's data and the node's facts at each interval and whenever the machine changes
 * its state. One that holds is published at each evaluation and, where it did not hold before, fires the success
 * transition (`success_when`) or the fail transition (`fail_when`). Publishes `previous_outcome` (`success_when`,
 * `failed_when`, `error`).
 */
export const kind: WatcherKind = {
  type: "expression",
  create(context) {
    const properties = readProperties(context.definition.properties, expressionProperties);
    return new ExpressionWatcher(context, properties, intervalOf(context.definition, defaultInterval));
  },
};

interface ExpressionProperties {
  successWhen: string;
  failWhen: string;
}

function expressionProperties(properties: Properties): ExpressionProperties {
  const found = { successWhen: properties.text("success_when"), failWhen: properties.text("fail_when") };
  if (found.successWhen === "" && found.failWhen === "") throw new Error("success_when or fail_when is required");
  return found;
}

type Outcome = "unknown" | "success_when" | "failed_when" | "no_match" | "skipped" | "error";

class ExpressionWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: ExpressionProperties;
  readonly #pulse: Pulse;
  readonly #compiled = new Map<string, Expr>();
  #outcome: Outcome = "unknown";

  constructor(context: WatcherContext, properties: ExpressionProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    this.#pulse = new Pulse(context, { interval, beat: () => this.#beat() });
  }

  start(): void {
    this.#pulse.start();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    return {
      fields: { previous_outcome: this.#outcome },
      text: `${machine.name}#${definition.name} previous: ${this.#outcome}`,
    };
  }

  async #beat(): Promise<void> {
    const { isActive, signal, announce, succeed, fail } = this.#context;
    const previous = this.#outcome;
    this.#outcome = isActive() ? await this.#evaluate() : "skipped";
    if (signal.aborted || this.#outcome === "skipped" || this.#outcome === "no_match") return;
    announce();
    if (this.#outcome === "error" || this.#outcome === previous) return;
    await (this.#outcome === "success_when" ? succeed() : fail());
  }

  async #evaluate(): Promise<Outcome> {
    const { successWhen, failWhen } = this.#properties;
    const { machine, logger } = this.#context;
    try {
      const facts = await machine.node.facts();
      const budget = newLookupBudget();
      const env = {
        data: machine.data.all,
        facts,
        identity: machine.node.identity,
        get_fact: (path: string) => lookup(facts, path, budget) ?? null,
      };
      const holds = (source: string) => source !== "" && this.#expression(source).test(env, { limits });
      if (holds(successWhen)) return "success_when";
      return holds(failWhen) ? "failed_when" : "no_match";
    } catch (error) {
      logger.error("The expression could not be evaluated", { reason: errorText(error) });
      return "error";
    }
  }

  #expression(source: string): Expr {
    const known = this.#compiled.get(source);
    if (known !== undefined) return known;
    const compiled = compileExpr(source, dialect);
    this.#compiled.set(source, compiled);
    return compiled;
  }
}
