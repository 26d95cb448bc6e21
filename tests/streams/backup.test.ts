import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { encodeUtf8, parseObject, silentLogger } from "../../lib/std/mod.ts";
import { backupStream, readBackup, readMessage, restoreStream } from "../../lib/streams/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { startNats, type TestNats } from "../support/nats.ts";

let nats: TestNats;
let connection: Connection;
let manager: JetStreamManager;
let folder: ReturnType<typeof temporaryFolder>;

const count = 300;
/** More than one chunk of them. */
const payload = (i: number) => encodeUtf8(`${i} `.repeat(1_000));

function connect({ address }: TestNats): Promise<Connection> {
  return connectBroker({
    servers: [address],
    name: "test",
    login: () => ({}),
    inboxPrefix: "choria.reply.test",
    tls: false,
    logger: silentLogger,
  });
}

beforeAll(async () => {
  folder = temporaryFolder();
  nats = await startNats(`jetstream { store_dir: "${folder.file("store")}" }`);
  connection = await connect(nats);
  manager = await jetstreamManager(connection.nats, { checkAPI: false });
  await manager.streams.add({ name: "ORDERS", subjects: ["orders.>"], description: "what was ordered" });
  await Promise.all(
    Array.from({ length: count }, (_, i) => connection.nats.request(`orders.${i % 3}`, payload(i), { timeout: 5_000 })),
  );
  await manager.consumers.add("ORDERS", { durable_name: "BILLING", ack_policy: "explicit" });
});

