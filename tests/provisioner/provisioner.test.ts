import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { type EmulatedNode, type Emulator, type EmulatorOptions, startEmulator } from "../../lib/emulator/mod.ts";
import { encodeEvent, newEvent } from "../../lib/lifecycle/mod.ts";
import { decodeRequest, decodeSecureRequest, decodeTransport } from "../../lib/protocol/mod.ts";
import { type Clock, createLogger, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified } from "../../lib/tokens/mod.ts";
import { freePort } from "../support/ports.ts";
import { type ProvisioningNetwork, startProvisioningNetwork } from "../support/provisioning.ts";
import { waitFor } from "../support/wait.ts";

let network: ProvisioningNetwork;
let observer: Connection;
let prefixes = 0;

beforeAll(async () => {
  network = await startProvisioningNetwork({ "plugin.choria.network.stream.leader_election_ttl": "2s" });
  observer = await connectProvisioner();
});

afterAll(async () => {
  await observer.close();
  await network[Symbol.asyncDispose]();
});

/** A connection into the provisioning account that may see and say anything there. */
function connectProvisioner(): Promise<Connection> {
  const { token, key } = network.signer;
  return connectBroker({
    servers: [network.broker.address],
    name: "observer",
    login: () => ({ token, key, user: "provisioner", password: "s3cret" }),
    inboxPrefix: "provisioning.reply.observer",
    logger: silentLogger,
  });
}

/** Nodes wait two seconds before they start again, which no test needs to wait for. */
const quickClock: Clock = { ...systemClock, after: (ms, work) => systemClock.after(ms / 20, work) };

/** Emulated nodes with names that no other test uses. */
async function nodes(count: number, options: Partial<EmulatorOptions> = {}): Promise<Emulator> {
  const emulator = await startEmulator({
    count,
    namePrefix: `t${prefixes++}-`,
    provisioningToken: network.provisioningToken,
    nodesPerConnection: 20,
    clock: quickClock,
    logger: createLogger({ destination: process.env.PROVISIONER_LOG ? "stderr" : "discard" }),
    ...options,
  });
  await emulator.started;
  return emulator;
}

const allProvisioned = ({ counts, nodes }: Emulator) => counts.provisioned === nodes.length;
const only = ({ nodes }: Emulator): EmulatedNode => nodes[0] ?? expect.unreachable("no node");

function announce(identity: string): void {
  const event = newEvent(
    { type: "startup", identity, component: "provision_mode_server", version: "1.2.3" },
    Date.now(),
  );
  observer.publish("choria.lifecycle.event.startup.provision_mode_server", encodeEvent(event, "plain"));
}

/** A helper of a shell script that sees the request as $request. */
function scriptHelper(name: string, body: string): string {
  const path = network.file(name);
  writeFileSync(path, `#!/bin/sh\nrequest=$(cat)\n${body}\n`, { mode: 0o755 });
  return `helper: ${path}`;
}

/** What the sample helper answers, from a script. */
const good = () => `exec "${process.execPath}" "${import.meta.dir}/../../containers/provisioner/helper.ts" <<EOF
$request
EOF`;

describe("a provisioner", () => {
  test("provisions nodes that were there before it, and those that come later", async () => {
    await using before = await nodes(5);
    await using provisioner = await network.startProvisioner();
    await waitFor("the nodes to be provisioned", () => allProvisioned(before));
    await using later = await nodes(5);
    await waitFor("the later nodes to be provisioned", () => allProvisioned(later));
    const configuration = only(later).configuration ?? "";
    expect(configuration).toStartWith("# configuration file written in request ");
    expect(configuration).toContain(`identity=${only(later).identity}\n`);
    const text = await provisioner.metrics.text();
    expect(text).toContain('choria_provisioner_provisioned{site="testing"} 10\n');
    expect(text).toContain('choria_provisioner_event_discovered{site="testing"} 5\n');
    expect(text).toContain('choria_provisioner_discovered{site="testing"} 5\n');
  }, 20_000);

  test("finds nodes whose start-up event it missed within seconds", async () => {
    await using provisioner = await network.startProvisioner("lifecycle_component: something_else", {
      sweepInterval: 200,
    });
    await using emulator = await nodes(3);
    await waitFor("the nodes to be provisioned", () => allProvisioned(emulator), 8_000);
    expect(await provisioner.metrics.text()).not.toContain('event_discovered{site="testing"}');
  }, 20_000);

  test("provisions a node again that starts again", async () => {
    await using _provisioner = await network.startProvisioner();
    await using emulator = await nodes(1);
    await waitFor("the node to be provisioned", () => allProvisioned(emulator));
    const first = only(emulator).configuration;
    const node = only(emulator);
    await node.stop();
    node.forget();
    await node.start();
    await waitFor("the node to be provisioned again", () => emulator.counts.provisionings === 2);
    expect(node.configuration).not.toBe(first);
  }, 20_000);

  test("is not held up by nodes that are gone or silent", async () => {
    await using provisioner = await network.startProvisioner("workers: 1");
    const silent = Array.from({ length: 200 }, (_, i) => `silent${i}.example.net`);
    const subscriptions = silent.map((name) => observer.subscribe(`provisioning.node.${name}`, () => {}));
    await observer.flush();
    for (let i = 0; i < 500; i++) announce(`gone${i}.example.net`);
    for (const name of silent) announce(name);
    await observer.flush();
    await using emulator = await nodes(5);
    await waitFor("the nodes to be provisioned", () => allProvisioned(emulator), 4_000);
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(await provisioner.metrics.text()).not.toContain('provision_errors{site="testing"}');
  }, 20_000);

  test("ignores events that are none, and names that cannot be", async () => {
    await using provisioner = await network.startProvisioner();
    const subject = "choria.lifecycle.event.startup.provision_mode_server";
    for (const text of ["", "{}", '{"protocol":"io.choria.lifecycle.v1.shutdown"}', "[1]"])
      observer.publish(subject, Buffer.from(text));
    for (const name of ["", "*", "a.>", "a b"]) announce(name);
    await observer.flush();
    await using emulator = await nodes(1);
    await waitFor("the node to be provisioned", () => allProvisioned(emulator));
    expect(await provisioner.metrics.text()).toContain('choria_provisioner_event_discovered{site="testing"} 1\n');
  }, 20_000);
});

