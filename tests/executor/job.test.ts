import { describe, expect, test } from "bun:test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { decodeJob, encodeJob } from "../../lib/executor/job.ts";
import { type Job, JobSpool, matchesQuery, type NewJob, newJob } from "../../lib/executor/mod.ts";
import { OutputPieces } from "../../lib/executor/output.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";

const now = Date.UTC(2026, 10, 22);
const basis: NewJob = {
  agent: "shell",
  action: "run",
  caller: "up=bob",
  requestId: "r1",
  identity: "n1.example.net",
  command: "/bin/true",
};

describe("a job", () => {
  test("is written with the keys that peers know, in their order", () => {
    const document = JSON.parse(encodeJob(newJob({ ...basis, args: ["a"], environment: { A: "1" } }, now)));
    expect(Object.keys(document)).toEqual(
      "action agent args caller created command environment heartbeat id identity pid requestid start stderr stdout terminate".split(
        " ",
      ),
    );
    expect(document).toMatchObject({
      created: "2026-11-22T00:00:00.000Z",
      start: "0001-01-01T00:00:00Z",
      heartbeat: 0,
    });
  });

  test("survives being written and read", () => {
    const job: Job = { ...newJob(basis, now), started: now + 1, terminated: now + 2, heartbeat: 5_000, pidFile: "/x" };
    expect(decodeJob(Buffer.from(encodeJob(job)))).toEqual(job);
  });

  test.each<[Partial<NewJob>, string]>([
    [{ caller: "" }, "invalid process: no caller"],
    [{ requestId: "" }, "invalid process: no request id"],
    [{ identity: "" }, "invalid process: no identity"],
    [{ command: "" }, "invalid process: no command"],
    [{ id: "" }, "invalid process: no id"],
    [{ id: "../x" }, "invalid process: no id"],
  ])("is refused: %p", (fields, text) => {
    expect(() => newJob({ ...basis, ...fields }, now)).toThrow(text);
  });

  test("is wanted when everything asked for is so", () => {
    const job = newJob(basis, now);
    const runs = { isStarted: true, isRunning: true };
    const done = { isStarted: true, isRunning: false };
    expect(matchesQuery(job, runs, {})).toBe(true);
    expect(matchesQuery(job, runs, { agent: "shell", caller: "up=bob", running: true, completed: false })).toBe(true);
    expect(matchesQuery(job, runs, { agent: "shell", action: "stop" })).toBe(false);
    expect(matchesQuery(job, runs, { completed: true })).toBe(false);
    expect(matchesQuery(job, done, { completed: true })).toBe(true);
    expect(matchesQuery(job, done, { running: true })).toBe(false);
    expect(matchesQuery(job, { isStarted: false, isRunning: false }, { completed: true })).toBe(false);
    expect(matchesQuery(job, runs, { since: now - 1, before: now + 1 })).toBe(true);
    expect(matchesQuery(job, runs, { since: now })).toBe(false);
    expect(matchesQuery(job, runs, { before: now })).toBe(false);
  });
});

describe("the folder of jobs", () => {
  test("gives each job a folder, for its owner alone, once", () => {
    using folder = temporaryFolder();
    const spool = new JobSpool(folder.file("jobs"));
    const job = newJob(basis, now);
    spool.create(job);
    expect(() => spool.create(job)).toThrow("duplicate job");
    expect(spool.load(job.id)).toEqual(job);
    expect(statSync(folder.file("jobs")).mode & 0o777).toBe(0o700);
    expect(statSync(spool.files(job.id).spec).mode & 0o777).toBe(0o600);
    expect({ started: spool.isStarted(job.id), running: spool.isRunning(job.id) }).toEqual({
      started: false,
      running: false,
    });
  });

  test("knows no job of another name than its folder's, nor one outside", () => {
    using folder = temporaryFolder();
    const spool = new JobSpool(folder.path);
    for (const id of ["x", "../../etc", ""]) expect(() => spool.load(id)).toThrow("specification not found");
    mkdirSync(folder.file("other"));
    writeFileSync(spool.files("other").spec, encodeJob(newJob(basis, now)));
    expect(() => spool.load("other")).toThrow("specification could not be loaded");
    writeFileSync(spool.files("other").spec, "{");
    expect(() => spool.load("other")).toThrow("specification could not be loaded");
    expect(spool.list({})).toEqual([]);
    expect(() => new JobSpool("")).toThrow("spool not configured");
  });

  test.each([
    ["", "invalid pid file: 0 length pid"],
    ["1", "invalid pid file: impossible pid"],
    ["-1", "invalid pid file: impossible pid"],
    ["x", "invalid pid file: impossible pid"],
  ])("takes no process id of %p", (text, reason) => {
    using folder = temporaryFolder();
    const spool = new JobSpool(folder.path);
    const job = newJob(basis, now);
    spool.create(job);
    writeFileSync(spool.files(job.id).pid, text);
    expect(() => spool.pid(job.id)).toThrow(reason);
    expect(spool.isRunning(job.id)).toBe(false);
    expect(() => spool.signal(job.id, 9)).toThrow("process is not running");
  });

  test("does not take a process for a job's that was started after it", async () => {
    using folder = temporaryFolder();
    const spool = new JobSpool(folder.path);
    const job = newJob(basis, now);
    spool.create(job);
    const child = Bun.spawn(["sleep", "60"]);
    writeFileSync(spool.files(job.id).pid, String(child.pid));
    expect(spool.isRunning(job.id)).toBe(true);
    const { utimesSync } = await import("node:fs");
    utimesSync(spool.files(job.id).pid, 1_000, 1_000);
    expect(spool.isRunning(job.id)).toBe(process.platform !== "linux");
    child.kill();
    await child.exited;
  });
});

describe("what a command prints", () => {
  test("is told in whole lines, when there is enough of it or after a second", async () => {
    const clock = new FakeClock();
    const told: string[] = [];
    const pieces = new OutputPieces(clock, (data) => told.push(Buffer.from(data).toString()));
    pieces.add(Buffer.from("one\ntw"));
    expect(told).toEqual([]);
    await clock.advance(1_000);
    expect(told).toEqual(["one\n"]);
    pieces.add(Buffer.from(`o\n${"x".repeat(1_024)}`));
    expect(told).toEqual(["one\n", "two\n"]);
    pieces[Symbol.dispose]();
    expect(told.slice(2)).toEqual(["x".repeat(1_024)]);
    expect(clock.pending).toBe(0);
  });

  test("is told in parts where a line does not end", () => {
    const told: number[] = [];
    using pieces = new OutputPieces(new FakeClock(), (data) => told.push(data.length));
    for (let i = 0; i < 20; i++) pieces.add(new Uint8Array(1_000));
    expect(told.length).toBeGreaterThan(0);
  });
});
