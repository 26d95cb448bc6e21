import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";

const gauges = [
  "connections",
  "total_connections",
  "routes",
  "remotes",
  "leafnode_remotes",
  "in_msgs",
  "out_msgs",
  "in_bytes",
  "out_bytes",
  "slow_consumers",
  "subscriptions",
  "stream_memorystore_max",
  "stream_filestore_max",
  "stream_memorystore_used",
  "stream_filestore_used",
  "stream_streams",
  "stream_consumers",
  "stream_messages",
  "stream_message_bytes",
];

let broker: TestBroker;

beforeAll(async () => {
  const settings = { "plugin.choria.stats_port": "-1" };
  broker = await startTestBroker({ organization: new TestOrganization(), settings });
  await broker.handle.streamsReady;
});

afterAll(() => broker?.stop());

const get = (path: string, init: RequestInit = {}) =>
  fetch(`http://127.0.0.1:${broker.handle.ports.stats}${path}`, init);

async function getObject(path: string): Promise<JsonObject> {
  const value: unknown = await (await get(path)).json();
  return isObject(value) ? value : {};
}

test("/choria/ says what is running", async () => {
  expect(await getObject("/choria/")).toMatchObject({
    build: {
      license: "Apache-2.0",
      tls: true,
      secure: true,
      max_broker_clients: 50_000,
      nats_server: expect.any(String),
    },
    system: { rss: expect.any(Number), cpu_percent: expect.any(Number), cpu_cores: expect.any(Number) },
    identity: "broker.test",
  });
});

describe.each(["/choria/metrics", "/choria/prometheus"])("%s", (path) => {
  test("has every figure of the original's", async () => {
    const text = await (await get(path)).text();
    for (const gauge of gauges) {
      expect(text).toMatch(new RegExp(`^choria_network_${gauge}\\{identity="broker.test"\\} \\d`, "m"));
    }
    expect(text).toMatch(/^choria_build_info\{version="[\d.]+",sha="unknown",identity="broker.test"\} 1$/m);
    expect(text).toMatch(/^choria_network_logins\{identity="broker.test",result="allowed"\} 0$/m);
    expect(text).toMatch(/^choria_network_stream_streams\{identity="broker.test"\} 4$/m);
  });
});

test("nats-server's own statistics are passed on", async () => {
  expect(await getObject("/varz")).toMatchObject({ server_name: "broker.test", max_connections: 50_000 });
  expect(await getObject("/jsz?accounts=true")).toHaveProperty("account_details");
  expect((await get("/nonsense")).status).toBe(404);
});

test("nothing can be changed through the listener", async () => {
  for (const method of ["POST", "PUT", "DELETE"]) expect((await get("/varz", { method })).status).toBe(405);
});

test("health is nats-server's and ours: while logins are not answered it is not well", async () => {
  expect([(await get("/healthz")).status, await getObject("/healthz")]).toEqual([200, { status: "ok" }]);
  process.kill(broker.handle.natsPid ?? 0, "SIGSTOP");
  const stuck = await get("/healthz");
  expect([stuck.status, await stuck.json()]).toEqual([
    503,
    { status: "unavailable", error: "logins are answered too late" },
  ]);
  process.kill(broker.handle.natsPid ?? 0, "SIGKILL");
  const seen = await waitFor("the fault to show", async () => {
    const reply = await get("/healthz");
    return reply.status === 503 ? reply.text() : undefined;
  });
  expect(seen).toMatch(/"error":"(nats-server is not running|logins are not being answered|.+)"/);
  await waitFor("all to be well again", async () => (await get("/healthz")).status === 200);
});

test("a port for statistics that is taken fails the start and leaves no nats-server behind", async () => {
  const taken = String(broker.handle.ports.stats);
  const starting = startTestBroker({
    organization: new TestOrganization(),
    settings: { "plugin.choria.stats_port": taken },
  });
  await expect(starting).rejects.toThrow();
});
