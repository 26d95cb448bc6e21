import { describe, expect, test } from "bun:test";
import { scoutAgent } from "../../lib/scout/mod.ts";
import { isObject, type JsonObject, silentLogger } from "../../lib/std/mod.ts";
import { callAgent } from "../external/support.ts";
import recorded from "../fixtures/scout/scout_rpc.json" with { type: "json" };
import { withoutGoss } from "./support/goss.ts";
import { recordedMachines, TestMachines } from "./support/machines.ts";

const five = ["check_0", "check_1", "check_2", "check_choria", "check_hb"];

async function call(machines: TestMachines, action: string, data: JsonObject = {}) {
  return callAgent(scoutAgent({ machines, goss: withoutGoss, logger: silentLogger }), action, data);
}

/** Machines of which one is in a state of its own. */
function withState(name: string, state: string, availableTransitions: string[]): TestMachines {
  const machines = recordedMachines();
  return new TestMachines(machines.map((m) => (m.name === name ? { ...m, state, availableTransitions } : m)));
}

describe("scout#checks", () => {
  test("tells of checks, and of no other machine, as the original does", async () => {
    const { data, statusmsg } = await call(new TestMachines(), "checks");
    const expected = recorded.checks.data.checks;
    const checks = isObject(data) && Array.isArray(data.checks) ? data.checks : [];
    expect({ statusmsg, names: checks.map(({ name }) => name) }).toEqual({ statusmsg: "OK", names: five });
    expect(Object.keys(checks[0])).toEqual(Object.keys(expected[0] ?? {}));
    expect(Object.keys(checks[0].status)).toEqual(Object.keys(expected[0]?.status ?? {}));
  });

  test("has null for a check that has published nothing", async () => {
    const [check] = recordedMachines();
    if (check === undefined) throw new Error("there are no machines");
    const { currentState: _published, ...silent } = check;
    const { data } = await call(new TestMachines([silent]), "checks");
    expect(data).toMatchObject({ checks: [{ name: "check_0", status: null }] });
  });
});

describe("scout#trigger, maintenance and resume", () => {
  test("fire their transition on every check that may", async () => {
    const machines = withState("check_hb", "MAINTENANCE", ["RESUME"]);
    const { data, statuscode } = await call(machines, "trigger");
    expect({ data, statuscode }).toEqual({
      data: { transitioned: five.slice(0, 4), failed: [], skipped: ["check_hb"] },
      statuscode: 0,
    });
    expect(machines.fired).toEqual(five.slice(0, 4).map((name) => `${name} FORCE_CHECK`));
    await call(machines, "resume");
    expect(machines.fired.slice(4)).toEqual(["check_hb RESUME"]);
    await call(machines, "maintenance", { checks: ["check_1"] });
    expect(machines.fired.slice(5)).toEqual(["check_1 MAINTENANCE"]);
  });

  test("answer as the original does", async () => {
    const { data } = await call(new TestMachines(), "trigger", { checks: ["check_1"] });
    expect(data).toEqual(recorded.trigger.data);
  });

  test("tell which named checks could not be fired, and of the others as well", async () => {
    const machines = new TestMachines();
    machines.broken.add("check_1");
    const reply = await call(machines, "trigger", { checks: ["check_0", "check_1", "nope", "plugins_manager"] });
    expect(reply).toMatchObject({
      statuscode: 1,
      statusmsg: "Some checks could not be transitioned to FORCE_CHECK",
      data: { transitioned: ["check_0"], failed: ["check_1", "nope", "plugins_manager"], skipped: [] },
    });
  });

  test("refuse names that are none", async () => {
    for (const checks of ["check_0", [1], {}, Array.from({ length: 2_000 }, () => "x")]) {
      expect((await call(new TestMachines(), "trigger", { checks })).statuscode).toBe(4);
    }
  });
});
