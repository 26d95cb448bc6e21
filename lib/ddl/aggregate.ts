import { plotValues } from "../cli/mod.ts";
import type { Json, JsonObject } from "../std/mod.ts";
import { formatOne, formatTwo } from "./_printf.ts";
import type { DdlAction, DdlAggregate } from "./ddl.ts";

/** Sums up one output over many replies. */
export interface Aggregator {
  /** Take a reply's value of the output into account. */
  add(value: unknown): void;
  /** Lines for people; none when nothing was added. */
  text(): string[];
  /** For programs. */
  json(): Json;
}

/** Sums up the outputs of an action that its DDL wants summed up. */
export class Aggregates {
  readonly #byOutput = new Map<string, Aggregator>();

  constructor(action: DdlAction) {
    for (const aggregate of action.aggregate) {
      const make = Object.hasOwn(functions, aggregate.function) ? functions[aggregate.function] : undefined;
      // Of two for one output the later counts; functions that nobody knows are passed over.
      if (make !== undefined) this.#byOutput.set(aggregate.output, make(aggregate));
    }
  }

  /** Take the outputs of a reply into account. */
  add(data: JsonObject): void {
    for (const [output, aggregator] of this.#byOutput) {
      if (Object.hasOwn(data, output)) aggregator.add(data[output]);
    }
  }

  /** Name of each output with its summary, sorted by name. */
  entries(): [output: string, aggregator: Aggregator][] {
    return [...this.#byOutput].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Every summary by output name, for programs. */
  json(): { [output: string]: Json } {
    return Object.fromEntries(this.entries().map(([output, aggregator]) => [output, aggregator.json()]));
  }
}

const functions: Readonly<Record<string, (aggregate: DdlAggregate) => Aggregator>> = {
  summary: ({ options }) => summary(options),
  boolean_summary: ({ options }) => summary(options),
  average: ({ options }) => average(options),
  chart: () => chart(),
};

/** Texts count as they are, everything else as its JSON. */
function itemText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

function summary(options: JsonObject): Aggregator {
  const counts = new Map<string, number>();
  const { format, ...names } = options;
  const shown = (item: string) => {
    const name = Object.hasOwn(names, item) ? names[item] : undefined;
    return typeof name === "string" ? name : item;
  };
  return {
    add(value) {
      const item = shown(itemText(value));
      counts.set(item, (counts.get(item) ?? 0) + 1);
    },
    text() {
      const items = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
      const width = Math.max(0, ...items.map(([item]) => item.length));
      return items.map(([item, count]) =>
        typeof format === "string" ? formatTwo(format, item, count) : `${item.padStart(width)}: ${count}`,
      );
    },
    json: () => Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function average(options: JsonObject): Aggregator {
  const numbers: number[] = [];
  const { format } = options;
  const mean = () => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  return {
    add(value) {
      const number = numberOf(value);
      if (number !== undefined) numbers.push(number);
    },
    text() {
      if (numbers.length === 0) return [];
      return [formatOne(typeof format === "string" ? format : "Average: %.3f", mean())];
    },
    json: () => (numbers.length === 0 ? {} : { average: mean() }),
  };
}

function chart(): Aggregator {
  const numbers: number[] = [];
  const draw = () => plotValues(numbers);
  return {
    add(value) {
      const number = numberOf(value);
      if (number !== undefined) numbers.push(number);
    },
    text: () => (numbers.length === 0 ? [] : draw().split("\n")),
    json: () => ({ chart: draw() }),
  };
}

function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