describe("on the wire", () => {
  test("requests have the form of the original's", async () => {
    const sent: { subject: string; message: Uint8Array }[] = [];
    const subscriptions = [
      "provisioning.node.>",
      "provisioning.broadcast.>",
      "choria.lifecycle.event.startup.provisioner",
    ].map((subject) =>
      observer.subscribe(subject, (message) => void sent.push({ subject: message.subject, message: message.data })),
    );
    await observer.flush();
    await using emulator = await nodes(1);
    await using _provisioner = await network.startProvisioner();
    await waitFor("the node to be provisioned", () => allProvisioned(emulator));
    for (const subscription of subscriptions) subscription.unsubscribe();
    const captured = readFileSync(`${import.meta.dir}/../fixtures/provisioning/wire_provisioning_account.jsonl`, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { subject: string; body: string })
      .map(({ subject, body }) => ({ subject, message: Buffer.from(body) }));
    const shapes = (messages: typeof sent) => {
      const all = messages
        .filter(({ subject }) => subject.startsWith("provisioning."))
        .filter(({ subject }) => !subject.includes(".reply."));
      return new Map(all.map(shapeOf));
    };
    expect([...shapes(sent).entries()].sort()).toEqual([...shapes(captured).entries()].sort());
    const startup = sent.find(({ subject }) => subject === "choria.lifecycle.event.startup.provisioner");
    expect(Object.keys(JSON.parse(Buffer.from(startup?.message ?? []).toString()))).toEqual([
      "protocol",
      "id",
      "identity",
      "component",
      "timestamp",
      "version",
    ]);
  }, 20_000);

  test("the server's token has the claims that the helper asks for", async () => {
    await using _provisioner = await network.startProvisioner();
    await using emulator = await nodes(1);
    await waitFor("the node to be provisioned", () => allProvisioned(emulator));
    const claims = decodeTokenUnverified(only(emulator).token ?? "");
    expect(claims).toMatchObject({
      purpose: "choria_server",
      identity: only(emulator).identity,
      collectives: ["choria"],
      permissions: { streams: true, submission: true, service_host: true },
    });
  }, 20_000);
});

/** What matters of a request's form: where it goes, and every key of it in order. */
function shapeOf({ subject, message }: { subject: string; message: Uint8Array }): [string, unknown] {
  const transport = decodeTransport(message);
  const secure = decodeSecureRequest(transport.data);
  const request = decodeRequest(secure.request);
  const text = Buffer.from(request.message).toString();
  const call = text.startsWith("{") ? (JSON.parse(text) as { agent: string; action: string; data: object }) : undefined;
  const name = call === undefined ? text : `${call.agent}#${call.action}`;
  const shape = {
    subject: subject.replace(/^(provisioning\.node)\..*/, "$1"),
    transport: Object.keys(JSON.parse(Buffer.from(message).toString())),
    headers: Object.keys(JSON.parse(Buffer.from(message).toString()).headers),
    secure: Object.keys(JSON.parse(Buffer.from(transport.data).toString())),
    request: Object.keys(JSON.parse(Buffer.from(secure.request).toString())),
    reply: transport.reply?.replace(request.id, "ID"),
    caller: request.caller,
    collective: request.collective,
    agent: request.agent,
    ttl: request.ttl,
    filter: request.filter,
    call: call === undefined ? text : { keys: Object.keys(call), data: Object.keys(call.data) },
  };
  return [name, shape];
}

