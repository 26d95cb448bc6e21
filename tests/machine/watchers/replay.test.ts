import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../../lib/connector/mod.ts";
import {
  decodeManifest,
  MachineGroup,
  type MachineNode,
  machineEventData,
  noSettings,
} from "../../../lib/machine/mod.ts";
import { ProcessError, type RunOptions, type RunResult } from "../../../lib/process/mod.ts";
import { encodeUtf8, errorText, isObject, type JsonObject, silentLogger } from "../../../lib/std/mod.ts";
import { FakeClock } from "../../support/clock.ts";
import { temporaryFolder } from "../../support/folder.ts";

/** What the original's engine did in 95 seconds with these machines. */
const vector: {
  started: string;
  facts: JsonObject;
  machines: Record<string, string>;
  events: { at_ms: number; subject: string; body?: JsonObject; raw?: string }[];
  snapshots: { states: { current_state?: Document }[] }[];
  calls: { at_ms: number; name: string; version: string; path: string; transition: string; error: string }[];
} = JSON.parse(readFileSync(join(import.meta.dir, "../../fixtures/machines/engine_run.json"), "utf8"));

/** Those of its machines whose watchers need neither a broker nor a program that is not on every host. */
const names = Object.keys(vector.machines).filter((name) =>
  /^(check_(?!goss|kvd)|exec_a|file_a|gossip_a|metric_a|sched_a|sub_a|switch_a)/.test(name),
);

/** What the programs of the machines print, and how they end. */
const programs: Readonly<Record<string, [output: string, exitCode: number]>> = {
  "env.sh": ['{"answer":42,"nested":{"a":[1,2]}}\n', 0],
  "m.sh": ['{"labels":{"x":"y"},"metrics":{"v":1.5,"w":2}}', 0],
  "n.sh": ["OK|t=1 u=2", 0],
  "b.sh": ["{neither", 0],
  true: ["", 0],
  false: ["", 1],
};

interface Document extends JsonObject {
  machine: string;
}

const root = "/opt/lab";
let ours: Document[] = [];
const refusals: { call: string; error: string }[] = [];
const folder = temporaryFolder();
const zone = process.env.TZ;

beforeAll(async () => {
  process.env.TZ = "UTC";
  const clock = new FakeClock(Date.parse(vector.started));
  const documents: Document[] = [];
  const node = labNode(clock, documents);
  const group = new MachineGroup({
    node,
    logger: silentLogger,
    onEvent: (event) => documents.push(machineEventData(event) as Document),
  });
  const machines = names.map((name) => {
    const path = folder.file(`machines/${name}`);
    mkdirSync(path, { recursive: true });
    return group.add(path, decodeManifest(vector.machines[name] ?? "").manifest);
  });
  for (const machine of machines) await machine.start();
  const steps: { at: number; work: () => void }[] = vector.calls
    .filter(({ name }) => names.includes(name) || name === "" || name === "nope")
    .map((call) => ({
      at: call.at_ms,
      work: () => {
        const { name, version, transition } = call;
        const path = call.path.replace(root, folder.path);
        let error = "";
        try {
          group.transition({ name, version, path }, transition);
        } catch (thrown) {
          error = errorText(thrown);
        }
        refusals.push({ call: `${name} ${version} ${transition}`, error });
      },
    }));
  const watched = folder.file("machines/file_a/watched.txt");
  steps.push({ at: 3_100, work: () => writeFileSync(watched, "1") }, { at: 8_500, work: () => rmSync(watched) });
  for (const step of steps.sort((a, b) => a.at - b.at)) {
    await clock.advance(Date.parse(vector.started) + step.at - clock.now(), settle);
    step.work();
  }
  await clock.advance(Date.parse(vector.started) + 95_000 - clock.now(), settle);
  for (const machine of machines) machine.stop();
  ours = documents;
});

