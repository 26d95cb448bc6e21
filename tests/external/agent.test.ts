import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RpcReply } from "../../lib/protocol/mod.ts";
import vectors from "../fixtures/ddl/ddl_validation_vectors.json" with { type: "json" };
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { waitFor } from "../support/wait.ts";
import { agentFrom, callAgent, installAgent, isRunning, writeScript, writeSettled } from "./support.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const fixture = (name: string) => readFileSync(new URL(`../fixtures/external/${name}`, import.meta.url), "utf8");
/** Folders of calls that are in the folder for temporary files. */
const callFolders = () => readdirSync(tmpdir()).filter((name) => /^choria-[A-Za-z0-9]{6}$/.test(name));

/** Install an agent of which only the program matters, and call it. */
async function run(body: string, options: Parameters<typeof agentFrom>[1] & { timeout?: number } = {}) {
  const { timeout = 20, ...rest } = options;
  const libdir = folder.file(crypto.randomUUID());
  return callAgent(agentFrom(installAgent(libdir, "probe", body, { timeout }), rest), "run");
}

const aborted = (reason: string, data: unknown = {}) => ({ action: "run", statuscode: 1, statusmsg: reason, data });

describe("the contract with programs", () => {
  const dummy = folder.file("dummy.json");
  writeSettled(dummy, fixture("dummy.ddl.json"));
  writeScript(
    folder.file("dummy"),
    `echo "stdout line"; echo "stderr line" >&2
r() { printf '%s' "$1" > "$CHORIA_EXTERNAL_REPLY"; }
case $(sed -e 's/.*"action":"\\([a-z_0-9]*\\)".*/\\1/' "$CHORIA_EXTERNAL_REQUEST") in
 ok) r '{"statuscode":0,"statusmsg":"","data":{"msg":"hi","n":1}}';;
 nodata) r '{"statuscode":0,"statusmsg":"x"}';;
 nulldata) r '{"statuscode":0,"statusmsg":"x","data":null}';;
 listdata) r '{"statuscode":0,"statusmsg":"x","data":[1]}';;
 onlydata) r '{"data":{"msg":"only"}}';;
 extra) r '{"statuscode":3,"statusmsg":"missing","data":{"zz":1},"action":"other","other":1}';;
 bigcode) r '{"statuscode":300,"statusmsg":"missing","data":{}}';;
 code9) r '{"statuscode":9,"statusmsg":"nine","data":{}}';;
 badjson) r 'nope';;
 exitone) r '{"statuscode":0,"statusmsg":"","data":{}}'; exit 3;;
esac`,
  );
  const cases = fixture("dummy_action_replies.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { action: string; rpc_reply: RpcReply });

  test.each(cases)("the action $action is answered as by the original", async ({ action, rpc_reply }) => {
    const reply = await callAgent(agentFrom(dummy), action);
    // What exactly the parser of another language disliked is its own affair.
    const known = rpc_reply.statusmsg.replace(/(failed to decode reply json: )(?!unexpected end).*/, "$1");
    expect(reply).toEqual({ ...rpc_reply, statusmsg: expect.stringContaining(known) });
  });

  test("a code of the agent's own is passed on, and outputs with defaults are filled in", async () => {
    const reply = { action: "code9", statuscode: 9, statusmsg: "nine", data: { msg: "defmsg" } };
    expect(await callAgent(agentFrom(dummy), "code9")).toEqual(reply);
  });

  test("inputs are checked as the original's server checks them", async () => {
    const cases = vectors.server_input_validation.filter(({ request }) => request.startsWith("{"));
    expect(cases.length).toBeGreaterThan(50);
    rmSync(folder.file("dummy"));
    writeScript(folder.file("dummy"), `echo '{"data":{}}'`);
    for (const { request, valid, error } of cases) {
      const { statuscode, statusmsg } = await callAgent(agentFrom(dummy), "input", JSON.parse(request));
      expect({ request, statuscode, statusmsg }).toEqual({
        request,
        statuscode: valid ? 0 : 1,
        statusmsg: valid ? "OK" : `Validation failed: ${error}`,
      });
    }
  });

  test("arguments, environment, folder and files are the program's to rely on", async () => {
    const seen = folder.file("seen");
    await run(
      `{ echo "$@"; env | sort; ls -l "$1" "$2" "$CHORIA_EXTERNAL_FACTS" | cut -c1-10; stat -c %a .; pwd
cat "$CHORIA_EXTERNAL_FACTS"; } > ${seen}; cat > ${seen}.in; cp "$1" ${seen}.request; echo '{"data":{}}' > "$2"`,
    );
    const [args = "", ...lines] = readFileSync(seen, "utf8").trim().split("\n");
    const [request = "", reply = "", protocol] = args.split(" ");
    expect(protocol).toBe("io.choria.mcorpc.external.v1.rpc_request");
    const at = lines.findIndex((line) => line.startsWith("-rw"));
    const environment = lines.slice(0, at).filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line));
    const facts = environment.find((line) => line.startsWith("CHORIA_EXTERNAL_FACTS=")) ?? "";
    expect(environment).toEqual([
      "CHORIA_EXTERNAL_CONFIG=/etc/choria/plugin.d/probe",
      facts,
      "CHORIA_EXTERNAL_PROTOCOL=io.choria.mcorpc.external.v1.rpc_request",
      `CHORIA_EXTERNAL_REPLY=${reply}`,
      `CHORIA_EXTERNAL_REQUEST=${request}`,
      `PATH=${process.env.PATH}`,
    ]);
    expect(lines.slice(at)).toEqual([
      "-rw-------",
      "-rw-------",
      "-rw-------",
      "700",
      join(request, ".."),
      '{"os":"linux"}',
    ]);
    expect(request).toMatch(/\/request[0-9a-f]+$/);
    expect(reply).toMatch(/\/reply[0-9a-f]+$/);
    expect(facts).toMatch(/\/facts[0-9a-f]+$/);
    const text = readFileSync(`${seen}.request`, "utf8");
    expect(JSON.parse(text)).toMatchObject({ agent: "probe", action: "run", callerid: "rip", msgtime: 1795321606 });
    expect(readFileSync(`${seen}.in`, "utf8")).toBe(text);
    expect([request, reply].some(existsSync)).toBe(false);
  });

  test("what a program prints is the reply where the file stays empty and it is an object", async () => {
    expect(await run(`echo; echo '{"data":{"shown":"printed"}}'`)).toMatchObject({ data: { shown: "printed" } });
    expect(await run(`echo '{"data":{}}'; echo '{"data":{"shown":"written"}}' > "$2"`)).toMatchObject({
      data: { shown: "written" },
    });
  });

  test("what a program prints is logged, the reply is not", async () => {
    const logger = new RecordingLogger();
    await run(`echo hello; echo '{"data":{}}' > "$2"; echo trouble >&2`, { rpc: { logger } });
    await run(`echo '{"data":{"shown":"secret"}}'`, { rpc: { logger } });
    expect(logger.lines).toEqual([
      { level: "error", message: "The agent's program complains", fields: { agent: "probe", output: "trouble" } },
      { level: "info", message: "The agent's program says", fields: { agent: "probe", output: "hello" } },
    ]);
  });

  test("settings that somebody leaves in the folder for temporary files do not reach a program", async () => {
    using evil = temporaryFolder();
    const libdir = folder.file("evil");
    const program = join(libdir, "mcollective", "agent", "probe.ts");
    const before = process.env.TMPDIR;
    mkdirSync(join(libdir, "mcollective", "agent"), { recursive: true });
    writeFileSync(evil.file("bunfig.toml"), 'preload = ["./evil.ts"]\n');
    writeFileSync(evil.file("evil.ts"), `await Bun.write(${JSON.stringify(evil.file("taken"))}, "over");\n`);
    writeFileSync(evil.file(".env"), "SHOWN=evil\n");
    const ddl = installAgent(libdir, "probe", "exit 1");
    rmSync(join(libdir, "mcollective", "agent", "probe"));
    writeFileSync(program, 'console.log(JSON.stringify({ data: { shown: process.env.SHOWN ?? "clean" } }));\n');
    try {
      process.env.TMPDIR = evil.path;
      expect(await callAgent(agentFrom(ddl), "run")).toMatchObject({ statuscode: 0, data: { shown: "clean" } });
      expect(existsSync(evil.file("taken"))).toBe(false);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});

describe("a program that does not behave", () => {
  const failed = (reason: string) => `Could not call external agent probe#run: ${reason}`;

  test("and is not there any more is told about", async () => {
    const ddl = installAgent(folder.file("gone"), "probe", "exit 0");
    rmSync(folder.file("gone/mcollective/agent/probe"));
    const reason = "Cannot call external agent probe#run: agent executable was not found";
    expect(await callAgent(agentFrom(ddl), "run")).toEqual(aborted(reason));
  });

  test("and is not executable is told about", async () => {
    const ddl = installAgent(folder.file("plain"), "probe", "exit 0");
    const program = folder.file("plain/mcollective/agent/probe");
    rmSync(program);
    writeFileSync(program, "#!/bin/sh\n", { mode: 0o644 });
    const { statuscode, statusmsg } = await callAgent(agentFrom(ddl), "run");
    expect(statuscode).toBe(1);
    expect(statusmsg).toStartWith(failed("executing probe failed: "));
    expect(statusmsg).toMatch(/EACCES|permission denied/i);
  });

  test("and dies by a signal is told about", async () => {
    expect(await run("kill -9 $$")).toEqual(
      aborted(failed("executing probe failed: exit status -1, ended by SIGKILL")),
    );
  });

  test.each([
    ["garbage", `head -c 1000 /dev/urandom > "$2"`, "failed to decode reply json: "],
    ["nothing", ":", "failed to decode reply json: unexpected end of JSON input"],
    ["a pipe", `rm "$2"; mkfifo "$2"`, "failed to read reply json: it is not a regular file"],
    ["no file", `rm "$2"`, "failed to read reply json: "],
  ])("and replies with %s is told about", async (_what, body, reason) => {
    const { statuscode, statusmsg } = await run(body);
    expect(statuscode).toBe(1);
    expect(statusmsg).toStartWith(failed(reason));
  });

  test("and replies without an end is stopped", async () => {
    const started = performance.now();
    const reply = await run(`echo $$ > ${folder.file("endless")}; exec yes > "$2"`, { limits: { maxReply: 100_000 } });
    expect(reply).toEqual(aborted(failed("executing probe failed: its reply is longer than 100000 bytes")));
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(isRunning(Number(readFileSync(folder.file("endless"), "utf8")))).toBe(false);
  });

  test("and has replied with too much before anybody looked is told about", async () => {
    const reply = await run(`head -c 200000 /dev/zero > "$2"`, { limits: { maxReply: 100_000 } });
    expect(reply).toEqual(aborted(failed("executing probe failed: its reply is longer than 100000 bytes")));
  });

  test("and prints without an end is stopped", async () => {
    const reply = await run("exec yes", { limits: { maxOutput: 50_000 } });
    expect(reply).toEqual(aborted(failed("executing probe failed: it printed more than 50000 bytes")));
  });

  test("and never ends is killed with all it has started when its time is over", async () => {
    const pids = folder.file("pids");
    const ended = run(`sleep 100 & echo $! > ${pids}; echo $$ >> ${pids}; echo waiting >&2; wait`, { timeout: 1 });
    const { statuscode, statusmsg } = await ended;
    expect(statuscode).toBe(1);
    expect(statusmsg).toBe(failed("executing probe failed: it took longer than 2500 ms"));
    for (const pid of readFileSync(pids, "utf8").trim().split("\n")) {
      await waitFor(`process ${pid} to be gone`, () => !isRunning(Number(pid)));
    }
  });

  test("and is called off is killed", async () => {
    const controller = new AbortController();
    const pidFile = folder.file("called-off");
    const ddl = installAgent(folder.file("off"), "probe", `echo $$ > ${pidFile}; exec sleep 100`);
    const call = callAgent(agentFrom(ddl), "run", {}, controller.signal);
    const text = await waitFor("the program", () => existsSync(pidFile) && readFileSync(pidFile, "utf8"));
    const pid = Number(text);
    controller.abort();
    expect(await call).toMatchObject({ statuscode: 1 });
    await waitFor("the program to be gone", () => !isRunning(pid));
  });

  test("and leaves children behind that hold its output is not waited for, and they are killed", async () => {
    const pidFile = folder.file("child");
    const started = performance.now();
    const reply = await run(`sleep 100 & echo $! > ${pidFile}; echo '{"data":{"shown":"done"}}' > "$2"`);
    expect(reply).toMatchObject({ statuscode: 0, data: { shown: "done" } });
    expect(performance.now() - started).toBeLessThan(5_000);
    const pid = Number(readFileSync(pidFile, "utf8"));
    await waitFor("the child to be gone", () => !isRunning(pid));
  });

  test("and starts a service in a session of its own is not waited for, and the service lives", async () => {
    const pidFile = folder.file("service");
    const body = `setsid sh -c 'echo $$ > ${pidFile}; exec sleep 100' & 
while ! [ -s ${pidFile} ]; do sleep 0.01; done; echo '{"data":{"shown":"started"}}' > "$2"`;
    expect(await run(body)).toMatchObject({ statuscode: 0, data: { shown: "started" } });
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  test("leaves no files behind, however it ends", async () => {
    const before = new Set(callFolders());
    await Promise.all([run("touch left"), run("kill -9 $$"), run("exec yes", { limits: { maxOutput: 1_000 } })]);
    // Other tests' calls of this moment are no concern of ours.
    await waitFor("the folders to be gone", () => callFolders().every((name) => before.has(name)));
  });

  test("keeps no file of the server open", async () => {
    const agent = agentFrom(installAgent(folder.file("open"), "probe", `echo '{"data":{}}'`));
    const open = () => readdirSync("/proc/self/fd").length;
    await callAgent(agent, "run");
    const before = open();
    await Promise.all(Array.from({ length: 60 }, () => callAgent(agent, "run")));
    // At once, not when memory happens to be cleaned up.
    expect(open()).toBeLessThan(before + 30);
  });

  test("does not get more than its share of the machine", async () => {
    const counter = folder.file("running");
    mkdirSync(counter);
    const body = `touch ${counter}/$$; ls ${counter} | wc -l > ${counter}.$$; sleep 0.05; rm ${counter}/$$
printf '{"data":{"shown":"%s"}}' "$(cat ${counter}.$$ | tr -d ' ')" > "$2"`;
    const agent = agentFrom(installAgent(folder.file("many"), "probe", body), { maxPrograms: 2 });
    const replies = await Promise.all(Array.from({ length: 8 }, () => callAgent(agent, "run")));
    const counts = replies.map(({ data }) => Number((data as { shown: string }).shown));
    expect(Math.max(...counts)).toBe(2);
  });
});
