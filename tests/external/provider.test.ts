import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ExternalAgents, type ExternalAgentsOptions, findDdlFiles, findProgram } from "../../lib/external/mod.ts";
import type { Agent } from "../../lib/rpc/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { waitFor } from "../support/wait.ts";
import { activates, callAgent, ddlOf, installAgent, settle, writeScript, writeSettled } from "./support.ts";

/** A host of agents without a network. */
class TestHost {
  readonly hosted = new Map<string, Agent>();
  readonly #denied: (name: string) => boolean;

  constructor(denied: (name: string) => boolean = () => false) {
    this.#denied = denied;
  }

  add(agent: Agent): void {
    if (this.#denied(agent.metadata.name)) throw new Error(`Denying non Service Agent ${agent.metadata.name}`);
    this.hosted.set(agent.metadata.name, agent);
  }

  remove(name: string): boolean {
    return this.hosted.delete(name);
  }

  agents() {
    return [...this.hosted.values()].map(({ metadata }) => metadata);
  }

  get names(): string[] {
    return [...this.hosted.keys()].sort();
  }
}

let folder: ReturnType<typeof temporaryFolder>;
let logger: RecordingLogger;
let host: TestHost;
let agents: ExternalAgents | undefined;

beforeEach(() => {
  folder = temporaryFolder();
  logger = new RecordingLogger();
  host = new TestHost();
});

afterEach(async () => {
  await agents?.stop();
  agents = undefined;
  folder[Symbol.dispose]();
});

function start(options: Partial<ExternalAgentsOptions> = {}): void {
  agents = new ExternalAgents({
    host,
    folders: [folder.path],
    rpc: { logger },
    facts: async () => ({}),
    configFile: "/etc/choria/server.conf",
    logger,
    interval: 20,
    ...options,
  });
}

const agentFolder = () => folder.file("mcollective/agent");
const replies = `echo '{"data":{}}' > "$2"`;
const hosted = (...names: string[]) =>
  waitFor(`the agents ${names} to be hosted, not ${host.names}`, () => host.names.join() === names.join());
const logged = (text: string) =>
  logger.lines.filter(({ message, fields }) => `${message} ${JSON.stringify(fields)}`.includes(text));
/** Waits until the folders were looked through once more from now on. */
async function anotherLook(): Promise<void> {
  const probe = `look${crypto.randomUUID().replaceAll("-", "")}`;
  const path = join(agentFolder(), `${probe}.json`);
  writeSettled(path, "no DDL");
  await waitFor("another look", () => logged(probe).length > 0);
  rmSync(path);
}

describe("agents are found", () => {
  test("as a file, in a folder of their name, and with a program for this kind of machine", () => {
    const platform = `linux_${process.arch === "x64" ? "amd64" : process.arch}`;
    const plain = writeScript(join(agentFolder(), "plain"), "");
    const nested = writeScript(join(agentFolder(), "nested/nested"), "");
    const built = writeScript(join(agentFolder(), `built/built/built-${platform}`), "");
    const typed = writeScript(join(agentFolder(), "typed.ts"), "");
    writeSettled(join(agentFolder(), "plain.json"), "");
    writeSettled(join(agentFolder(), "nested/nested.json"), "");
    writeSettled(join(agentFolder(), "built/built.json"), "");
    writeSettled(join(agentFolder(), "typed.json"), "");
    writeSettled(folder.file("agent/other.json"), "");
    const files = findDdlFiles([folder.path, folder.file("absent")]);
    expect(files.map(({ name }) => name)).toEqual(["built", "nested", "plain", "typed", "other"]);
    expect(files.map(({ path, name }) => findProgram(path, name))).toEqual([built, nested, plain, typed, undefined]);
  });

  test("through links, but not in folders that belong to nobody or hold agents of other names", () => {
    writeSettled(join(agentFolder(), "tmp/tmp.json"), "");
    writeSettled(join(agentFolder(), "tmp.json"), "");
    writeSettled(join(agentFolder(), "one/two.json"), "");
    writeSettled(join(agentFolder(), "readme.txt"), "");
    writeSettled(folder.file("elsewhere/linked.json"), "");
    symlinkSync(folder.file("elsewhere"), join(agentFolder(), "linked"));
    expect(findDdlFiles([folder.path]).map(({ name }) => name)).toEqual(["linked"]);
  });
});

describe("agents come and go while the server runs", () => {
  test("one that is there is hosted and answers", async () => {
    installAgent(folder.path, "probe", replies);
    start();
    await hosted("probe");
    const agent = host.hosted.get("probe");
    expect(agent?.metadata).toMatchObject({ version: "1.0.0", timeout: 5, provider: "external" });
    expect(agent && (await callAgent(agent, "run"))).toMatchObject({ statuscode: 0, data: { shown: "nothing" } });
  });

  test("one that appears is hosted once its DDL has been left alone for a while", async () => {
    start();
    const ddl = installAgent(folder.path, "probe", replies);
    settle(ddl, 1);
    await anotherLook();
    expect(host.names).toEqual([]);
    settle(ddl, 6);
    await hosted("probe");
  });

  test("one that appears is hosted at once where somebody says that there is one", async () => {
    start({ interval: 3_600_000 });
    installAgent(folder.path, "first", replies);
    agents?.look();
    await hosted("first");
    installAgent(folder.path, "second", replies);
    agents?.look();
    await hosted("first", "second");
  });

  test("one with a DDL from the future is hosted at once", async () => {
    settle(installAgent(folder.path, "probe", replies), -3_600);
    start();
    await hosted("probe");
  });

  test("one whose DDL changes is replaced, also by a service", async () => {
    const ddl = installAgent(folder.path, "probe", replies);
    start();
    await hosted("probe");
    writeSettled(ddl, ddlOf("probe", { version: "1.0.1", service: true }));
    await waitFor("the new version", () => host.hosted.get("probe")?.metadata.version === "1.0.1");
    expect(host.hosted.get("probe")?.metadata.service).toBe(true);
  });

  test("one whose DDL gets another name is hosted under that one alone", async () => {
    const ddl = installAgent(folder.path, "probe", replies);
    writeScript(join(agentFolder(), "renamed"), `${activates}\n${replies}`);
    start();
    await hosted("probe");
    writeSettled(ddl, ddlOf("renamed"));
    await hosted("renamed");
  });

  test("one whose DDL is spoilt stays as it was until the DDL is mended", async () => {
    const ddl = installAgent(folder.path, "probe", replies);
    start();
    await hosted("probe");
    writeSettled(ddl, '{"metadata":');
    await waitFor("the complaint", () => logged("cannot be used").length > 0);
    expect(host.names).toEqual(["probe"]);
    writeSettled(ddl, ddlOf("probe", { version: "2.0.0" }));
    await waitFor("the new version", () => host.hosted.get("probe")?.metadata.version === "2.0.0");
  });

  test("one that moves to another folder goes on", async () => {
    installAgent(folder.file("a"), "probe", replies);
    start({ folders: [folder.file("a"), folder.file("b")] });
    await hosted("probe");
    const first = host.hosted.get("probe");
    installAgent(folder.file("b"), "probe", replies);
    rmSync(folder.file("a"), { recursive: true });
    await waitFor("the agent at its new place", () => host.hosted.has("probe") && host.hosted.get("probe") !== first);
  });

  test("one whose DDL is removed is hosted no more", async () => {
    const ddl = installAgent(folder.path, "probe", replies);
    installAgent(folder.path, "stays", replies);
    start();
    await hosted("probe", "stays");
    rmSync(ddl);
    await hosted("stays");
  });

  test("nothing is looked for after the end, and ending twice is fine", async () => {
    start();
    await agents?.stop();
    await agents?.stop();
    installAgent(folder.path, "probe", replies);
    expect(host.names).toEqual([]);
  });

  test("ending does not wait for a program that thinks about being active", async () => {
    const pid = folder.file("pid");
    installAgent(folder.path, "probe", "");
    writeScript(join(agentFolder(), "probe"), `echo $$ > ${pid}; exec sleep 60`);
    start();
    await waitFor("the program", () => existsSync(pid) && readFileSync(pid, "utf8"));
    const started = performance.now();
    await agents?.stop();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(host.names).toEqual([]);
  });
});

describe("an agent is not hosted", () => {
  test.each(["rpcutil", "choria_util", "choria_provision", "choria_registry", "discovery", "scout"])(
    "that wants to be %s",
    async (name) => {
      installAgent(folder.path, name, replies);
      // Not under the cover of another file name either.
      writeSettled(join(agentFolder(), "cover.json"), ddlOf(name));
      start();
      await waitFor("both warnings", () => logged("may not have the name").length === 2);
      expect(host.names).toEqual([]);
    },
  );

  test("that is not an external one", async () => {
    const ddl = installAgent(folder.path, "probe", replies);
    writeSettled(ddl, ddlOf("probe").replace('"external"', '"ruby"'));
    start();
    await anotherLook();
    expect(host.names).toEqual([]);
  });

  test.each([
    ["garbage", "{"],
    ["a list", "[]"],
    ["too much", ddlOf("probe") + " ".repeat(1024 * 1024)],
    ["nothing about itself", '{"actions":[]}'],
    ["a name that is no subject", ddlOf("a.b")],
    ["an input of no type", ddlOf("probe").replace('"type":"string","optional"', '"type":"blob","optional"')],
  ])("whose DDL says %s, and the others are", async (_what, text) => {
    installAgent(folder.path, "good", replies);
    writeSettled(join(agentFolder(), "bad.json"), text);
    start();
    await hosted("good");
    await anotherLook();
    expect(logged("bad.json")).toHaveLength(1);
  });

  test.each([
    ["says no", `echo '{"activate":false}' > "$2"`],
    ["says nothing", ":"],
    ["fails", `echo '{"activate":true}' > "$2"; exit 1`],
    ["does not say in time", "exec sleep 30"],
  ])("whose program %s when asked", async (_what, body) => {
    writeScript(join(agentFolder(), "probe"), body);
    writeSettled(join(agentFolder(), "probe.json"), ddlOf("probe"));
    start();
    await waitFor("the reason", () => logged("is not hosted").length > 0);
    expect(host.names).toEqual([]);
  });

  test("that the host refuses", async () => {
    host = new TestHost((name) => name === "probe");
    installAgent(folder.path, "probe", replies);
    installAgent(folder.path, "second", replies);
    start();
    await hosted("second");
    expect(logged("Denying non Service Agent probe")).toHaveLength(1);
  });

  test("that has the name of another", async () => {
    installAgent(folder.file("a"), "probe", replies);
    installAgent(folder.file("b"), "probe", replies, { version: "9.9.9" });
    start({ folders: [folder.file("a"), folder.file("b")] });
    await waitFor("the reason", () => logged("there is an agent of that name").length > 0);
    expect(host.hosted.get("probe")?.metadata.version).toBe("1.0.0");
  });
});

describe("an agent is tried again", () => {
  test("when its program appears", async () => {
    writeSettled(join(agentFolder(), "probe.json"), ddlOf("probe"));
    start();
    await waitFor("the reason", () => logged("its program was not found").length > 0);
    writeScript(join(agentFolder(), "probe"), `${activates}\n${replies}`);
    await hosted("probe");
  });

  test("when its program becomes executable", async () => {
    const ddl = join(agentFolder(), "probe.json");
    mkdirSync(agentFolder(), { recursive: true });
    writeFileSync(join(agentFolder(), "probe"), `#!/bin/sh\n${activates}\n`, { mode: 0o644 });
    writeSettled(ddl, ddlOf("probe"));
    start();
    await waitFor("the reason", () => logged("is not hosted").length > 0);
    chmodSync(join(agentFolder(), "probe"), 0o755);
    await hosted("probe");
  });

  test("after a while, when it did not want to be active", async () => {
    const wish = folder.file("wish");
    writeScript(join(agentFolder(), "probe"), `[ -e ${wish} ] && echo '{"activate":true}' > "$2"`);
    writeSettled(join(agentFolder(), "probe.json"), ddlOf("probe"));
    start({ retryTime: 50 });
    await waitFor("the reason", () => logged("is not hosted").length > 1);
    writeFileSync(wish, "");
    await hosted("probe");
    expect(logger.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  test("when the one of its name is gone", async () => {
    installAgent(folder.file("a"), "probe", replies);
    installAgent(folder.file("b"), "probe", replies, { version: "9.9.9" });
    start({ folders: [folder.file("a"), folder.file("b")], retryTime: 50 });
    await hosted("probe");
    rmSync(folder.file("a"), { recursive: true });
    await waitFor("the other one", () => host.hosted.get("probe")?.metadata.version === "9.9.9");
  });
});
