import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Msg } from "@nats-io/nats-core";
import { AdapterCounts, type AdapterDocument, formatAdapterMetrics } from "../../lib/adapters/mod.ts";
import { Outlet } from "../../lib/adapters/outlet.ts";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { encodeUtf8, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { waitFor } from "../support/wait.ts";
import { makeStream, messagesOf } from "./_streams.ts";

const folder = temporaryFolder();
let nats: TestNats;
let connection: Connection;

beforeAll(async () => {
  nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
  connection = await connectBroker({
    servers: [nats.address],
    name: "outlet",
    login: () => ({}),
    inboxPrefix: "_INBOX",
    logger: silentLogger,
    tls: false,
  });
});

afterAll(async () => {
  await connection?.close();
  await nats?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface OutletSettings {
  queueLength?: number;
  logger?: RecordingLogger;
  link?: Pick<Connection, "subscribe" | "publish" | "server">;
}

function open(options: OutletSettings = {}) {
  const counts = new AdapterCounts({ input: 1, output: 2 });
  const outlet = new Outlet({
    connection: options.link ?? connection,
    inboxPrefix: "_INBOX",
    queueLength: options.queueLength ?? 10,
    counts: counts.output,
    clock: systemClock,
    logger: options.logger ?? silentLogger,
  });
  return { outlet, counts };
}

const document = (subject: string, id: string): AdapterDocument => ({
  subject,
  id,
  data: encodeUtf8(`{"id":"${id}"}`),
});

describe("an outlet", () => {
  test("publishes each document until a stream has it", async () => {
    await makeStream(connection, "FLEET", "fleet.>");
    const { outlet, counts } = open({ queueLength: 5_000 });
    for (let i = 0; i < 1_000; i++) expect(outlet.deliver(document("fleet.n1", `a${i}`))).toBe(true);
    await outlet.stop(5_000);
    expect(await messagesOf(connection, "FLEET")).toBe(1_000);
    expect(counts.total("output")).toMatchObject({ received: 1_000, published: 1_000, errors: 0, timed: 1_000 });
  });

  test("discards as many documents as there may be when none can be sent, and stops", async () => {
    const refused = () => {
      throw new Error("payload max_payload size exceeded");
    };
    let acknowledge = () => {};
    const subscribe: Connection["subscribe"] = (subject, handler) => {
      const first = subject.replace("*", "0");
      acknowledge = () => void handler({ subject: first, data: encodeUtf8('{"stream":"S","seq":1}') } as Msg);
      return connection.subscribe(subject, handler);
    };
    const link = { server: "up", subscribe, publish: () => {} };
    const { outlet, counts } = open({ queueLength: 50_000, link });
    for (let i = 0; i < 50_200; i++) expect(outlet.deliver(document("none.n1", `f${i}`))).toBe(true);
    link.publish = refused;
    acknowledge();
    await waitFor("the queue to be empty", () => outlet.queue.length === 0);
    expect(counts.total("output")).toMatchObject({ published: 1, errors: 50_000 });
    await outlet.stop(0);
  });

  test("keeps documents while there is no stream, as many as there is room for, and gives them to the one that comes", async () => {
    const logger = new RecordingLogger();
    const { outlet, counts } = open({ queueLength: 50, logger });
    const taken = Array.from({ length: 400 }, (_, i) => outlet.deliver(document("later.n1", `b${i}`)));
    // Two workers with a hundred documents each, and the queue.
    expect(taken.filter(Boolean)).toHaveLength(250);
    expect(outlet.queue).toEqual({ length: 50, capacity: 50 });
    await waitFor("the warning", () => logger.messages.some((text) => text.includes("no stream listens there")));
    await makeStream(connection, "LATER", "later.>");
    await outlet.stop(10_000);
    expect(await messagesOf(connection, "LATER")).toBe(250);
    expect(counts.total("output")).toMatchObject({ published: 250, errors: 0 });
    // One line, not one for each document.
    expect(logger.messages.filter((text) => text.includes("no stream"))).toHaveLength(1);
  });

  test("stores a document once, however often it is published", async () => {
    await makeStream(connection, "ONCE", "once.>");
    const { outlet, counts } = open();
    for (let i = 0; i < 5; i++) outlet.deliver(document("once.n1", "same"));
    outlet.resume();
    await outlet.stop(5_000);
    expect(await messagesOf(connection, "ONCE")).toBe(1);
    expect(counts.total("output").errors).toBe(0);
  });

  test("gives up what a stream refuses for good, and what cannot be sent, and counts it", async () => {
    await makeStream(connection, "SMALL", "small.>", { max_msg_size: 50 });
    const logger = new RecordingLogger();
    const { outlet, counts } = open({ logger });
    outlet.deliver({ ...document("small.n1", "big"), data: new Uint8Array(100) });
    outlet.deliver({ ...document("small.n1", "bigger"), data: new Uint8Array(2_000_000) });
    outlet.deliver({ ...document("small.n1", "odd"), id: "a\r\nb" });
    outlet.deliver(document("small.n1", "fits"));
    await outlet.stop(5_000);
    expect(await messagesOf(connection, "SMALL")).toBe(1);
    expect(counts.total("output")).toMatchObject({ received: 4, published: 1, errors: 3 });
    expect(logger.messages.join()).toContain("Could not publish message to Choria Streams small.n1, discarding");
  });

  test("says at its end what no stream has taken", async () => {
    const logger = new RecordingLogger();
    const { outlet } = open({ logger });
    outlet.deliver(document("nowhere.n1", "x"));
    await outlet.stop(50);
    expect(logger.lines.at(-1)).toMatchObject({ fields: { count: 1 } });
  });
});

test("metrics bear the original's names, and count", () => {
  const counts = new AdapterCounts({ input: 1, output: 1 });
  Object.assign(counts.input[0] ?? {}, { received: 3, bytes: 30, errors: 1, seconds: 0.5, timed: 3 });
  Object.assign(counts.output[0] ?? {}, { received: 2, bytes: 20, published: 2 });
  const text = formatAdapterMetrics([{ name: "reg", counts, queue: { length: 4, capacity: 10 } }], "broker.test");
  expect(text).toContain('choria_adapter_received_msgs{name="reg.0",role="input",identity="broker.test"} 3\n');
  expect(text).toContain('choria_adapter_errors{name="reg.0",role="input",identity="broker.test"} 1\n');
  expect(text).toContain('choria_adapter_published_msgs{name="reg.0",role="output",identity="broker.test"} 2\n');
  expect(text).toContain("# TYPE choria_adapter_time summary\n");
  expect(text).toContain('choria_adapter_time_sum{name="reg.0",role="input",identity="broker.test"} 0.5\n');
  expect(text).toContain('choria_adapter_queue_length{name="reg",identity="broker.test"} 4\n');
});
