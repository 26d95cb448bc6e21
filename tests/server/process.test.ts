import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodeEvent, type LifecycleEvent } from "../../lib/lifecycle/mod.ts";
import { version } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, serverSettings, TestClient } from "./support/server.ts";

const command = join(import.meta.dir, "../../cmd/server.ts");
const organization = new TestOrganization();
const folder = temporaryFolder();
let broker: TestBroker;
let network: Network;
let client: TestClient;
const events: LifecycleEvent[] = [];

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  const permissions = { fleet_management: true, events_viewer: true };
  client = await TestClient.connect(network, await organization.client({ callerid: "up=bob", permissions }));
  client.connection.subscribe("choria.lifecycle.event.>", ({ data }) => {
    const event = decodeEvent(data);
    // The first sign of life comes at once in one of thirty runs.
    if (event.type !== "alive") events.push(event);
  });
  await client.connection.flush();
});

afterAll(async () => {
  await client?.connection.close();
  await broker?.stop();
  folder[Symbol.dispose]();
});

async function configFile(identity: string, settings: Record<string, string> = {}): Promise<string> {
  const lines = Object.entries(await serverSettings(network, identity, settings)).map(
    ([key, value]) => `${key}=${value}`,
  );
  const file = folder.file(`${identity}.conf`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

function run(...args: string[]) {
  const env = { ...process.env, CHORIA_PROVISIONING_JWT: folder.file("none.jwt") };
  return Bun.spawn([process.execPath, "run", command, ...args], { stdout: "pipe", stderr: "pipe", env });
}

const typesOf = (identity: string) => events.filter((event) => event.identity === identity).map(({ type }) => type);

describe("the server program", () => {
  test("serves, and on SIGTERM says goodbye and ends with 0", async () => {
    const config = await configFile("p1.example.net", { logfile: folder.file("p1.log") });
    const child = run("run", "--config", config, "--pid", folder.file("p1.pid"));
    await waitFor("its start", () => typesOf("p1.example.net").length === 1);
    expect(readFileSync(folder.file("p1.pid"), "utf8")).toBe(String(child.pid));
    expect(await client.call("p1.example.net", "rpcutil", "daemon_stats")).toMatchObject({
      statuscode: 0,
      data: { pid: child.pid, configfile: config, version },
    });
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    await waitFor("its farewell", () => typesOf("p1.example.net").length === 2);
    expect(typesOf("p1.example.net")).toEqual(["startup", "shutdown"]);
    expect(await Bun.file(folder.file("p1.pid")).exists()).toBe(false);
    const first = JSON.parse(readFileSync(folder.file("p1.log"), "utf8").split("\n")[0] ?? "");
    expect(first.msg).toBe(`Choria Server version ${version} starting with config ${config} using protocol version 2`);
    expect(first).toMatchObject({ level: "info", component: "server", identity: "p1.example.net" });
  }, 20_000);

  const failures: [name: string, args: () => Promise<string[]> | string[], text: string][] = [
    ["without a configuration file", () => [], "server run requires a configuration file"],
    [
      "with one that does not exist",
      () => ["--config", folder.file("none.conf")],
      `configuration file ${folder.file("none.conf")} was not found and provisioning is disabled`,
    ],
    ["with options that it does not know", () => ["--nope"], "Unknown option '--nope'"],
    ["with arguments that it does not know", () => ["walk"], "unexpected argument walk"],
    [
      "under a name that is not its token's",
      async () => {
        const file = await configFile("p2.example.net");
        writeFileSync(file, readFileSync(file, "utf8").replace("identity=p2.example.net", "identity=p3.example.net"));
        return ["--config", file];
      },
      "identity p3.example.net does not match caller p2.example.net in JWT token",
    ],
  ];
  for (const [name, args, text] of failures) {
    test(`ends with 1 and says why ${name}`, async () => {
      const child = run(...(await args()));
      expect(await child.exited).toBe(1);
      const said = await child.stderr.text();
      expect(said).toStartWith("Could not run Choria: ");
      expect(said).toContain(text);
      expect(said.trimEnd().split("\n")).toHaveLength(1);
    });
  }

  test("shows its version and its options", async () => {
    const child = run("--version");
    expect((await child.stdout.text()).trim()).toBe(version);
    const help = run("--help");
    expect(await help.stdout.text()).toContain("--service-host");
    expect(await help.exited).toBe(0);
  });
});
