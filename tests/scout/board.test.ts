import { describe, expect, test } from "bun:test";
import { type CheckResult, forgottenAfter, type MachineTransition, ScoutBoard } from "../../lib/scout/mod.ts";

const start = 1_795_321_716_000;

function check(identity: string, machine: string, status: string, more: Partial<CheckResult> = {}): CheckResult {
  return { kind: "check", time: start, identity, machine, status, output: `${status} out`, perfdata: [], ...more };
}

function transition(identity: string, machine: string, from: string, to: string): MachineTransition {
  return { kind: "transition", time: start + 5_000, identity, machine, transition: to, from, to };
}

function board(...events: (CheckResult | MachineTransition)[]): ScoutBoard {
  const made = new ScoutBoard();
  for (const event of events) made.add(event, start);
  return made;
}

const none = { identities: 0, ok: 0, warning: 0, critical: 0, unknown: 0, maintenance: 0 };

describe("a board", () => {
  test("counts nodes and checks by their latest state", () => {
    const seen = board(
      check("n1", "a", "OK"),
      check("n1", "b", "CRITICAL"),
      check("n2", "a", "WARNING"),
      check("n2", "a", "UNKNOWN"),
    );
    expect(seen.counts(start)).toEqual({ ...none, identities: 2, ok: 1, critical: 1, unknown: 1 });
  });

  test("forgets nodes that it has not heard of for ten minutes", () => {
    const seen = board(check("n1", "a", "OK"), check("n2", "a", "OK"));
    seen.add(check("n2", "a", "OK"), start + 60_000);
    expect(seen.counts(start + forgottenAfter - 1).identities).toBe(2);
    expect(seen.counts(start + forgottenAfter).identities).toBe(1);
    expect(seen.counts(start + forgottenAfter + 60_000)).toEqual(none);
  });

  test("follows transitions of checks that it knows, and of no other machine", () => {
    const seen = board(
      check("n1", "a", "OK"),
      transition("n1", "a", "OK", "MAINTENANCE"),
      transition("n1", "facts", "INITIAL", "GATHER"),
      transition("n2", "a", "UNKNOWN", "OK"),
    );
    expect(seen.counts(start)).toEqual({ ...none, identities: 1, maintenance: 1 });
    seen.add(transition("n1", "a", "MAINTENANCE", "UNKNOWN"), start);
    seen.add(transition("n1", "a", "UNKNOWN", "FORCE_CHECK"), start);
    expect(seen.counts(start)).toEqual({ ...none, identities: 1, unknown: 1 });
  });

  test("names what is not OK, the worst first and since when", () => {
    const seen = board(
      check("n1", "warned", "WARNING"),
      check("n1", "fine", "OK"),
      check("n2", "broken", "CRITICAL", { time: start + 1_000 }),
      check("n2", "broken", "CRITICAL", { time: start + 9_000, output: "still" }),
    );
    expect(seen.problems()).toEqual([
      { identity: "n2", machine: "broken", status: "CRITICAL", since: start + 1_000, output: "still" },
      { identity: "n1", machine: "warned", status: "WARNING", since: start, output: "WARNING out" },
    ]);
  });

  test("shows what a filter lets through", () => {
    const seen = board(
      check("web1", "disk", "OK"),
      check("web2", "disk", "CRITICAL"),
      check("db1", "load", "WARNING"),
      transition("web1", "disk", "OK", "WARNING"),
      transition("web1", "facts", "INITIAL", "GATHER"),
    );
    const names = (filter: object) => seen.checks(filter).map(({ identity, machine }) => `${identity} ${machine}`);
    expect(names({})).toEqual(["web1 disk", "web2 disk", "db1 load"]);
    expect(names({ identity: "web", showsOk: false })).toEqual(["web2 disk"]);
    expect(names({ check: "loa" })).toEqual(["db1 load"]);
    expect(names({ words: "CRIT disk" })).toEqual(["web2 disk"]);
    const machines = (filter: object) => seen.transitions(filter).map(({ machine }) => machine);
    expect(machines({ ignoredMachines: ["facts"] })).toEqual(["disk"]);
    expect(machines({ words: "gather" })).toEqual(["facts"]);
    expect(seen.problems({ identity: "db" })).toHaveLength(1);
  });

  test("holds a bounded number of events and of checks", () => {
    const seen = new ScoutBoard();
    for (let i = 0; i < 5_000; i++) seen.add(check("n1", `check_${i}`, "OK", { time: start + i }), start);
    expect(seen.checks().length).toBeLessThanOrEqual(2_200);
    expect(seen.checks().at(-1)?.machine).toBe("check_4999");
    expect(seen.counts(start).ok).toBe(500);
  });

  test("remembers of the checks of a fleet that means harm no more than it shows", () => {
    const seen = new ScoutBoard();
    const output = "x".repeat(8_192);
    for (let node = 0; node < 1_000; node++) {
      for (let i = 0; i < 400; i++) seen.add(check(`n${node}`, `check_${i}`, "CRITICAL", { output }), start + node);
    }
    expect(seen.counts(start).critical).toBe(250_000);
    expect(seen.problems({ identity: "n1", check: "check_7" })[0]?.output).toBe("x".repeat(256));
    expect(seen.counts(start + 2 * forgottenAfter)).toEqual(none);
    seen.add(check("n1", "a", "OK"), start + 2 * forgottenAfter);
    expect(seen.counts(start + 2 * forgottenAfter)).toEqual({ ...none, identities: 1, ok: 1 });
  });

  test("can be cleared without forgetting how the checks are", () => {
    const seen = board(check("n1", "a", "OK"), transition("n1", "a", "OK", "WARNING"));
    seen.clear();
    expect([seen.checks(), seen.transitions()]).toEqual([[], []]);
    expect(seen.counts(start)).toEqual({ ...none, identities: 1, warning: 1 });
  });
});
