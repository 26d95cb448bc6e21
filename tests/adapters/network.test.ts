import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { formatConf } from "../../lib/config/mod.ts";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { encodeRpcRequest, insecureSignature } from "../../lib/protocol/mod.ts";
import { isObject, parseObject, silentLogger } from "../../lib/std/mod.ts";
import { startTestServer } from "../server/support/server.ts";
import { testBrokerSettings } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";
import { registration, request, signedBy, strangerKey } from "./_messages.ts";
import { makeStream, messagesOf, storedIn } from "./_streams.ts";

const program = resolve(import.meta.dir, "../../cmd/broker.ts");
const organization = new TestOrganization();
const folder = temporaryFolder();
const topic = "choria.broadcast.agent.registration";
const stream = "CHORIA_REGISTRATION";
let port: number;
let statsPort: number;
let broker: Bun.Subprocess;
let operator: Connection;

const adapter = {
  "plugin.choria.adapters": "registration, answers, broken",
  "plugin.choria.adapter.answers.type": "jetstream",
  "plugin.choria.adapter.answers.stream.topic": "choria.node_metadata.answers.%s",
  "plugin.choria.adapter.answers.ingest.topic": "choria.reply.adapter.>",
  "plugin.choria.adapter.registration.type": "choria_streams",
  "plugin.choria.adapter.registration.stream.topic": "choria.node_metadata.%s",
  "plugin.choria.adapter.registration.ingest.topic": topic,
  "plugin.choria.adapter.registration.ingest.protocol": "request",
};