afterAll(async () => {
  await connection.close();
  await nats[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("a backup", () => {
  test("holds configuration, state and messages, for its owner alone", async () => {
    const progress: number[] = [];
    const target = folder.file("first");
    const report = await backupStream(connection, "ORDERS", target, {
      chunkSize: 1_024,
      onProgress: (received) => progress.push(received),
    });
    expect(report.chunks).toBeGreaterThan(1);
    expect(progress.at(-1)).toBe(report.bytes);
    expect(statSync(`${target}/stream.tar.s2`).size).toBe(report.bytes);
    const modes = [target, `${target}/backup.json`, `${target}/stream.tar.s2`].map(
      (path) => statSync(path).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o600, 0o600]);
    const document = parseObject(readFileSync(`${target}/backup.json`, "utf8"));
    expect(document).toMatchObject({
      config: { name: "ORDERS", subjects: ["orders.>"], description: "what was ordered" },
      state: { messages: count, first_seq: 1, last_seq: count },
    });
  });

  test("comes back as the same stream, consumers and all", async () => {
    const target = folder.file("second");
    await backupStream(connection, "ORDERS", target);
    await manager.streams.delete("ORDERS");
    const backup = readBackup(target);
    let sent = 0;
    await restoreStream(connection, backup, { onProgress: (bytes) => (sent = bytes) });
    expect(sent).toBe(backup.size);
    const { config, state } = await manager.streams.info("ORDERS");
    expect({ subjects: config.subjects, messages: state.messages, consumers: state.consumer_count }).toEqual({
      subjects: ["orders.>"],
      messages: count,
      consumers: 1,
    });
    expect((await readMessage(manager, "ORDERS", { seq: 77 }))?.data).toEqual(payload(76));
  });

  test("leaves consumers out where they are not wanted, and comes back under another name", async () => {
    const target = folder.file("third");
    await backupStream(connection, "ORDERS", target, { consumers: false });
    await restoreStream(connection, readBackup(target), { changes: { name: "COPY", subjects: ["copy.>"] } });
    const { config, state } = await manager.streams.info("COPY");
    expect([config.subjects, state.messages, state.consumer_count]).toEqual([["copy.>"], count, 0]);
    await manager.streams.delete("COPY");
  });
});

describe("nothing is left behind when", () => {
  const leftovers = () => readdirSync(folder.file(".")).filter((name) => name.startsWith(".lost") || name === "lost");

  test("there is no such stream", async () => {
    await expect(backupStream(connection, "NONE", folder.file("lost"))).rejects.toThrow("stream not found (10059)");
    expect(leftovers()).toEqual([]);
  });

  test("somebody interrupts", async () => {
    const stopping = new AbortController();
    const lost = backupStream(connection, "ORDERS", folder.file("lost"), {
      chunkSize: 1_024,
      onProgress: (received) => received > 0 && stopping.abort(new Error("interrupted")),
      signal: stopping.signal,
    });
    await expect(lost).rejects.toThrow("interrupted");
    expect(leftovers()).toEqual([]);
  });

  test("the broker stops sending", async () => {
    await using plain = await startNats();
    await using mute = await connect(plain);
    mute.subscribe("$JS.API.STREAM.SNAPSHOT.MUTE", (message) => {
      message.respond(encodeUtf8('{"config":{"name":"MUTE"},"state":{"messages":1,"bytes":1}}'));
    });
    await mute.flush();
    const lost = backupStream(mute, "MUTE", folder.file("lost"), { patience: 50 });
    await expect(lost).rejects.toThrow("the broker has sent nothing for 0.05 s");
    expect(leftovers()).toEqual([]);
  });

  test("there is more to it than it may have", async () => {
    const lost = backupStream(connection, "ORDERS", folder.file("lost"), { chunkSize: 1_024, maxBytes: 2_000 });
    await expect(lost).rejects.toThrow("the backup is larger than 2.0 KiB");
    expect(leftovers()).toEqual([]);
  });

  test("there is an empty folder in its place", async () => {
    mkdirSync(folder.file("empty"), { mode: 0o755 });
    const lost = backupStream(connection, "ORDERS", folder.file("empty"));
    await expect(lost).rejects.toThrow("there is something of that name");
    expect(readdirSync(folder.file("empty"))).toEqual([]);
  });

  test("there is something in its place, which stays as it is", async () => {
    writeFileSync(folder.file("taken"), "precious");
    await expect(backupStream(connection, "ORDERS", folder.file("taken"))).rejects.toThrow();
    expect(readFileSync(folder.file("taken"), "utf8")).toBe("precious");
    expect(readdirSync(folder.file(".")).filter((name) => name.startsWith(".taken"))).toEqual([]);
  });
});

describe("a backup that cannot be used", () => {
  test("is refused by the folder's name and what is wrong with it", () => {
    expect(() => readBackup(folder.file("nowhere"))).toThrow(`Cannot read the backup in ${folder.file("nowhere")}: `);
    expect(existsSync(folder.file("nowhere"))).toBe(false);
  });

  test("with damaged data makes no stream", async () => {
    const target = folder.file("damaged");
    await backupStream(connection, "ORDERS", target);
    writeFileSync(`${target}/stream.tar.s2`, "no archive");
    const restored = restoreStream(connection, readBackup(target), { changes: { name: "BROKEN", subjects: ["b.>"] } });
    await expect(restored).rejects.toThrow("(10062)");
    await expect(manager.streams.info("BROKEN")).rejects.toThrow("stream not found");
  });

  test("of a stream that is there is refused by the broker", async () => {
    const target = folder.file("twice");
    await backupStream(connection, "ORDERS", target);
    await expect(restoreStream(connection, readBackup(target))).rejects.toThrow(/already|in use/);
  });
});

describe("a message", () => {
  test("is found by its sequence, its subject, or as the next one", async () => {
    const first = await readMessage(manager, "ORDERS", { seq: 1 });
    expect(first).toMatchObject({ subject: "orders.0", sequence: 1, headers: [] });
    expect(first?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await readMessage(manager, "ORDERS", { last_by_subj: "orders.2" })).toMatchObject({ subject: "orders.2" });
    const next = await readMessage(manager, "ORDERS", { seq: 2, next_by_subj: "orders.0" });
    expect(next?.subject).toBe("orders.0");
    expect(await readMessage(manager, "ORDERS", { seq: count + 1 })).toBeUndefined();
  });
});
