import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import {
  type JobEvents,
  type JobExit,
  JobSpool,
  jobEvents,
  type NewJob,
  newJob,
  superviseJob,
} from "../../lib/executor/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { Spool } from "../../lib/submission/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";

const now = Date.UTC(2026, 10, 22);

function workshop(command: string[], fields: Partial<NewJob> = {}) {
  const folder = temporaryFolder();
  const spool = new JobSpool(folder.file("jobs"));
  const [program = "", ...args] = command;
  const basis = { agent: "shell", action: "run", caller: "up=bob", requestId: "r1", identity: "n1" };
  const job = newJob({ ...basis, command: program, args, ...fields }, now);
  spool.create(job);
  const told: string[] = [];
  const events: JobEvents = {
    spec: ({ started }) => told.push(`spec ${started !== undefined}`),
    pid: (pid) => told.push(`pid ${pid === spool.pid(job.id)}`),
    heartbeat: (isRunning) => told.push(`hb ${isRunning}`),
    output: (stream, data) => told.push(`${stream} ${Buffer.from(data).toString()}`),
    exit: (exit) => told.push(`exit ${JSON.stringify(exit)}`),
  };
  const supervise = (changes: { heartbeat?: number; trackOutput?: boolean; events?: JobEvents } = {}) => {
    const options = { spool, events, heartbeat: 0, trackOutput: false, clock: systemClock, logger: silentLogger };
    return superviseJob(spool.load(job.id), { ...options, ...changes });
  };
  return { folder, spool, job, told, supervise };
}

const shell = (script: string) => ["sh", "-c", script];

describe("a supervised job", () => {
  test("keeps what it prints and how it ended in its folder, and tells of it", async () => {
    const { folder, spool, job, told, supervise } = workshop(shell("echo out; echo err >&2; exit 3"));
    using _folder = folder;
    expect(await supervise({ trackOutput: true })).toEqual({ code: 3, error: "" });
    const files = spool.files(job.id);
    expect(readFileSync(files.stdout, "utf8")).toBe("out\n");
    expect(readFileSync(files.stderr, "utf8")).toBe("err\n");
    expect(readFileSync(files.exit, "utf8")).toBe('{"code":3,"error":""}');
    const { started, terminated, stdoutFile } = spool.load(job.id);
    expect(stdoutFile).toBe(files.stdout);
    expect((terminated ?? 0) - (started ?? Number.NaN)).toBeGreaterThanOrEqual(0);
    expect(told.slice(0, 2)).toEqual(["spec true", "pid true"]);
    expect(told.slice(2).sort()).toEqual(['exit {"code":3,"error":""}', "stderr err\n", "stdout out\n"]);
  });

  test("has an environment and a folder of its own", async () => {
    const script = 'echo "$GREETING $HOME $PWD"; env | sort | cut -d= -f1 | tr "\\n" " "';
    const { folder, spool, job, supervise } = workshop(shell(script), { environment: { GREETING: "hi" } });
    using _folder = folder;
    process.env.CHORIA_TEST_SECRET = "s3cret";
    await supervise();
    delete process.env.CHORIA_TEST_SECRET;
    const [first, names] = readFileSync(spool.files(job.id).stdout, "utf8").split("\n");
    expect(first).toBe("hi  /");
    expect(names).not.toContain("CHORIA_TEST_SECRET");
  });

  test("gives signs of life, and can be sent a signal", async () => {
    const { folder, spool, job, told, supervise } = workshop(["sleep", "60"]);
    using _folder = folder;
    const done = supervise({ heartbeat: 20 });
    await waitFor("a sign of life", () => told.includes("hb true"));
    spool.signal(job.id, 15);
    expect(await done).toEqual({ code: -1, error: "process killed" });
    expect(spool.isRunning(job.id)).toBe(false);
    expect(spool.exit(job.id)).toEqual<JobExit>({ code: -1, error: "process killed" });
  });

  test("that cannot be started says so, and is not started again", async () => {
    const { folder, spool, job, told, supervise } = workshop(["/nonexistent/program"]);
    using _folder = folder;
    await expect(supervise()).rejects.toThrow("start failed");
    expect(spool.isStarted(job.id)).toBe(false);
    expect(spool.exit(job.id)?.error).toContain("start failed");
    expect(told.at(-1)).toStartWith("exit ");
    await expect(supervise()).rejects.toThrow("already started");
  });

  test("submits its events, reliable and before ordinary messages", async () => {
    const { folder, job, supervise } = workshop(shell("echo hello"));
    using _folder = folder;
    const messages = new Spool({ folder: folder.file("spool"), maxSize: 100, clock: systemClock });
    await supervise({ trackOutput: true, events: jobEvents(job, messages, silentLogger) });
    const found = messages.names(1).map((name) => messages.read(1, name)?.message);
    expect(found.map((message) => message?.subject)).toEqual(
      ["spec", "pid", "out.stdout", "exit"].map((event) => `choria.executor.r1.${job.id}.${event}`),
    );
    expect(found.every((message) => message?.reliable && message.identity === "n1")).toBe(true);
    expect(Buffer.from(found[3]?.payload ?? []).toString()).toBe('{"code":0,"error":""}');
  });

  test("runs to its end although nobody can be told", async () => {
    const { folder, job, supervise } = workshop(shell("exit 0"));
    using _folder = folder;
    const full = {
      submit: () => {
        throw new Error("spool is full");
      },
    };
    expect(await supervise({ events: jobEvents(job, full, silentLogger) })).toEqual({ code: 0, error: "" });
  });
});
