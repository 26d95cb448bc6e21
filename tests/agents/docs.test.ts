import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { ExternalAgents } from "../../lib/external/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { agentFrom, callAgent } from "../external/support.ts";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";

const page = readFileSync(join(import.meta.dir, "../../docs/agents.md"), "utf8");
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

/** The files that the page shows, written as somebody who follows it would. */
const files = [...page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name = "", text = ""]) => ({
  name,
  text,
}));

beforeAll(async () => {
  for (const { name, text } of files) {
    writeFileSync(folder.file(name), text);
    if (text.startsWith("#!")) chmodSync(folder.file(name), 0o755);
  }
  copyFileSync(join(import.meta.dir, "../../agents/kit.ts"), folder.file("kit.ts"));
  const child = Bun.spawn(["sh", "-c", "./dice.ts --ddl > dice.json"], { cwd: folder.path });
  expect(await child.exited).toBe(0);
});

describe("docs/agents.md", () => {
  test("shows agents in three languages", () => {
    expect(files.map(({ name }) => name).sort()).toEqual([
      "dice.test.ts",
      "dice.ts",
      "greet",
      "greet.json",
      "uptime",
      "uptime.json",
    ]);
  });

  test("shows a TypeScript agent that works", async () => {
    const agent = agentFrom(folder.file("dice.json"));
    const { statuscode, data } = await callAgent(agent, "roll", { sides: 2 });
    expect(statuscode).toBe(0);
    expect([{ thrown: 1 }, { thrown: 2 }]).toContainEqual(data as { thrown: number });
    expect(await callAgent(agent, "roll", { sides: 1 })).toMatchObject({
      statuscode: 4,
      statusmsg: "A die of 1 sides cannot be thrown",
    });
  });

  test("shows a test of it that passes", async () => {
    const child = Bun.spawn([process.execPath, "test"], { cwd: folder.path, stderr: "pipe", stdout: "ignore" });
    expect(await child.stderr.text()).toContain(" 1 pass\n 0 fail");
  });

  test("shows a Python agent that works", async () => {
    const { statuscode, data } = await callAgent(agentFrom(folder.file("uptime.json")), "uptime");
    expect({ statuscode, data }).toEqual({ statuscode: 0, data: { seconds: expect.any(Number) } });
  });

  test("shows a shell agent that works", async () => {
    const agent = agentFrom(folder.file("greet.json"));
    expect(await callAgent(agent, "greet", { name: "Ann" })).toMatchObject({
      statuscode: 0,
      data: { greeting: "Hello Ann" },
    });
    expect((await callAgent(agent, "greet", { name: "$(id)" })).statusmsg).toStartWith("Validation failed: ");
  });

  test("shows agents that want to be active", async () => {
    using libdir = temporaryFolder();
    const hosted: string[] = [];
    await cp(folder.path, libdir.file("agent"), { recursive: true });
    await using _agents = new ExternalAgents({
      host: { add: ({ metadata }) => void hosted.push(metadata.name), remove: () => true, agents: () => [] },
      folders: [libdir.path],
      settleTime: 0,
      rpc: { logger: silentLogger },
      facts: async () => ({}),
      configFile: folder.file("server.conf"),
      logger: silentLogger,
    });
    await waitFor("the agents", () => ["dice", "uptime", "greet"].every((name) => hosted.includes(name)));
  });
});
