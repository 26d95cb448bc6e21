import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { decodeMachineEvent, type MachineEvent, machineSubjects } from "../../lib/machine/mod.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { type Network, startTestServer, TestClient } from "./support/server.ts";

const identity = "n1.example.net";
const organization = new TestOrganization();
const folder = temporaryFolder();
const store = folder.file("store/machines");
let broker: TestBroker;
let network: Network;
let server: ServerHandle;
let client: TestClient;
const events: MachineEvent[] = [];

const light = (name: string, version = "1.0.0") => `name: ${name}
version: ${version}
initial_state: RED
transitions:
  - {name: go, from: [RED], destination: GREEN}
  - {name: stop, from: [GREEN], destination: RED}
watchers:
  - {name: long, type: timer, state_match: [GREEN], properties: {timer: 1h}}
`;

/** Put a machine into the store as one does: beside it first, then in one step. */
function drop(place: string, manifest: string): void {
  mkdirSync(`${store}/.${place}`, { recursive: true });
  writeFileSync(`${store}/.${place}/machine.yaml`, manifest);
  renameSync(`${store}/.${place}`, `${store}/${place}`);
}

const state = (name: string) => server.node.machines?.find({ name })[0];

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  network = { address: broker.address, organization, file: folder.file };
  const member = await organization.client({
    callerid: "up=bob",
    permissions: { fleet_management: true, events_viewer: true },
    agents: ["rpcutil.*", "choria_util.*"],
  });
  client = await TestClient.connect(network, member);
  for (const subject of [machineSubjects.transitions, machineSubjects.watchers()]) {
    client.connection.subscribe(subject, ({ data }) => {
      events.push(decodeMachineEvent(data));
    });
  }
  await client.connection.flush();
  server = await startTestServer(network, identity, { "plugin.choria.machine.store": store });
});

afterAll(async () => {
  await client?.connection.close();
  await server?.stop();
  await broker?.stop();
  folder[Symbol.dispose]();
});

const call = (agent: string, action: string, data: JsonObject = {}) => client.call(identity, agent, action, data);

describe("a server with a machine store", () => {
  test("makes the folder for itself alone", () => {
    expect(statSync(store).mode & 0o777).toBe(0o700);
  });

  test("has no machines to tell of yet", async () => {
    expect(await call("choria_util", "machine_state", { name: "light" })).toMatchObject({
      statuscode: 1,
      statusmsg: "No running machines",
      data: { name: "unknown machine", available_transitions: null },
    });
  });

  test("runs a machine that is put there in about a second", async () => {
    const started = performance.now();
    drop("light", light("light"));
    await waitFor("the machine to run", () => (state("light")?.startTime ?? 0) > 0);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("tells of it in every way there is", async () => {
    const id = state("light")?.id ?? "";
    const document = {
      name: "light",
      version: "1.0.0",
      state: "RED",
      path: `${store}/light`,
      id,
      start_time: expect.any(Number),
      available_transitions: ["go"],
      scout: false,
    };
    expect((await call("choria_util", "machine_states")).data).toEqual({
      machine_ids: [id],
      machine_names: ["light 1.0.0"],
      states: { [id]: document },
    });
    for (const criteria of [{ name: "light" }, { instance: id }, { path: `${store}/light` }]) {
      expect((await call("choria_util", "machine_state", criteria)).data).toEqual(document);
    }
    for (const query of ["light", id, `${store}/light`]) {
      expect((await call("rpcutil", "get_data", { source: "machine_state", query })).data).toEqual(document);
    }
    expect((await call("rpcutil", "inventory")).data).toMatchObject({
      machines: [{ name: "light", state: "RED", version: "1.0.0" }],
    });
    expect((await call("rpcutil", "get_data", { source: "choria" })).data).toMatchObject({
      machines: ["light"],
      machines_count: 1,
    });
  });

  test("says why a machine cannot be told of", async () => {
    drop("twin", light("light", "2.0.0"));
    await waitFor("the second machine", () => server.node.machines?.find({ name: "light" }).length === 2);
    const verdict = async (data: JsonObject) => (await call("choria_util", "machine_state", data)).statusmsg;
    expect(await verdict({})).toBe("No search criteria given");
    expect(await verdict({ name: "nope" })).toBe("Could not find a matching machine");
    expect(await verdict({ name: "light" })).toBe("Found multiple machines matching criteria");
    rmSync(`${store}/twin`, { recursive: true });
    await waitFor("the second machine to go", () => server.node.machines?.find({ name: "light" }).length === 1);
  });

  test("fires transitions on request, and tells the network", async () => {
    const fire = (data: JsonObject) => call("choria_util", "machine_transition", data);
    expect(await fire({ name: "light", version: "1.0.0", transition: "go" })).toMatchObject({
      statuscode: 0,
      data: { success: true },
    });
    await waitFor("the events", () => events.length >= 2);
    const head = {
      identity,
      id: state("light")?.id,
      version: "1.0.0",
      machine: "light",
      timestamp: expect.any(Number),
    };
    const published: unknown[] = events.filter((event) => event.machine === "light");
    expect(published).toEqual([
      { kind: "transition", ...head, transition: "go", from: "RED", to: "GREEN" },
      { kind: "watcher", ...head, type: "timer", name: "long", fields: { state: "running", timer: 3_600_000_000_000 } },
    ]);
    expect(await fire({ name: "light", transition: "go" })).toMatchObject({
      statuscode: 1,
      statusmsg: "Could not perform go transition: transition go is not valid while in GREEN state",
      data: { success: false },
    });
    expect((await fire({ name: "light", version: "2.0.0", transition: "go" })).statusmsg).toBe(
      "Could not perform go transition: could not find machine matching criteria name='light', version='2.0.0', path='', id=''",
    );
  });

  test("begins anew with a manifest that changes, and not with one that is broken", async () => {
    const before = state("light")?.id;
    writeFileSync(`${store}/light/machine.yaml`, "name: [");
    writeFileSync(`${store}/light/machine.yaml`, light("light", "1.0.1"));
    await waitFor("the new version", () => state("light")?.version === "1.0.1");
    expect(state("light")?.id).not.toBe(before);
    expect(state("light")?.state).toBe("RED");
    writeFileSync(`${store}/light/machine.yaml`, "name: [");
    await server.node.machines?.scan();
    expect(state("light")?.version).toBe("1.0.1");
  });
});

test("a server whose store cannot be used serves without machines", async () => {
  writeFileSync(folder.file("file"), "");
  const settings = { "plugin.choria.machine.store": folder.file("file/store") };
  const other = await startTestServer(network, "n2.example.net", settings);
  expect(other.node.machines).toBeUndefined();
  expect((await client.call("n2.example.net", "choria_util", "machine_states")).data).toEqual({
    machine_ids: [],
    machine_names: [],
    states: {},
  });
  await other.stop();
});

test("a server without a store loads nothing of machines", async () => {
  const program = `
    await import(${JSON.stringify(new URL("../../lib/server/mod.ts", import.meta.url).pathname)});
    const loaded = Object.keys(require.cache).filter((file) => /lib\\/machine\\//.test(file));
    console.log(JSON.stringify(loaded));
  `;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  expect(JSON.parse(await child.stdout.text())).toEqual([]);
});
