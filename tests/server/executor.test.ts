import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { JobSpool, type NewJob, newJob } from "../../lib/executor/mod.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";
import { checkout, run } from "../cmd/support.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, startTestServer, TestClient } from "./support/server.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
const identity = "n1.example.net";
const jobs = new JobSpool(folder.file("jobs"));
const basis = { agent: "rpcutil", action: "ping", caller: "up=bob", requestId: "r1", identity };
const nodeSettings: Record<string, string> = {
  "plugin.choria.executor.enabled": "1",
  "plugin.choria.executor.spool": folder.file("jobs"),
  "plugin.choria.submission.spool": folder.file("spool"),
  rpcauthorization: "1",
  rpcauthprovider: "aaasvc",
};
let broker: TestBroker;
let network: Network;
let bob: TestClient;
let eve: TestClient;
let server: ServerHandle;
const events: string[] = [];

async function startNode(): Promise<ServerHandle> {
  const member = await organization.server({ identity, collectives: ["choria"], permissions: { submission: true } });
  const { tokenFile, seedFile } = member.save(folder.file("node"));
  const credentials = { "plugin.security.choria.token_file": tokenFile, "plugin.security.choria.seed_file": seedFile };
  return startTestServer(network, identity, { ...nodeSettings, ...credentials });
}

beforeAll(async () => {
  const settings = { "plugin.choria.network.stream.executor_retention": "1h" };
  broker = await startTestBroker({ organization, settings });
  network = { address: broker.address, organization, file: folder.file };
  const permissions = { fleet_management: true, streams_user: true };
  const sub_subjects = ["choria.submission.in.>"];
  const may = (agents: string[]) => ({ permissions, sub_subjects, agents });
  const member = await organization.client({ callerid: "up=bob", ...may(["executor.*", "rpcutil.ping"]) });
  bob = await TestClient.connect(network, member);
  writeClientConfig(member.save(folder.file("bob")));
  eve = await TestClient.connect(network, await organization.client({ callerid: "up=eve", ...may(["executor.*"]) }));
  bob.connection.subscribe("choria.submission.in.choria.executor.>", ({ subject }) => {
    events.push(subject.split(".").slice(6).join("."));
  });
  await bob.connection.flush();
  server = await startNode();
});