afterAll(() => {
  folder[Symbol.dispose]();
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** Files and accounts are looked at without holding up others, so the hands of the clock wait for them. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function labNode(clock: FakeClock, documents: Document[]): MachineNode {
  writeFileSync(folder.file("overrides.json"), JSON.stringify({ check_override: { args: "-w 1 <b>" } }));
  const stats = { total: 1, valid: 2, invalid: 3, passed: 4, filtered: 5, replies: 6, ttlexpired: 7, events: 8 };
  const status = {
    uptime: 10,
    connected_server: "nats://127.0.0.1:4222",
    last_message: 0,
    stats,
    certificate_expires: "0001-01-01T00:00:00Z",
    token_expires: "2035-12-31T23:59:59Z",
  };
  writeFileSync(folder.file("status.json"), JSON.stringify(status));
  utimesSync(folder.file("status.json"), clock.now() / 1_000, clock.now() / 1_000);
  return {
    identity: "vec.example.net",
    collective: "choria",
    clock,
    random: () => 0.5,
    facts: async () => vector.facts,
    connection: labConnection(documents),
    runProgram: (command, options) => runLabProgram(command, options),
    settings: { ...noSettings, overridesFile: folder.file("overrides.json"), statusFile: folder.file("status.json") },
  };
}

/** A broker with a governor that has room, and nothing else. */
function labConnection(documents: Document[]): Connection {
  let sequence = 0;
  const connection = {
    publish: (subject: string, data: Uint8Array) => {
      const text = new TextDecoder().decode(data);
      if (subject.startsWith("choria.machine.")) return;
      documents.push({ machine: `(${subject})`, ...(text.startsWith("{") ? JSON.parse(text) : { raw: text }) });
    },
    nats: {
      request: async (subject: string, data: Uint8Array) => {
        documents.push({ machine: `(${subject})`, raw: new TextDecoder().decode(data) });
        return { data: encodeUtf8(JSON.stringify({ stream: "GOVERNOR_slow", seq: ++sequence })) };
      },
    },
  };
  return connection as unknown as Connection;
}

/** A program of the laboratory, whose time is that of the test. */
async function runLabProgram(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const [path = "", ...args] = command;
  const name = path.replace(/^.*\//, "");
  const ended = (output: string, exitCode: number | null): RunResult => ({
    stdout: encodeUtf8(output),
    stderr: new Uint8Array(),
    exitCode,
    signal: exitCode === null ? "SIGKILL" : null,
  });
  if (name === "echo") return ended(`${args.join(" ")}\n`, 0);
  if (name === "sleep") {
    await options.clock?.sleep(options.timeout, options.signal);
    throw new ProcessError("timeout", "it took too long");
  }
  if (name === "sh") {
    const script = args[1] ?? "";
    if (script.startsWith("kill")) return ended("", null);
    const [, quoted, plain = ""] = /echo (?:'([^']*)'|([^;>]*))/.exec(script) ?? [];
    return ended(quoted ?? plain, Number(/exit (\d)/.exec(script)?.[1] ?? 0));
  }
  const known = programs[name];
  if (known === undefined) throw new ProcessError("start", "there is no such program");
  return ended(...known);
}

/** A document without what differs from run to run. */
function settled(document: Document): string {
  const text = JSON.stringify(document, (key, value: unknown) => {
    // A machine was changed there halfway.
    if (key === "version") return "1.x";
    if (["id", "timestamp", "runtime", "check_time", "previous_run_time", "previous_gossip", "time"].includes(key)) {
      return typeof value;
    }
    if (["choria_runtime_seconds", "sequence", "execute"].includes(key)) return typeof value;
    if (key === "history" && Array.isArray(value)) return value.slice(-1);
    if (isObject(value) && value.label === "token_expire_seconds") return { ...value, value: "…" };
    if (isObject(value)) return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    return value;
  });
  return text
    .replaceAll(folder.path, root)
    .replace(/token_expire_seconds=\d+/g, "token_expire_seconds=…")
    .replace(/"output":"\d{10}"/, '"output":"…"');
}

function theirs(): Document[] {
  return vector.events.flatMap(({ subject, body, raw }) => {
    if (isObject(body?.data)) return [body.data as Document];
    return [{ machine: `(${subject})`, ...(body ?? { raw }) }];
  });
}

const wanted = [...names, "(choria.governor.slow)", "(choria.lifecycle.event.governor.exec_a)", "(gossip.test)"];

describe("the machines of the original's laboratory", () => {
  test("were all run", () => {
    expect(names).toHaveLength(21);
  });

  test.each(wanted)("%s publishes what it did there, and nothing else", (name) => {
    const distinct = (documents: Document[]) => [
      ...new Set(documents.filter(({ machine }) => machine === name).map(settled)),
    ];
    // There an engine that stalled made a command run out of its time, which ours does not.
    const isStall = (text: string) => text.includes('"name":"stayer"');
    const expected = distinct(theirs()).filter((text) => !isStall(text));
    // Repetitions were left out of the record, but the states that it holds show what they said.
    const seen = distinct(
      vector.snapshots.flatMap(({ states }) => states.flatMap((state) => state.current_state ?? [])),
    );
    expect(expected.filter((text) => !distinct(ours).includes(text))).toEqual([]);
    expect(distinct(ours).filter((text) => !expected.includes(text) && !seen.includes(text))).toEqual([]);
  });

  test("refuse the transitions that they refused there, with the same words", () => {
    for (const { name, version, transition, error } of vector.calls) {
      const call = `${name} ${version} ${transition}`;
      if (!names.includes(name) && name !== "" && name !== "nope") continue;
      expect(refusals.filter((refusal) => refusal.call === call).map((refusal) => refusal.error)).toContain(error);
    }
  });
});
