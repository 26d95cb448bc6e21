import { beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../lib/connector/mod.ts";
import {
  decodeMachineEvent,
  decodeManifest,
  encodeMachineEvent,
  type MachineEvent,
  MachineGroup,
  machineEventSubject,
} from "../../lib/machine/mod.ts";
import { ProcessError, type runProcess } from "../../lib/process/mod.ts";
import { errorText, isObject, silentLogger } from "../../lib/std/mod.ts";
import recorded from "../fixtures/machines/engine_run.json" with { type: "json" };
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { testNode } from "../support/machine.ts";
import { settled } from "../support/machines.ts";

/** Machines of the recording that need a bucket, an archive or a program that is not there; they have tests of their own. */
const elsewhere = ["arch_a", "kv_a", "external_agents", "check_goss"];
/** Machines that do not load, and that do not start. */
const [broken, stuck] = ["broken", "badwatch"];

const clock = new FakeClock(Date.parse(recorded.started));
const folder = temporaryFolder();
const events: MachineEvent[] = [];
const sent: { subject: string; text: string }[] = [];
const faults: string[] = [];
let group: MachineGroup;

/** What the programs of the recording print, without running any. */
const runProgram: typeof runProcess = async (command, { timeout, env = {}, cwd = "" }) => {
  const [program = "", ...args] = command;
  const ended = (stdout: string, exitCode = 0) => ({
    stdout: Buffer.from(stdout),
    stderr: new Uint8Array(),
    exitCode,
    signal: null,
  });
  if (program.endsWith("/sleep")) {
    await clock.sleep(timeout);
    throw new ProcessError("timeout", "it took too long");
  }
  if (program.endsWith("/env.sh")) {
    writeFileSync(join(cwd, "env.txt"), JSON.stringify({ ...env, args }));
    return ended('{"answer":42,"nested":{"a":[1,2]}}');
  }
  if (program.endsWith("/m.sh")) return ended('{"labels":{"x":"y"},"metrics":{"v":1.5,"w":2},"time":1}');
  if (program.endsWith("/n.sh")) return ended("OK | t=1s u=2");
  if (program.endsWith("/b.sh")) return ended('{"metrics":');
  if (program.includes("nonexisting")) throw new ProcessError("start", "there is no such program");
  if (args[1]?.includes("kill -9")) return { ...ended(""), exitCode: null, signal: "SIGKILL" };
  const { stdout, exitCode } = Bun.spawnSync([...command], { stderr: "pipe", stdin: "ignore" });
  const stderr = /echo CRIT/.test(args[1] ?? "") ? "CRIT\n" : "";
  return ended(stdout.toString() + stderr, exitCode);
};

function touch(path: string): void {
  writeFileSync(path, "x");
  utimesSync(path, clock.now() / 1_000, clock.now() / 1_000);
}

beforeAll(async () => {
  // Everything but publishing is out of reach, as with a broker that is away.
  const connection = {
    publish: (subject: string, data: Uint8Array) => {
      sent.push({ subject, text: Buffer.from(data).toString() });
    },
  } as unknown as Connection;
  const node = {
    ...testNode({
      clock,
      facts: recorded.facts,
      connection,
      settings: { overridesFile: folder.file("overrides.json"), statusFile: folder.file("status.json") },
    }),
    identity: "vec.example.net",
    runProgram,
  };
  writeFileSync(folder.file("overrides.json"), JSON.stringify({ check_override: { args: "-w 1 <b>" } }));
  group = new MachineGroup({ node, logger: silentLogger, onEvent: (event) => events.push(event) });
  for (const [name, text] of Object.entries(recorded.machines)) {
    if (elsewhere.includes(name)) continue;
    try {
      const { manifest } = decodeManifest(text);
      mkdirSync(folder.file(name));
      const machine = group.add(folder.file(name), manifest);
      if (name === "file_a") touch(join(machine.folder, "watched.txt"));
      await machine.start();
    } catch (error) {
      faults.push(`${name}: ${errorText(error)}`);
    }
  }
  const watched = join(folder.file("file_a"), "watched.txt");
  const steps: [at: number, work: () => void][] = [
    [3_000, () => touch(watched)],
    [8_064, () => group.transition({ name: "check_2" }, "MAINTENANCE")],
    [8_119, () => group.transition({ name: "check_1", version: "1.0.0", path: folder.file("check_1") }, "FORCE_CHECK")],
    [8_119, () => group.transition({ name: "gossip_a" }, "stop")],
    [8_120, () => group.transition({ name: "switch_a" }, "turn_on")],
    [8_200, () => rmSync(watched)],
    [12_076, () => group.transition({ name: "check_2" }, "RESUME")],
    [12_100, () => group.transition({ name: "gossip_a" }, "go")],
  ];
  for (const [at, work] of steps) clock.after(at, work);
  await clock.advance(95_000, settled);
  group.stop();
});

/** The transitions of a machine. */
function transitionsOf(all: readonly MachineEvent[], machine: string): string[] {
  const found = all.filter((event) => event.machine === machine && event.kind === "transition");
  return [
    ...new Set(
      found.map((event) => (event.kind === "transition" ? `${event.from} ${event.transition} ${event.to}` : "")),
    ),
  ];
}

const theirs = recorded.events.flatMap((event) =>
  event.subject.startsWith("choria.machine.") && event.body !== undefined
    ? [decodeMachineEvent(JSON.stringify(event.body))]
    : [],
);

describe("the machines of the recording", () => {
  test("that cannot run say so as recorded", () => {
    expect(faults.toSorted()).toEqual([
      expect.stringMatching(new RegExp(`^${stuck}: unknown watcher 'bogus'`)),
      expect.stringMatching(new RegExp(`^${broken}: could not load machine.yaml`)),
    ]);
  });

  const names = Object.keys(recorded.machines).filter(
    (name) => ![...elsewhere, broken, stuck, "check_choria"].includes(name),
  );
  for (const name of names) {
    test(`${name} makes the same transitions in the same order`, () => {
      expect(transitionsOf(events, name)).toEqual(transitionsOf(theirs, name));
    });
  }

  test("publish documents of the recorded shape, key by key", () => {
    const shapes = (all: readonly MachineEvent[]) => {
      const byType = new Map<string, string>();
      for (const event of all) {
        const document: unknown = JSON.parse(Buffer.from(encodeMachineEvent(event)).toString());
        if (isObject(document) && isObject(document.data)) {
          byType.set(machineEventSubject(event), `${Object.keys(document)} ${Object.keys(document.data)}`);
        }
      }
      return byType;
    };
    const [ours, wanted] = [shapes(events), shapes(theirs)];
    expect(ours.size).toBeGreaterThan(7);
    for (const [subject, keys] of ours) expect([subject, keys]).toEqual([subject, wanted.get(subject) ?? ""]);
  });

  test("leave the recorded files", () => {
    const read = (path: string) => readFileSync(folder.file(path), "utf8");
    expect(read("exec_a/machine_data.json")).toBe(recorded.files["machines/exec_a/machine_data.json"].content);
    expect(read("file_a/out.txt")).toBe(recorded.files["machines/file_a/out.txt"].content);
    expect(JSON.parse(read("metric_a/machine_data.json"))).toMatchObject({
      metric: { "js on": { labels: { dc: "LON,1", format: "choria", x: "y" }, metrics: { v: 1.5, w: 2 } } },
    });
    const env: unknown = JSON.parse(read("exec_a/env.txt"));
    expect(env).toEqual({
      HELLO: "world RedHat",
      MACHINE_NAME: "exec_a",
      MACHINE_WATCHER_NAME: "ok",
      PATH: `${process.env.PATH}:${folder.file("exec_a")}`,
      WATCHER_DATA: expect.any(String),
      WATCHER_FACTS: expect.any(String),
      args: ["mt z", "DFLT"],
    });
  });

  test("say on the network what else they say", () => {
    const gossip = (subject: string) => sent.find((message) => message.subject.startsWith(subject))?.text;
    expect(JSON.parse(gossip("$KV.CHORIA_SERVICES.c1.http.web.") ?? "{}")).toEqual({
      cluster: "c1",
      service: "web",
      protocol: "http",
      address: "192.168.1.1",
      port: 80,
      priority: 1,
      annotations: { a: "b" },
    });
  });
});
