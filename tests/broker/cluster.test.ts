import { afterAll, beforeAll, expect, test } from "bun:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const organization = new TestOrganization();
const secret = "a secret that all brokers of the test share";

/** Start brokers that know each other. All lists of peers are the same, as on real machines. */
async function startCluster(size: number, settings: Record<string, string> = {}): Promise<TestBroker[]> {
  const ports = await Promise.all(Array.from({ length: size }, freePort));
  const peers = ports.map((port) => `127.0.0.1:${port}`).join(",");
  return Promise.all(
    ports.map((port, index) =>
      startTestBroker({
        organization,
        settings: {
          identity: `broker${index}.test`,
          "plugin.choria.network.peers": peers,
          "plugin.choria.network.peer_port": String(port),
          ...settings,
        },
      }),
    ),
  );
}

function connect(servers: string[], { token, key }: Member, states: string[] = []): Promise<Connection> {
  return connectBroker({
    servers,
    name: "test",
    login: () => ({ token, key }),
    inboxPrefix: "choria.reply.x",
    logger: silentLogger,
    attempts: 1,
    reconnectSteps: [50],
    onState: (state) => states.push(state),
  });
}

const administrator = () => organization.client({ callerid: "up=admin", permissions: { org_admin: true } });

async function heard(from: Connection, to: Connection, subject: string): Promise<number> {
  let count = 0;
  const subscription = to.subscribe(subject, () => {
    count++;
  });
  await to.flush();
  await waitFor("a message to cross", async () => {
    from.publish(subject, new Uint8Array());
    await from.flush();
    return count > 0;
  });
  subscription.unsubscribe();
  return count;
}

function at(brokers: TestBroker[], index: number): TestBroker {
  const broker = brokers[index];
  if (broker === undefined) throw new Error(`There is no broker ${index}`);
  return broker;
}

let brokers: TestBroker[] = [];
const alive = () => brokers.filter(({ handle }) => handle.natsPid !== undefined);

beforeAll(async () => {
  brokers = await startCluster(3, { "plugin.choria.network.peer_secret": secret });
});

afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.stop()));
});

test("messages cross between the brokers of a cluster", async () => {
  const member = await administrator();
  await using one = await connect([at(brokers, 0).address], member);
  await using two = await connect([at(brokers, 2).address], member);
  expect(await heard(one, two, "crossing.there")).toBeGreaterThan(0);
  expect(await heard(two, one, "crossing.back")).toBeGreaterThan(0);
});

test("the managed streams stand on three brokers as soon as these have met", async () => {
  await Promise.all(brokers.map(({ handle }) => handle.streamsReady));
  await using connection = await connect([at(brokers, 0).address], await administrator());
  const manager = await jetstreamManager(connection.nats, { checkAPI: false });
  const { config, cluster } = await manager.streams.info("CHORIA_EVENTS");
  expect([config.num_replicas, cluster?.replicas?.length]).toEqual([3, 2]);
});

test("brokers that share a secret speak to each other in cipher", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  let said = "";
  await Bun.connect({
    hostname: "127.0.0.1",
    port: at(brokers, 0).handle.ports.peers,
    socket: {
      open: (socket) => void socket.write(`CONNECT {"name":"intruder","cluster":"CHORIA"}\r\nPING\r\n`),
      data: (_socket, data) => {
        said += data.toString("latin1");
      },
      close: () => resolve(said),
    },
  });
  // What it says is that this was no TLS.
  expect(await promise).not.toMatch(/INFO|PONG/);
});

test("brokers that share a secret answer each other's logins", async () => {
  const member = await administrator();
  const answered = () => brokers.map(({ handle }) => handle.logins.allowed);
  const before = answered();
  await waitFor("every broker to answer a login at the first one", async () => {
    await (await connect([at(brokers, 0).address], member)).close();
    return answered().every((count, index) => count > (before[index] ?? 0));
  });
});

test("the death of a broker costs its clients no more than their way to another", async () => {
  const member = await administrator();
  const addresses = brokers.slice(1).map(({ address }) => address);
  const states: string[] = [];
  await using client = await connect(addresses, member, states);
  await using listener = await connect([at(brokers, 0).address], member);
  const home = brokers.find(({ address }) => client.server.endsWith(address));
  if (home === undefined) throw new Error(`The client is at ${client.server}`);
  await home.stop();
  await waitFor("the client to be elsewhere", () => states.at(-1) === "connected" && states.includes("disconnected"));
  expect(alive()).toHaveLength(2);
  expect(await heard(client, listener, "after.a.death")).toBeGreaterThan(0);
  await (await connect([at(brokers, 0).address], member)).close();
}, 30_000);

test("without a shared secret each broker answers its own logins, and messages cross all the same", async () => {
  const pair = await startCluster(2);
  try {
    const member = await administrator();
    await using one = await connect([at(pair, 0).address], member);
    await using two = await connect([at(pair, 1).address], member);
    expect(await heard(one, two, "crossing.there")).toBeGreaterThan(0);
    for (let i = 0; i < 6; i++) await (await connect([at(pair, 0).address], member)).close();
    expect(pair.map(({ handle }) => handle.logins.allowed)).toEqual([7, 1]);
  } finally {
    await Promise.all(pair.map((broker) => broker.stop()));
  }
});

test("a broker that does not know the secret stays outside", async () => {
  const stranger = await startTestBroker({
    organization,
    settings: {
      identity: "stranger.test",
      "plugin.choria.network.peers": `127.0.0.1:${at(brokers, 0).handle.ports.peers}`,
      "plugin.choria.network.peer_port": String(await freePort()),
      "plugin.choria.network.peer_secret": `${secret}, but not quite`,
    },
  });
  try {
    const member = await administrator();
    await using outside = await connect([stranger.address], member);
    await using inside = await connect([at(brokers, 0).address], member);
    let count = 0;
    outside.subscribe("secret.of.the.cluster", () => {
      count++;
    });
    await outside.flush();
    expect(await heard(inside, inside, "secret.of.the.cluster")).toBeGreaterThan(0);
    await outside.flush();
    expect(count).toBe(0);
  } finally {
    await stranger.stop();
  }
});