/** Start a process of the broker's program and wait for a line of its log. */
async function launch(name: string, settings: Record<string, string>, line: string): Promise<Bun.Subprocess> {
  const log = folder.file(`${name}.log`);
  const from = existsSync(log) ? readFileSync(log, "utf8").length : 0;
  writeFileSync(folder.file(`${name}.conf`), formatConf(Object.entries({ ...settings, logfile: log })));
  const child = Bun.spawn([process.execPath, "run", program, "--config", folder.file(`${name}.conf`)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  await waitFor(line, () => existsSync(log) && readFileSync(log, "utf8").slice(from).includes(line));
  return child;
}

async function launchBroker(): Promise<Bun.Subprocess> {
  const settings = {
    ...adapter,
    "plugin.choria.network.client_port": String(port),
    "plugin.choria.stats_port": String(statsPort),
  };
  const all = await testBrokerSettings(folder.file, { organization, settings });
  return launch("broker", all, "Network Broker is ready");
}

function connectAs(member: Member, name: string): Promise<Connection> {
  return connectBroker({
    servers: [`127.0.0.1:${port}`],
    name,
    login: () => ({ token: member.token, key: member.key }),
    inboxPrefix: "choria.reply.test",
    logger: silentLogger,
    reconnectSteps: [50],
  });
}

async function metric(name: string, role: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${statsPort}/choria/metrics`)).text();
  const values = text.matchAll(
    new RegExp(`^choria_adapter_${name}\\{name="registration.\\d+",role="${role}",.*\\} (.*)$`, "gm"),
  );
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

function killNats(): void {
  const { pid } = parseObject(readFileSync(folder.file("streams/broker/nats-server.json")));
  process.kill(Number(pid), "SIGKILL");
}

beforeAll(async () => {
  [port, statsPort] = [await freePort(), await freePort()];
  broker = await launchBroker();
  const admin = { callerid: "up=admin", permissions: { org_admin: true } };
  operator = await connectAs(await organization.client(admin), "operator");
  await makeStream(operator, stream, "choria.node_metadata.>");
}, 20_000);

afterAll(async () => {
  await operator?.close();
  broker?.kill("SIGTERM");
  await broker?.exited;
  folder[Symbol.dispose]();
});

describe("a broker with an adapter", () => {
  test("keeps a document of each server's inventory", async () => {
    const network = { address: `127.0.0.1:${port}`, organization, file: folder.file };
    await using _server = await startTestServer(network, "inv.example.net", {
      registration: "inventory_content",
      registration_splay: "0",
      registerinterval: "60",
    });
    const [stored] = await waitFor("the inventory", async () => {
      const found = await storedIn(operator, stream);
      return found.length > 0 ? found : undefined;
    });
    expect(stored?.subject).toBe("choria.node_metadata.inv.example.net");
    expect(Object.keys(stored?.document ?? {})).toEqual(["protocol", "data", "sender", "time", "requestid"]);
    expect(stored?.document).toMatchObject({
      protocol: "choria:adapters:choria_streams:output:1",
      sender: "inv.example.net",
      requestid: expect.stringMatching(/^[0-9A-Za-z]{27}$/),
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/),
    });
    const data = parseObject(String(stored?.document.data));
    expect(data.protocol).toBe("choria:registration:inventorycontent:1");
    const inventory = parseObject(gunzipSync(Buffer.from(String(data.zcontent), "base64")));
    expect(Object.keys(inventory)).toEqual([
      "agents",
      "classes",
      "facts",
      "status",
      "collectives",
      "build_info",
      "machines",
    ]);
    expect(isObject(inventory.status) && inventory.status.identity).toBe("inv.example.net");
  }, 20_000);

  test("keeps nothing of what is forged, unsigned, repeated or no message, and counts it", async () => {
    const before = { stored: await messagesOf(operator, stream), errors: await metric("errors", "input") };
    const n1 = await organization.server({ identity: "n1.example.net", collectives: ["choria"] });
    const n2 = await organization.server({ identity: "n2.example.net", collectives: ["choria"] });
    const good = registration("n1.example.net", signedBy(n1));
    const bad = [
      registration("n1.example.net", signedBy(n2)),
      registration("n1.example.net", signedBy({ ...n1, key: strangerKey })),
      registration("n1.example.net", (bytes) => ({ request: bytes, signature: insecureSignature, caller: n1.token })),
      request(n2, { sender: "n1.example.net", caller: "n1.example.net" }),
      good,
      new TextEncoder().encode("no message"),
      new Uint8Array(),
    ];
    await using node = await connectAs(n2, "n2");
    for (const message of [good, ...bad]) node.publish(topic, message);
    await node.flush();
    await waitFor("the refusals", async () => (await metric("errors", "input")) === before.errors + bad.length);
    expect(await messagesOf(operator, stream)).toBe(before.stored + 1);
    expect(await metric("published_msgs", "output")).toBe(before.stored + 1);
  });

  test("keeps a document of each reply that was sent to it, and runs although another adapter cannot", async () => {
    const network = { address: `127.0.0.1:${port}`, organization, file: folder.file };
    await using server = await startTestServer(network, "ans.example.net");
    const bob = { callerid: "up=bob", permissions: { fleet_management: true } };
    const member = await organization.client(bob);
    await using client = await connectAs(member, "bob");
    const message = encodeRpcRequest({ agent: "rpcutil", action: "ping", data: {} });
    const fields = { sender: "desk", caller: "up=bob", agent: "rpcutil", message };
    client.publish("choria.node.ans.example.net", request(member, fields, "choria.reply.adapter.x"));
    const stored = await waitFor("the reply", async () =>
      (await storedIn(operator, stream)).find(({ subject }) => subject.includes("answers")),
    );
    expect(stored.subject).toBe(`choria.node_metadata.answers.${server.identity}`);
    expect(parseObject(String(stored.document.data))).toMatchObject({ statuscode: 0, action: "ping" });
    expect(readFileSync(folder.file("broker.log"), "utf8")).toContain(
      "Failed to run Protocol Adapters: could not determine type for adapter broken",
    );
  }, 20_000);

  /** The broker ends by a signal, or its nats-server alone is killed. */
  for (const cause of ["SIGTERM", "SIGKILL", "nats"] as const) {
    test(`keeps each publication once over a restart (${cause}), those made meanwhile included`, async () => {
      const identity = `${cause}.example.net`;
      const member = await organization.server({ identity, collectives: ["choria"] });
      await using node = await connectAs(member, cause);
      const sent: string[] = [];
      const publish = (text: string) => {
        sent.push(text);
        const body = new TextEncoder().encode(text);
        node.publish(topic, registration(identity, signedBy(member), { body }));
      };
      const kept = async () => {
        const all = await storedIn(operator, stream);
        return all.filter(({ document }) => document.sender === identity).map((m) => m.document.data);
      };
      const allKept = async () => (await kept()).length >= sent.length;
      for (let i = 0; i < 20; i++) publish(`before ${i}`);
      await waitFor("the first documents", allKept);
      if (cause === "nats") killNats();
      else {
        broker.kill(cause);
        await broker.exited;
      }
      await waitFor("the node to notice", () => node.server === "");
      for (let i = 0; i < 20; i++) publish(`meanwhile ${i}`);
      if (cause !== "nats") broker = await launchBroker();
      await waitFor("the node to be back", () => node.server !== "" && operator.server !== "", 20_000);
      for (let i = 0; i < 20; i++) publish(`after ${i}`);
      await waitFor("all documents", allKept, 20_000);
      expect((await kept()).map(String).sort()).toEqual([...sent].sort());
    }, 60_000);
  }

  test("may leave adapters to a process of their own", async () => {
    const token = { identity: "adapters.example.net", collectives: ["choria"], pub_subjects: ["apart.>"] };
    const { tokenFile, seedFile } = (await organization.server(token)).save(folder.file("adapters"));
    await makeStream(operator, "APART", "apart.>");
    const name = "plugin.choria.adapter.apart";
    const lone = await launch(
      "adapters",
      {
        "plugin.choria.adapters": "apart",
        [`${name}.type`]: "jetstream",
        [`${name}.stream.topic`]: "apart.%s",
        [`${name}.ingest.topic`]: topic,
        [`${name}.ingest.protocol`]: "request",
        "plugin.choria.middleware_hosts": `127.0.0.1:${port}`,
        "plugin.security.choria.token_file": tokenFile,
        "plugin.security.choria.seed_file": seedFile,
        "plugin.security.issuer.names": "choria",
        "plugin.security.issuer.choria.public": organization.issuer.publicKey,
      },
      "Data adapter is ready",
    );
    const member = await organization.server({ identity: "n3.example.net", collectives: ["choria"] });
    await using node = await connectAs(member, "n3");
    node.publish(topic, registration("n3.example.net", signedBy(member)));
    const [stored] = await waitFor("the document", async () => {
      const found = await storedIn(operator, "APART");
      return found.length > 0 ? found : undefined;
    });
    expect(stored?.subject).toBe("apart.n3.example.net");
    lone.kill("SIGTERM");
    expect(await lone.exited).toBe(0);
  }, 20_000);
});
