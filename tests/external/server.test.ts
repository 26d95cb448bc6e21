import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startExternalAgents } from "../../lib/server/external_agents.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { startTestServer, TestClient } from "../server/support/server.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { installAgent, isRunning } from "./support.ts";

const identity = "n1.example.net";
const organization = new TestOrganization();
const folder = temporaryFolder();
const audit = folder.file("audit.log");
let broker: TestBroker;
let server: ServerHandle;
let client: TestClient;

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  const network = { address: broker.address, organization, file: folder.file };
  const member = await organization.client({
    callerid: "up=bob",
    permissions: { fleet_management: true },
    agents: ["rpcutil.*", "probe.*", "sleepy.*", "pool.*", "huge.*"],
  });
  client = await TestClient.connect(network, member);
  writeFileSync(folder.file("facts.json"), '{"country":"mt"}');
  installAgent(folder.path, "probe", `printf '{"data":{"facts":%s}}' "$(cat "$CHORIA_EXTERNAL_FACTS")" > "$2"`);
  installAgent(folder.path, "denied", `echo '{"data":{}}'`);
  installAgent(folder.path, "sleepy", `echo $$ > ${folder.file("sleepy")}; exec sleep 60`, { timeout: 1 });
  installAgent(folder.path, "huge", `printf '{"data":{"shown":"%s"}}' "$(head -c 3000000 /dev/zero | tr '\\0' x)"`);
  installAgent(folder.path, "pool", `echo '{"data":{"shown":"service"}}'`, { service: true });
  server = await startTestServer(network, identity, {
    rpcauthorization: "1",
    rpcauthprovider: "aaasvc",
    rpcaudit: "1",
    "plugin.rpcaudit.logfile": audit,
    "plugin.yaml": folder.file("facts.json"),
    "plugin.choria.agent_provider.mcorpc.libdir": folder.path,
  });
  const hasAgent = (name: string) => server.host.agents().some((agent) => agent.name === name);
  await waitFor("the agents", () => ["probe", "denied", "sleepy", "huge", "pool"].every(hasAgent));
  await server.connection.flush();
});

afterAll(async () => {
  await client?.connection.close();
  await server?.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

test("an external agent of a server is called with the facts of its node, and audited", async () => {
  expect(await client.call(identity, "probe", "run", { word: "hi" })).toEqual({
    action: "run",
    statuscode: 0,
    statusmsg: "OK",
    data: { facts: { country: "mt" }, shown: "nothing" },
  });
  const line: unknown = JSON.parse(readFileSync(audit, "utf8").trim().split("\n").at(-1) ?? "");
  expect(line).toMatchObject({ caller: "up=bob", agent: "probe", action: "run", data: { word: "hi" } });
});

test("an external agent is discovered by its name and listed by the server", async () => {
  const found = await client.request("discovery", "cGluZw==", { expect: 1, filter: { agent: ["probe"] } });
  expect(found).toEqual([{ sender: identity, text: "pong" }]);
  const { data } = await client.call(identity, "rpcutil", "agent_inventory");
  expect(JSON.stringify(data)).toContain('"agent":"probe"');
});

test("an external agent is authorized as any other", async () => {
  const { statuscode, statusmsg, data } = await client.call(identity, "denied", "run");
  expect({ statuscode, data }).toEqual({ statuscode: 1, data: {} });
  expect(statusmsg).toStartWith("You are not authorized to call this agent or action");
});

test("an external service agent answers on its service's subject", async () => {
  const payload = JSON.stringify({ agent: "pool", action: "run", data: {} });
  const [answer] = await client.request("pool", payload, { expect: 1, service: true });
  expect(JSON.parse(answer?.text ?? "")).toMatchObject({ statuscode: 0, data: { shown: "service" } });
});

test("a call that takes too long is answered with status 5 and its program is killed", async () => {
  expect(await client.call(identity, "sleepy", "run")).toMatchObject({
    statuscode: 5,
    statusmsg: "sleepy#run timed out after 1s",
  });
  const pid = Number(readFileSync(folder.file("sleepy"), "utf8"));
  await waitFor("the program to be gone", () => !isRunning(pid));
});

test("a reply that the broker would not carry is answered with status 5, and the server lives", async () => {
  const { statuscode, statusmsg } = await client.call(identity, "huge", "run");
  expect(statuscode).toBe(5);
  expect(statusmsg).toMatch(/^huge#run gave a reply of \d+ bytes, which cannot be sent$/);
  expect(await client.call(identity, "rpcutil", "ping")).toMatchObject({ statuscode: 0 });
});

test("a server that stops in the middle of a call leaves no program behind", async () => {
  const pidFile = folder.file("left");
  installAgent(folder.file("second"), "sleepy", `echo $$ > ${pidFile}; exec sleep 60`, { timeout: 60 });
  const network = { address: broker.address, organization, file: folder.file };
  const settings = { "plugin.choria.agent_provider.mcorpc.libdir": folder.file("second"), soft_shutdown_timeout: "1" };
  const second = await startTestServer(network, "n2.example.net", settings);
  await waitFor("the agent", () => second.host.agents().some(({ name }) => name === "sleepy"));
  const call = client.call("n2.example.net", "sleepy", "run").catch(() => undefined);
  const pid = await waitFor("the program", async () =>
    Number(
      await Bun.file(pidFile)
        .text()
        .catch(() => ""),
    ),
  );
  await second.stop();
  await waitFor("the program to be gone", () => !isRunning(pid));
  await call;
});

test("a node that is being provisioned hosts nobody's programs", async () => {
  const node = { ...server.node, isProvisioning: true, config: server.node.config };
  const parts = { host: server.host, rpc: { logger: silentLogger }, logger: silentLogger };
  expect(await startExternalAgents(node, parts)).toBeUndefined();
});

test("an agent that is removed is known no more, without a restart", async () => {
  rmSync(join(folder.path, "mcollective/agent/probe.json"));
  await waitFor("the agent to be gone", () => !server.host.agents().some(({ name }) => name === "probe"));
  expect(await client.call(identity, "rpcutil", "ping")).toMatchObject({ statuscode: 0 });
});
