import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { checkManifest } from "../../../lib/machine/check.ts";
import { watcherProperties } from "../../../lib/machine/properties.ts";

const page = readFileSync(join(import.meta.dir, "../../../docs/watchers.md"), "utf8");
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section] as const),
);
const kinds = Object.keys(watcherProperties);

interface Example {
  type: string;
  state_match?: string[];
  success_transition?: string;
  fail_transition?: string;
}

/** A machine around a watcher, with the states and transitions that it names. */
function machineAround(watcher: Example): string {
  const states = [...new Set(["MANAGE", ...(watcher.state_match ?? [])])];
  const events = [watcher.success_transition, watcher.fail_transition, "enter"].filter((event) => event !== undefined);
  const transitions = [
    ...states.slice(1).map((state) => ({ name: `to_${state}`, from: ["MANAGE"], destination: state })),
    ...events.map((event) => ({ name: event, from: ["MANAGE"], destination: "DONE" })),
  ];
  return stringify({ name: "m", version: "1.0.0", initial_state: "MANAGE", transitions, watchers: [watcher] });
}

describe("docs/watchers.md", () => {
  test("has a section for each kind, in their order, and no other", () => {
    expect([...sections.keys()].slice(1)).toEqual([...kinds].sort());
  });

  test.each(kinds)("tells of each property of %s, and of no other", (kind) => {
    const [, table = ""] = /\| Property \|[^\n]*\n\| --- [^\n]*\n((?:\|.*\n)*)/.exec(sections.get(kind) ?? "") ?? [];
    const told = table
      .split("\n")
      .flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name));
    const known = Object.keys(watcherProperties[kind as keyof typeof watcherProperties]);
    expect(told.sort()).toEqual(known.sort());
  });

  test.each(kinds)("the example of %s is a watcher that starts", async (kind) => {
    const [, text = ""] = /```yaml\n([\s\S]*?)```/.exec(sections.get(kind) ?? "") ?? [];
    const [watcher, ...others]: Example[] = parse(text);
    expect(others).toEqual([]);
    expect(watcher?.type).toBe(kind);
    expect(await checkManifest(machineAround(watcher ?? { type: "" }))).toEqual({ faults: [], warnings: [] });
  });
});
