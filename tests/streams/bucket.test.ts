import { afterAll, beforeAll, expect, test } from "bun:test";
import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { Objm } from "@nats-io/obj";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { decodeUtf8, silentLogger } from "../../lib/std/mod.ts";
import { openBucket, readObject } from "../../lib/streams/mod.ts";
import { privateNetworkId } from "../../lib/tokens/mod.ts";
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { type Member, TestOrganization } from "../support/organization.ts";

const organization = new TestOrganization();
let broker: TestBroker;
let admin: Connection;
let server: Connection;
let bucket: KV;

function connect(name: string, { token, key }: Member, holder: string): Promise<Connection> {
  return connectBroker({
    servers: [broker.address],
    name,
    login: () => ({ token, key }),
    inboxPrefix: `choria.reply.${privateNetworkId(holder)}`,
    logger: silentLogger,
    tls: {},
  });
}

beforeAll(async () => {
  broker = await startTestBroker({ organization });
  const permissions = { org_admin: true };
  admin = await connect("admin", await organization.client({ callerid: "up=admin", permissions }), "up=admin");
  const may = { permissions: { streams: true } };
  const node = await organization.server({ identity: "n1.example.net", collectives: ["choria"], ...may });
  server = await connect("n1", node, "n1.example.net");
  bucket = await new Kvm(jetstream(admin.nats)).create("CFG", { history: 5 });
});

afterAll(async () => {
  await Promise.all([admin.close(), server.close()]);
  await broker.stop();
});

test("a server reads what stands in a bucket, with its revision", async () => {
  const reader = openBucket(server, "CFG");
  expect(await reader.get("a")).toBeUndefined();
  await bucket.put("a", "one");
  await bucket.put("a", "two");
  const entry = await reader.get("a");
  expect(decodeUtf8(entry?.value ?? new Uint8Array())).toBe("two");
  expect(entry?.revision).toBe(2);
  await bucket.delete("a");
  expect(await reader.get("a")).toBeUndefined();
});

test("a bucket without direct reads is read all the same", async () => {
  const plain = await new Kvm(jetstream(admin.nats)).create("PLAIN", { allow_direct: false });
  await plain.put("a/b.c", "one");
  expect(decodeUtf8((await openBucket(server, "PLAIN").get("a/b.c"))?.value ?? new Uint8Array())).toBe("one");
});

test("a bucket may be made after it was first read", async () => {
  const reader = openBucket(server, "LATER");
  await expect(reader.get("a")).rejects.toThrow("stream not found");
  await new Kvm(jetstream(admin.nats)).create("LATER");
  expect(await reader.get("a")).toBeUndefined();
});

test.each(["", "a.b", "a b", "*"])("%p is no name for a bucket", (name) => {
  expect(() => openBucket(server, name)).toThrow("Cannot use the bucket name");
});

test("a server reads objects, but neither links nor what is not there", async () => {
  const store = await new Objm(jetstream(admin.nats)).create("FILES");
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  await store.putBlob({ name: "a.tgz" }, content);
  const found = await readObject(server, "FILES", "a.tgz");
  expect(found.size).toBe(content.length);
  expect(await new Response(found.content).bytes()).toEqual(content);
  await store.link("b.tgz", await (await new Objm(jetstream(admin.nats)).open("FILES")).info("a.tgz").then(needed));
  await expect(readObject(server, "FILES", "b.tgz")).rejects.toThrow("it is a link");
  await expect(readObject(server, "FILES", "c.tgz")).rejects.toThrow("there is none");
  await expect(readObject(server, "NONE", "a.tgz")).rejects.toThrow();
});

function needed<T>(value: T | null): T {
  if (value === null) throw new Error("it is not there");
  return value;
}
