/** Calls of external agents: on the server alone, beside what starting the same program costs, and over the network. */
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectFleet } from "../../lib/client/mod.ts";
import { configFrom } from "../../lib/config/mod.ts";
import { agentFrom, callAgent, installAgent, writeScript, writeSettled } from "../external/support.ts";
import { serverSettings, TestClient } from "../server/support/server.ts";
import { startTestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { median, memoryOf, report } from "./report.ts";

const runs = Number(process.env.EXTERNAL_RUNS ?? 101);
const identity = "n1.example.net";
const checkout = join(import.meta.dir, "../..");

async function time(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times);
}

const spawned = (command: string[]) => time(() => Bun.spawn(command, { stdout: "ignore" }).exited);

using folder = temporaryFolder();
const libdir = folder.file("lib");
const agents = join(libdir, "mcollective", "agent");
const shell = installAgent(libdir, "shell", `echo '{"data":{}}' > "$2"`);
const typed = join(agents, "typed.json");
const source = `import { action, defineAgent } from "./kit.ts";
const agent = defineAgent({
  name: "typed", description: "Does nothing", author: "tests", license: "Apache-2.0", version: "1.0.0",
  url: "https://example.net", timeout: 5,
  actions: { run: action({ description: "Do nothing", run: () => ({}) }) },
});
if (import.meta.main) await agent.serve();
`;
writeFileSync(join(agents, "typed.ts"), source);
copyFileSync(join(checkout, "agents/kit.ts"), join(agents, "kit.ts"));
writeSettled(typed, await Bun.$`${process.execPath} ${join(agents, "typed.ts")} --ddl`.text());
const empty = folder.file("empty.ts");
writeFileSync(empty, "");

const bareShell = await spawned([writeScript(folder.file("empty"), "exit 0")]);
const bareBun = await spawned([process.execPath, empty]);
report({ work: "starting a shell script that does nothing", value: bareShell, unit: "ms" });
report({ work: "starting Bun with a file that does nothing", value: bareBun, unit: "ms" });
const inShell = await time(() => callAgent(agentFrom(shell), "run"));
report({ work: "call of a shell agent, on the server", value: inShell, unit: "ms" });
report({ work: "  beyond the shell's own start", value: inShell - bareShell, unit: "ms" });
const inBun = await time(() => callAgent(agentFrom(typed), "run"));
report({ work: "call of a TypeScript agent, on the server", value: inBun, unit: "ms" });
report({ work: "  beyond Bun's own start", value: inBun - bareBun, unit: "ms" });

const organization = new TestOrganization();
await using broker = await startTestBroker({ organization });
const network = { address: broker.address, organization, file: folder.file };
const settings = await serverSettings(network, identity, {
  "plugin.choria.agent_provider.mcorpc.libdir": libdir,
  loglevel: "warn",
});
writeFileSync(
  folder.file("server.conf"),
  Object.entries(settings)
    .map(([key, value]) => `${key} = ${value}\n`)
    .join(""),
);
const server = Bun.spawn(
  [process.execPath, join(checkout, "cmd/server.ts"), "run", "--config", folder.file("server.conf")],
  { stdio: ["ignore", "ignore", "inherit"] },
);
try {
  const member = await organization.client({
    callerid: "up=bench",
    permissions: { fleet_management: true },
    agents: ["*"],
  });
  const files = member.save(folder.file("bench"));
  await using probe = await TestClient.connect(network, member);
  await waitFor(
    "the agents",
    async () => {
      const reply = await probe.call(identity, "rpcutil", "agent_inventory").catch(() => undefined);
      return ["shell", "typed"].every((name) => JSON.stringify(reply?.data ?? "").includes(`"${name}"`));
    },
    30_000,
  );
  await using fleet = await connectFleet(
    configFrom({
      ...settings,
      identity: "bench.example.net",
      "plugin.security.choria.token_file": files.tokenFile,
      "plugin.security.choria.seed_file": files.seedFile,
    }),
  );
  const call = (agent: string, action: string, inputs = {}) =>
    time(() => fleet.request(agent, action, inputs, { nodes: [identity] }).all());
  report({ work: "one request: built-in agent", value: await call("rpcutil", "ping"), unit: "ms", original: 5.4 });
  report({ work: "one request: shell agent", value: await call("shell", "run"), unit: "ms", original: 8 });
  report({ work: "one request: TypeScript agent", value: await call("typed", "run"), unit: "ms" });
  const { private: memory } = await memoryOf(server.pid);
  report({ work: "private memory of the server after that", value: memory, unit: "MB" });
} finally {
  server.kill();
  await server.exited;
}