describe("a helper that misbehaves fails the attempt of that node only", () => {
  test.each([
    ["exits with an error", "exit 3"],
    ["prints rubbish", "echo rubbish"],
    ["prints nothing", "exit 0"],
    ["gives numbers for settings", `echo '{"configuration":{"ttl":60}}'`],
    ["gives no configuration", "echo '{}'"],
    ["prints without end", "yes"],
    ["gives a configuration that the node refuses", `echo '{"configuration":{"ttl":"sixty"}}'`],
    ["defers", `echo '{"defer":true,"msg":"not yet"}'`],
  ])(
    "%s",
    async (_name, bad) => {
      const prefix = `bad${prefixes++}-`;
      const helper = scriptHelper(prefix, `case "$request" in *'"${prefix}'*) ${bad};; *) ${good()}\n;; esac`);
      await using provisioner = await network.startProvisioner(helper, { sweepInterval: 60_000 });
      await using victim = await nodes(1, { namePrefix: prefix });
      await using others = await nodes(2);
      await waitFor("the others to be provisioned", () => allProvisioned(others));
      await waitFor("the failure to be counted", async () =>
        (await provisioner.metrics.text()).includes('provision_errors{site="testing"} 1'),
      );
      expect(victim.counts).toMatchObject({ unprovisioned: 1, provisioned: 0 });
      expect(only(victim).configuration).toBeUndefined();
    },
    20_000,
  );

  test("shuts a node down when it says so", async () => {
    const helper = scriptHelper("shutdown-helper", `echo '{"shutdown":true,"msg":"not wanted"}'`);
    await using provisioner = await network.startProvisioner(helper);
    await using emulator = await nodes(1);
    await waitFor("the node to be shut down", () => emulator.counts.stopped === 1, 15_000);
    expect(await provisioner.metrics.text()).toContain('helper_shutdown_requests{site="testing"} 1');
  }, 20_000);
});

describe("a provisioner that is not entitled", () => {
  test("changes nothing with a wrong token", async () => {
    await using provisioner = await network.startProvisioner("token: wrong");
    await using emulator = await nodes(2);
    await waitFor("both to be refused", async () =>
      (await provisioner.metrics.text()).includes('provision_errors{site="testing"} 2'),
    );
    expect(emulator.counts).toMatchObject({ unprovisioned: 2 });
    expect(only(emulator).configuration).toBeUndefined();
  }, 20_000);

  test("leaves nodes alone whose token another organization has issued", async () => {
    const key = "ab".repeat(32);
    await using provisioner = await network.startProvisioner(`jwt_verify_cert: ${key}`);
    await using emulator = await nodes(1);
    await waitFor("the node to be refused", async () =>
      (await provisioner.metrics.text()).includes('provision_errors{site="testing"} 1'),
    );
    expect(only(emulator).configuration).toBeUndefined();
  }, 20_000);
});

describe("several provisioners", () => {
  test("side by side leave no node unprovisioned", async () => {
    const other = await network.organization.client(
      { callerid: "other_signer", permissions: { provisioner: true, fleet_management: true }, canIssue: true },
      { validity: 3_600_000 },
    );
    await using _first = await network.startProvisioner("", { sweepInterval: 500 });
    await using _second = await network.startProvisioner("", { sweepInterval: 500, signer: other });
    await using emulator = await nodes(20);
    await waitFor("all nodes to be provisioned", () => allProvisioned(emulator), 15_000);
    expect(emulator.counts.provisionings).toBe(20);
  }, 30_000);

  test("with an election take turns: one works, and when it is gone another does", async () => {
    const first = await network.startProvisioner("leader_election: true");
    await waitFor("a leader", () => !first.isPaused, 15_000);
    await using second = await network.startProvisioner("leader_election: true");
    await using emulator = await nodes(3);
    await waitFor("the nodes to be provisioned", () => allProvisioned(emulator));
    expect(second.isPaused).toBe(true);
    expect(await second.metrics.text()).toContain('choria_provisioner_paused{site="testing"} 1');
    await first.stop();
    await waitFor("another leader", () => !second.isPaused, 15_000);
    await using more = await nodes(3);
    await waitFor("more nodes to be provisioned", () => allProvisioned(more));
  }, 60_000);
});

test("metrics are served under the names of the original", async () => {
  await using provisioner = await network.startProvisioner(`monitor_port: ${await freePort()}`);
  const response = await fetch(`http://127.0.0.1:${provisioner.monitorPort}/metrics`);
  const names = new Set(
    [...(await response.text()).matchAll(/^# TYPE (\S+) (\S+)/gm)].map(([, name, type]) => `${name} ${type}`),
  );
  const captured = readFileSync(`${import.meta.dir}/../fixtures/provisioning/metrics.txt`, "utf8");
  for (const [, name, type] of captured.matchAll(/^# TYPE (\S+) (\S+)/gm)) expect(names).toContain(`${name} ${type}`);
});
