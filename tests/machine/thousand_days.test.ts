import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { decodeManifest, type MachineEvent, MachineGroup } from "../../lib/machine/mod.ts";
import type { runProcess } from "../../lib/process/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { testNode } from "../support/machine.ts";

const day = 86_400_000;
const days = 30;
const perKind = 10;

/** Goes round and round: a timer of a minute, then one of nine. */
const pump = (name: string) => `name: ${name}
version: 1.0.0
initial_state: IDLE
transitions:
  - {name: start, from: [IDLE], destination: RUN}
  - {name: stop, from: [RUN], destination: IDLE}
watchers:
  - {name: rest, type: timer, state_match: [IDLE], fail_transition: start, properties: {timer: 9m}}
  - {name: work, type: timer, state_match: [RUN], fail_transition: stop, properties: {timer: 1m}}
`;

/** On for an hour every four hours. */
const irrigation = (name: string) => `name: ${name}
version: 1.0.0
initial_state: "OFF"
transitions:
  - {name: "on", from: ["OFF"], destination: "ON"}
  - {name: "off", from: ["ON"], destination: "OFF"}
watchers:
  - {name: hours, type: schedule, success_transition: "on", fail_transition: "off", properties: {duration: 1h, schedules: ["0 */4 * * *"]}}
`;

/** A check whose plugin is fine, then not, each time it is asked. */
const check = (name: string) => `name: ${name}
version: 1.0.0
initial_state: UNKNOWN
transitions:
  - {name: UNKNOWN, from: [UNKNOWN, OK, CRITICAL], destination: UNKNOWN}
  - {name: OK, from: [UNKNOWN, OK, CRITICAL], destination: OK}
  - {name: CRITICAL, from: [UNKNOWN, OK, CRITICAL], destination: CRITICAL}
watchers:
  - {name: check, type: nagios, interval: 5m, announce_interval: 1d, properties: {plugin: "flap ${name}"}}
`;

/** Follows a pump. */
const follower = (name: string, leader: string, watcher: string) => `name: ${name}
version: 1.0.0
initial_state: LOW
transitions:
  - {name: rise, from: [LOW], destination: HIGH, subscribe: [{machine_name: ${leader}, event: start}]}
  - {name: sink, from: [HIGH], destination: LOW, subscribe: [{machine_name: ${leader}, event: stop}]}
watchers:
  - ${watcher}
`;

/** Files of data and facts are written for each run, which is what takes the time here: few machines run commands. */
const note = '{name: note, type: exec, properties: {command: "note it", suppress_success_announce: true}}';
const wait = "{name: wait, type: timer, state_match: [HIGH], properties: {timer: 30s}}";

test("fifty machines run for thirty days without drift, leak or a schedule that is missed", async () => {
  const started = performance.now();
  using folder = temporaryFolder();
  const clock = new FakeClock(Date.UTC(2026, 0, 5, 0, 0, 30));
  const counts = { transitions: new Map<string, number>(), flaps: 0, notes: 0, announced: 0 };
  const switchedOn: number[] = [];
  const program: typeof runProcess = async (command) => {
    if (command.includes("it")) counts.notes++;
    const exitCode = command.includes("it") ? 0 : 2 * (counts.flaps++ % 2);
    return { stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode, signal: null };
  };
  const onEvent = (event: MachineEvent) => {
    if (event.kind === "watcher") counts.announced++;
    else counts.transitions.set(event.machine, (counts.transitions.get(event.machine) ?? 0) + 1);
    if (event.kind === "transition" && event.machine === "irrigation0" && event.to === "ON")
      switchedOn.push(clock.now());
  };
  const node = { ...testNode({ clock }), runProgram: program };
  const group = new MachineGroup({ node, logger: silentLogger, onEvent });
  const texts = Array.from({ length: perKind }, (_, at) => [
    pump(`pump${at}`),
    irrigation(`irrigation${at}`),
    check(`check${at}`),
    follower(`follower${at}`, `pump${at}`, at === 0 ? note : wait),
    follower(`chain${at}`, `follower${at}`, wait)
      .replace("event: start", "event: rise")
      .replace("event: stop", "event: sink"),
  ]).flat();
  for (const text of texts) {
    const { manifest } = decodeManifest(text.replaceAll("flap ", "/bin/flap ").replaceAll("note it", "/bin/note it"));
    mkdirSync(folder.file(manifest.name));
    await group.add(folder.file(manifest.name), manifest).start();
  }
  await clock.advance(day, settled);
  const timers = clock.pending;
  const heap = heapInUse();
  for (let count = 1; count < days; count++) await clock.advance(day, settled);

  // No drift: a round of ten minutes is one of ten minutes still, and so are its followers.
  const rounds = (days * day) / 600_000;
  for (const name of ["pump", "follower", "chain"]) {
    for (let at = 0; at < perKind; at++) {
      expect(Math.abs((counts.transitions.get(`${name}${at}`) ?? 0) - 2 * rounds)).toBeLessThanOrEqual(2);
    }
  }
  expect(Math.abs(counts.notes - 2 * rounds)).toBeLessThanOrEqual(2);
  // No schedule is missed: six times a day, each within a second of its hour.
  expect(switchedOn).toHaveLength(6 * days);
  for (const time of switchedOn) expect((time + 1_000) % (4 * 3_600_000)).toBeLessThanOrEqual(2_000);
  expect(counts.transitions.get("irrigation9")).toBe(2 * 6 * days - 1);
  // Each check was made every five minutes.
  expect(Math.abs(counts.flaps - (perKind * days * day) / 300_000)).toBeLessThanOrEqual(2 * perKind);
  // No leak: as many timers as on the first day, and about as much memory.
  expect(Math.abs(clock.pending - timers)).toBeLessThanOrEqual(2 * perKind);
  expect(heapInUse() - heap).toBeLessThan(16 * 1024 * 1024);
  group.stop();
  expect(clock.pending).toBe(0);
  expect(performance.now() - started).toBeLessThan(45_000);
}, 60_000);

/** Turns enough for what a timer sets off, and far cheaper than to let the event loop go round. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined;
}

function heapInUse(): number {
  Bun.gc(true);
  return process.memoryUsage().heapUsed;
}
