import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { RecordingLogger } from "../support/log.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { RawNats } from "../support/raw_nats.ts";
import { waitFor } from "../support/wait.ts";

const organization = new TestOrganization();

function connect(broker: TestBroker, { token, key }: Member, onState?: (state: string) => void): Promise<Connection> {
  return connectBroker({
    servers: [broker.address],
    name: "test",
    login: () => ({ token, key }),
    inboxPrefix: "choria.reply.x",
    logger: silentLogger,
    attempts: 1,
    reconnectSteps: [20, 50, 100],
    ...(onState === undefined ? {} : { onState }),
  });
}

function administrator(options = {}): Promise<Member> {
  return organization.client({ callerid: "up=admin", permissions: { org_admin: true } }, options);
}

test("a connection ends when its token does", async () => {
  await using broker = await startTestBroker({ organization });
  const states: string[] = [];
  const short = await administrator({ now: Date.now(), validity: 2_000 });
  await using _connection = await connect(broker, short, (state) => states.push(state));
  await waitFor("the connection to end", () => states.includes("disconnected"));
  expect(Date.now()).toBeGreaterThanOrEqual(Math.floor(organization.now / 1_000) * 1_000 + 2_000);
  await expect(connect(broker, short)).rejects.toThrow("Authorization Violation");
});

test("a client is back after nats-server was killed, and nats-server keeps its port", async () => {
  await using broker = await startTestBroker({ organization });
  const states: string[] = [];
  await using connection = await connect(broker, await administrator(), (state) => states.push(state));
  const { natsPid: first = 0, ports } = broker.handle;
  process.kill(first, "SIGKILL");
  await waitFor("the client to notice", () => states.includes("disconnected"));
  await waitFor("the client to be back", () => states.at(-1) === "connected");
  await connection.flush();
  expect(broker.handle.ports).toEqual(ports);
  expect(broker.handle.natsPid).not.toBe(first);
});

test("a nats-server that cannot be started anew for a while is back once it can", async () => {
  const logger = new RecordingLogger();
  await using broker = await startTestBroker({ organization, logger });
  const states: string[] = [];
  await using connection = await connect(broker, await administrator(), (state) => states.push(state));
  const folder = join(broker.config.get("plugin.choria.network.stream.store"), "broker");
  rmSync(folder, { recursive: true });
  // Like a full disk, it leaves no place for the configuration.
  writeFileSync(folder, "");
  process.kill(broker.handle.natsPid ?? 0, "SIGKILL");
  await waitFor("the broker to fail", () => logger.messages.includes("nats-server cannot be started"));
  rmSync(folder);
  await waitFor("the client to be back", () => states.at(-1) === "connected" && states.length > 1);
  await connection.flush();
});

test("a new rule applies from the next login on, and connections stay", async () => {
  await using broker = await startTestBroker({ organization });
  const states: string[] = [];
  const member = await administrator();
  await using connection = await connect(broker, member, (state) => states.push(state));
  const other = new TestOrganization();
  await broker.handle.reload(broker.config.with({ "plugin.security.issuer.choria.public": other.issuer.publicKey }));
  await expect(connect(broker, member)).rejects.toThrow("Authorization Violation");
  await using _new = await connect(broker, await other.client({ callerid: "up=new" }));
  await connection.flush();
  expect(states).toEqual(["connected"]);
});

test("what concerns nats-server is passed on to it, and who may still log in comes back", async () => {
  await using broker = await startTestBroker({ organization });
  const states: string[] = [];
  await using connection = await connect(broker, await administrator(), (state) => states.push(state));
  const token = await organization.provisioning([broker.url]);
  await broker.handle.reload(broker.config.with({ "plugin.choria.network.provisioning.client_password": undefined }));
  await waitFor("the client to be back", () => states.join() === "connected,disconnected,connected");
  await connection.flush();
  using node = await RawNats.open(broker.port);
  expect(await node.connect({ auth_token: token })).toEqual(["-ERR 'Authorization Violation'", "(closed)"]);
});

test("a configuration that cannot be used leaves the present one in force", async () => {
  await using broker = await startTestBroker({ organization });
  const other = broker.config.with({
    "plugin.choria.network.listen_address": "127.0.0.2",
    "plugin.security.issuer.choria.public": new TestOrganization().issuer.publicKey,
  });
  await expect(broker.handle.reload(other)).rejects.toThrow("Failed to reload server configuration");
  await using connection = await connect(broker, await administrator());
  await connection.flush();
});
