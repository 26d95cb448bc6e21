import { describe, expect, test } from "bun:test";
import { Aggregates, type DdlAction, type DdlAggregate } from "../../lib/ddl/mod.ts";

function aggregates(...aggregate: DdlAggregate[]): Aggregates {
  const action: DdlAction = { name: "a", description: "", display: "ok", input: {}, output: {}, aggregate };
  return new Aggregates(action);
}

function fill(sum: Aggregates, values: unknown[]): Aggregates {
  for (const value of values) sum.add({ value });
  return sum;
}

const summary: DdlAggregate = { function: "summary", output: "value", options: {} };
const text = (sum: Aggregates) => sum.entries()[0]?.[1].text();

describe("aggregates", () => {
  test("a summary counts values, most frequent first, aligned", () => {
    const sum = fill(aggregates(summary), [8059, 7959, 7959, "long one"]);
    expect(text(sum)).toEqual(["    7959: 2", "    8059: 1", "long one: 1"]);
    expect(sum.json()).toEqual({ value: { "7959": 2, "8059": 1, "long one": 1 } });
  });

  test("a list is one value", () => {
    expect(fill(aggregates(summary), [["x 1.0"], ["x 1.0"]]).json()).toEqual({ value: { '["x 1.0"]': 2 } });
  });

  test("a boolean summary shows names instead of values, in a format of its own", () => {
    const options = { format: "%s on %d nodes", true: "Yes", false: "No" };
    const sum = fill(aggregates({ ...summary, function: "boolean_summary", options }), [true, false, true]);
    expect(text(sum)).toEqual(["Yes on 2 nodes", "No on 1 nodes"]);
  });

  test("an average passes over what is not a number", () => {
    const sum = fill(aggregates({ ...summary, function: "average" }), [1, "2", "no", null]);
    expect(text(sum)).toEqual(["Average: 1.500"]);
    expect(sum.json()).toEqual({ value: { average: 1.5 } });
  });

  test("a chart draws the values", () => {
    const sum = fill(aggregates({ ...summary, function: "chart" }), [1, 5, 3]);
    expect(text(sum)?.some((line) => line.includes("█"))).toBe(true);
  });

  test("functions that nobody knows are passed over, and of two for one output the later counts", () => {
    const sum = aggregates({ ...summary, function: "sparkline" }, summary, { ...summary, function: "average" });
    expect(fill(sum, [2]).json()).toEqual({ value: { average: 2 } });
  });

  test("nothing added gives no lines", () => {
    expect(text(aggregates(summary))).toEqual([]);
  });
});