/** The configuration with which bob uses the command line. */
function writeClientConfig({ tokenFile, seedFile }: { tokenFile: string; seedFile: string }): void {
  const settings = {
    "plugin.security.provider": "choria",
    "plugin.security.choria.token_file": tokenFile,
    "plugin.security.choria.seed_file": seedFile,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": organization.issuer.publicKey,
    "plugin.choria.middleware_hosts": broker.address,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(folder.file("client.conf"), lines.join(""));
}

afterAll(async () => {
  await bob?.connection.close();
  await eve?.connection.close();
  await server?.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

/** Prepare a job and start its supervisor, as an agent does. */
function startJob(command: string, args: string[], fields: Partial<NewJob> = {}) {
  const job = newJob({ ...basis, command, args, ...fields }, Date.now());
  jobs.create(job);
  const config = folder.file("supervisor.conf");
  const lines = Object.entries(nodeSettings).map(([key, value]) => `${key} = ${value}\n`);
  writeFileSync(config, `loglevel = error\n${lines.join("")}`);
  const program = [
    "run",
    "cmd/choria.ts",
    "exec-supervisor",
    "--config",
    config,
    "--track-output",
    "--process",
    job.id,
  ];
  const supervisor = Bun.spawn([process.execPath, ...program], { cwd: checkout, stdout: "ignore", stderr: "inherit" });
  return { job, supervisor };
}

async function call(client: TestClient, action: string, data: object) {
  const reply = await client.call(identity, "executor", action, data);
  const outputs: JsonObject = isObject(reply.data) ? reply.data : {};
  return { code: reply.statuscode, text: reply.statusmsg, data: outputs };
}

describe("the agent executor", () => {
  test("tells of a job, and lists it, to those who may start it in full", async () => {
    const { job, supervisor } = startJob("sh", ["-c", "echo hello; exit 4"]);
    await supervisor.exited;
    const { data } = await call(bob, "status", { id: job.id });
    expect(data).toMatchObject({
      command: "sh",
      args: "-c echo hello; exit 4",
      agent: "rpcutil",
      action: "ping",
      caller: "up=bob",
      requestid: "r1",
      started: true,
      running: false,
      exit_code: 4,
      exit_reason: "",
      stdout_bytes: 6,
      stderr_bytes: 0,
    });
    expect((await call(eve, "status", { id: job.id })).data).toMatchObject({
      command: "Not authorized",
      args: "",
      exit_code: 4,
    });
    expect((await call(bob, "list", { completed: true, requestid: "r1" })).data.jobs).toMatchObject([
      { id: job.id, command: "sh", identity, agent: "rpcutil", action: "ping" },
    ]);
    expect((await call(bob, "list", { running: true })).data.jobs).toEqual([]);
    expect((await call(bob, "list", { agent: "other" })).data.jobs).toEqual([]);
  });

  test("sends signals for those who may start the job, and for nobody else", async () => {
    const { job, supervisor } = startJob("sleep", ["60"]);
    await waitFor("the job to run", () => jobs.isRunning(job.id));
    const refused = await call(eve, "signal", { id: job.id, signal: 15 });
    expect(refused).toMatchObject({ code: 1, text: "You are not authorized to call this rpcutil#ping" });
    expect(jobs.isRunning(job.id)).toBe(true);
    expect((await call(bob, "signal", { id: job.id, signal: 0 })).data).toEqual({
      pid: jobs.pid(job.id),
      running: true,
    });
    expect(await call(bob, "signal", { id: job.id, signal: 15 })).toMatchObject({ code: 0, data: { running: false } });
    await supervisor.exited;
    const { data } = await call(bob, "status", { id: job.id });
    expect(data).toMatchObject({ exit_code: -1, exit_reason: "process failed: process killed", running: false });
    expect((await call(bob, "signal", { id: job.id, signal: 15 })).text).toBe(`Job ${job.id} is not running`);
  });

  test("says that there is no such job, and refuses what is no signal", async () => {
    const text = "Could not load job: specification not found";
    for (const id of ["x", "../../etc"]) expect(await call(bob, "status", { id })).toMatchObject({ code: 1, text });
    expect(await call(bob, "signal", { id: "x", signal: 1 })).toMatchObject({ code: 1, text });
    const { job, supervisor } = startJob("true", []);
    await supervisor.exited;
    for (const signal of [-1, 65]) {
      expect(await call(bob, "signal", { id: job.id, signal })).toMatchObject({ code: 1, text: "Signal is required" });
    }
    expect(await call(bob, "signal", { id: job.id, signal: "9" })).toMatchObject({ code: 4 });
  });
});

describe("a job", () => {
  test("outlives the server, which finds it again and sends its events", async () => {
    const flag = folder.file("go-on");
    mkdirSync(folder.file("spool"), { recursive: true });
    const { job, supervisor } = startJob("sh", ["-c", `until [ -e ${flag} ]; do sleep 0.05; done; echo done`]);
    await waitFor("the job to run", () => jobs.isRunning(job.id));
    await server.stop();
    events.length = 0;
    expect(jobs.isRunning(job.id)).toBe(true);
    server = await startNode();
    expect((await call(bob, "status", { id: job.id })).data).toMatchObject({ running: true, exit_code: -1 });
    writeFileSync(flag, "");
    await supervisor.exited;
    await waitFor("the last event", () => events.includes(`${job.id}.exit`));
    expect(events.filter((event) => event.startsWith(job.id))).toContain(`${job.id}.out.stdout`);
    expect((await call(bob, "status", { id: job.id })).data).toMatchObject({ running: false, exit_code: 0 });
  });
});

describe("choria executor", () => {
  const choria = (...args: string[]) =>
    run([
      process.execPath,
      "run",
      "cmd/choria.ts",
      "executor",
      ...args,
      "-I",
      identity,
      "--config",
      folder.file("client.conf"),
    ]);

  test("shows how a command is doing, and sends it signals", async () => {
    const { job, supervisor } = startJob("sleep", ["60"]);
    await waitFor("the job to run", () => jobs.isRunning(job.id));
    const info = await choria("info", job.id);
    expect(info).toMatchObject({ code: 0, err: "" });
    expect(info.out).toContain("Command: sleep\n");
    expect(info.out).toContain("Running: true\n");
    const signal = await choria("signal", "15", job.id, "--json");
    expect(JSON.parse(signal.out)).toMatchObject({ replies: [{ sender: identity, data: { running: false } }] });
    await supervisor.exited;
    const again = await choria("kill", "15", job.id);
    expect(again).toMatchObject({ code: 1, err: `choria: error: ${identity}: Job ${job.id} is not running\n` });
  });

  test("says that no node has a command, and refuses what is no signal", async () => {
    const unknown = await choria("info", "nonesuch");
    expect(unknown).toMatchObject({ code: 1, out: "", err: "choria: error: No node has the command nonesuch\n" });
    expect((await choria("signal", "TERM", "x")).err).toContain("A signal is a number from 0 to 64.");
  });

  const watch = (...args: string[]) =>
    run([
      process.execPath,
      "run",
      "cmd/choria.ts",
      "executor",
      "watch",
      ...args,
      "--config",
      folder.file("client.conf"),
    ]);

  test("shows what a command says from its beginning, and ends as it does", async () => {
    const { job, supervisor } = startJob("sh", ["-c", "echo hello; echo oops >&2; exit 7"]);
    const [followed] = await Promise.all([watch(job.id), supervisor.exited]);
    expect(followed).toEqual({ code: 7, out: "hello\n", err: "oops\n" });
    // The stream keeps it for those who come late.
    expect(await watch(job.id)).toEqual(followed);
  });

  test("follows all commands until it is interrupted", async () => {
    const args = ["run", "cmd/choria.ts", "executor", "watch", "--config", folder.file("client.conf")];
    const child = Bun.spawn([process.execPath, ...args], { cwd: checkout, stdout: "pipe", stderr: "inherit" });
    let text = "";
    const reading = (async () => {
      for await (const bytes of child.stdout) text += new TextDecoder().decode(bytes);
    })();
    await waitFor("the watch to begin", () => text.includes("Waiting for commands"));
    await waitFor("the end of a command", async () => {
      await startJob("true", []).supervisor.exited;
      return text.includes("ended with exit code 0");
    });
    expect(text).toMatch(/^\d\d:\d\d:\d\d n1\.example\.net [0-9a-f]{20}: true for up=bob by rpcutil#ping$/m);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await reading;
  });

  test("says that an id is none", async () => {
    expect((await watch("a.b")).err).toBe('choria: error: "a.b" is no id of a job\n');
  });
});
