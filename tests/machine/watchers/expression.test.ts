import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

function expressionMachine(properties: JsonObject, options: Partial<TestMachineOptions> = {}): TestMachine {
  return new TestMachine({
    ...options,
    definition: {
      interval: 1_000,
      stateMatch: ["RUN"],
      successTransition: "good",
      failTransition: "bad",
      ...options.definition,
      type: "expression",
      properties,
    },
  });
}

/** Turn the clock on by an interval and let the evaluation end. */
async function evaluate(machine: TestMachine, watcher: { snapshot(): { fields: JsonObject } }): Promise<unknown> {
  await machine.clock.advance(1_000);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return watcher.snapshot().fields.previous_outcome;
}

describe("an expression watcher", () => {
  test("publishes each match, and fires only where the outcome is another than before", async () => {
    using machine = expressionMachine(
      { success_when: "data['CFG_cfg/mt'] != nil", fail_when: "get_fact('num') == 3" },
      { facts: { num: 3 } },
    );
    const watcher = await machine.start();
    expect(await evaluate(machine, watcher)).toBe("failed_when");
    expect(await evaluate(machine, watcher)).toBe("failed_when");
    machine.data.set("CFG_cfg/mt", { a: 1 });
    expect(await evaluate(machine, watcher)).toBe("success_when");
    expect(await evaluate(machine, watcher)).toBe("success_when");
    machine.data.delete("CFG_cfg/mt");
    expect(await evaluate(machine, watcher)).toBe("failed_when");
    expect(machine.announced.map((fields) => fields.previous_outcome)).toEqual([
      "failed_when",
      "failed_when",
      "success_when",
      "success_when",
      "failed_when",
    ]);
    expect(machine.events).toEqual(["bad", "good", "bad"]);
    expect(watcher.snapshot().text).toBe("m#w previous: failed_when");
  });

  test("says nothing where neither holds, and after that anything is news", async () => {
    using machine = expressionMachine({ success_when: "data.on == true" }, { data: { on: true } });
    const watcher = await machine.start();
    await evaluate(machine, watcher);
    machine.data.set("on", false);
    expect(await evaluate(machine, watcher)).toBe("no_match");
    machine.data.set("on", true);
    await evaluate(machine, watcher);
    machine.enter("OTHER");
    expect(await evaluate(machine, watcher)).toBe("skipped");
    machine.enter("RUN");
    await waitFor("the evaluation", () => machine.events.length === 3);
    expect(machine.announced).toHaveLength(3);
  });

  test("knows identity, facts and data", async () => {
    const success_when = `identity == "n1.example.net" && get_fact("os.family") == "RedHat" && get_fact("no") == nil
      && data.n > 1.5 && len(data.l) == 2 && facts.os.family matches "^Red"`;
    using machine = expressionMachine(
      { success_when },
      { facts: { os: { family: "RedHat" } }, data: { n: 2, l: ["a", "b"] } },
    );
    expect(await evaluate(machine, await machine.start())).toBe("success_when");
  });

  test.each([
    ["no expression", "1 +"],
    ["no boolean", "1 + 1"],
    ["about what is not there", "nope == 1"],
    ["about to take all the time there is", "len(filter(1..10000000, {# % 2 == 0})) > 5"],
  ])("publishes an error where the text is %s, and fires nothing", async (_, success_when) => {
    using machine = expressionMachine({ success_when });
    const started = performance.now();
    expect(await evaluate(machine, await machine.start())).toBe("error");
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(machine.announced).toHaveLength(1);
    expect(machine.events).toEqual([]);
  });

  test("evaluates every ten seconds where the manifest says nothing else", async () => {
    using machine = expressionMachine({ success_when: "true" }, { definition: { type: "expression", interval: 0 } });
    await machine.start();
    await machine.clock.advance(9_999);
    expect(machine.announced).toEqual([]);
    await machine.clock.advance(1);
    await waitFor("the evaluation", () => machine.announced.length === 1);
  });

  test("needs an expression and time between evaluations", async () => {
    await expect(expressionMachine({}).load()).rejects.toThrow(
      "could not set properties: success_when or fail_when is required",
    );
    const definition = { type: "expression", interval: 100 };
    await expect(expressionMachine({ success_when: "true" }, { definition }).load()).rejects.toThrow(
      "interval 100ms is too small",
    );
  });
});
