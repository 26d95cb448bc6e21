import { expect, test } from "bun:test";
import { readFileSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import { type ActionCall, auditLine, fileAuditor } from "../../lib/rpc/mod.ts";
import { type JsonObject, silentLogger } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";

const sample = readFileSync(join(import.meta.dir, "../fixtures/server/audit.log"), "utf8")
  .trim()
  .split("\n");

function callOf(line: string): { call: ActionCall; now: number } {
  const entry = JSON.parse(line) as Record<string, string> & { request_time: number; data: JsonObject };
  const { agent = "", action = "", request_id: id = "", caller = "", sender = "" } = entry;
  const time = BigInt(entry.request_time) * 1_000_000_000n;
  const request = { message: new Uint8Array(), id, sender, caller, collective: "choria", agent, ttl: 60, time };
  const message = { request: { ...request, filter: emptyFilter() }, payload: new Uint8Array() };
  // Go's clock has microseconds; ours may have them as a fraction.
  const micros = Number(/\.\d{3}(\d{3})/.exec(entry.timestamp ?? "")?.[1]);
  const now = Date.parse(entry.timestamp?.replace("+0000", "Z") ?? "") + micros / 1_000;
  return { call: { agent, action, data: entry.data, message }, now: Math.round(now * 1_000) / 1_000 };
}

test("lines of the audit log are those of the original, byte for byte", () => {
  for (const line of sample) {
    const { call, now } = callOf(line);
    // A double holds the microsecond only nearly.
    const strip = (text: string) => text.replace(/\d{3}\+0000/, "+0000");
    expect(strip(auditLine(call, now))).toBe(strip(line));
  }
  expect(auditLine(callOf(sample[0] ?? "").call, 0)).toStartWith('{"timestamp":"1970-01-01T00:00:00.000000+0000",');
});

test("each call is appended as a line, and the file has its mode even after it was rotated away", () => {
  using folder = temporaryFolder();
  const file = folder.file("log/audit.log");
  const auditor = fileAuditor({ file, mode: "0640", clock: new FakeClock(), logger: silentLogger });
  const { call } = callOf(sample[0] ?? "");
  auditor.record(call);
  auditor.record(call);
  expect(readFileSync(file, "utf8").trimEnd().split("\n")).toHaveLength(2);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  unlinkSync(file);
  auditor.record(call);
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test("the file is for its owner alone by default", () => {
  using folder = temporaryFolder();
  const file = folder.file("audit.log");
  fileAuditor({ file, clock: new FakeClock(), logger: silentLogger }).record(callOf(sample[0] ?? "").call);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("the file belongs to the group that is asked for", () => {
  using folder = temporaryFolder();
  const file = folder.file("audit.log");
  const group = String(statSync(folder.path).gid);
  fileAuditor({ file, group, clock: new FakeClock(), logger: silentLogger }).record(callOf(sample[0] ?? "").call);
  expect(statSync(file).gid).toBe(Number(group));
});

test("modes and groups that cannot be used are refused at once", () => {
  const options = { file: "/nowhere", clock: new FakeClock(), logger: silentLogger };
  expect(() => fileAuditor({ ...options, mode: "rw" })).toThrow("expected octal digits");
  expect(() => fileAuditor({ ...options, group: "no such group" })).toThrow('Cannot find the group "no such group"');
});

test("a line that cannot be written is logged and stops nothing", () => {
  using folder = temporaryFolder();
  const lines: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void lines.push(message) };
  const auditor = fileAuditor({ file: folder.path, clock: new FakeClock(), logger });
  auditor.record(callOf(sample[0] ?? "").call);
  expect(lines).toEqual(["A call could not be audited"]);
});
