import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectFleet, type Fleet } from "../../lib/client/mod.ts";
import { decodeTransport, encodeReply, encodeSecureReply, encodeTransport, subjects } from "../../lib/protocol/mod.ts";
import { signReply } from "../../lib/security/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { type TestNetwork, type TestNode, testNetwork } from "./support/network.ts";

let network: TestNetwork;
let fleet: Fleet;
let node: TestNode;

beforeAll(async () => {
  network = await testNetwork(1);
  fleet = await connectFleet(network.config(), { tls: false });
  const [first] = network.nodes;
  if (first === undefined) throw new Error("there is no node");
  node = first;
});

afterAll(async () => {
  await fleet.close();
  await network[Symbol.asyncDispose]();
});

/** Numbers that follow from a seed, so that a failure can be had again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

/** A reply to a request of this id by whoever holds the node's token. */
function replyTo(id: string, fields: { sender?: string; payload?: string } = {}): Uint8Array {
  const { sender = node.identity, payload = '{"action":"ping","statuscode":0,"statusmsg":"OK","data":{}}' } = fields;
  const time = BigInt(Date.now()) * 1_000_000n;
  const reply = encodeReply({ message: encodeUtf8(payload), request: id, sender, agent: "rpcutil", time });
  const data = encodeSecureReply(signReply(reply, node.member));
  return encodeTransport({ data, sender });
}

function damage(bytes: Uint8Array, next: () => number): Uint8Array {
  const copy = bytes.slice();
  switch (Math.floor(next() * 4)) {
    case 0:
      return copy.slice(0, Math.floor(next() * copy.length));
    case 1:
      return crypto.getRandomValues(new Uint8Array(Math.floor(next() * 500)));
    case 2:
      return encodeUtf8(
        ["null", "[]", "{}", '{"protocol":"io.choria.protocol.v2.transport"}'][Math.floor(next() * 4)] ?? "",
      );
    default:
      for (let i = 0; i < 3; i++) copy[Math.floor(next() * copy.length)] = Math.floor(next() * 256);
      return copy;
  }
}

/** Send something back on the next request that reaches a subject. */
async function onRequest(subject: string, answer: (reply: string, send: (data: Uint8Array) => void) => void) {
  const connection = await network.connect();
  connection.subscribe(subject, ({ data }) => {
    const { reply = "" } = decodeTransport(data);
    answer(reply, (bytes) => connection.publish(reply, bytes));
  });
  await connection.flush();
}

const idOf = (replySubject: string) => replySubject.split(".").at(-1) ?? "";

describe("replies from the network", () => {
  test("damaged by the thousand are counted and bring nobody down", async () => {
    const next = random(42);
    await onRequest(subjects.node("choria", "broken.example.net"), (reply, send) => {
      const good = replyTo(idOf(reply));
      for (let i = 0; i < 3_000; i++) send(damage(good, next));
    });
    const nodes = ["broken.example.net"];
    const request = fleet.request("rpcutil", "ping", {}, { nodes, requestTimeout: 1_500 });
    expect(await request.all()).toEqual([]);
    const { rejected, rejections, unexpected } = request.stats;
    // Some damage may leave a valid reply behind, as by a changed byte in a place that nobody signs.
    expect(rejected).toBeGreaterThan(2_900);
    expect(unexpected.every((sender) => sender === node.identity)).toBe(true);
    expect(rejections.length).toBe(100);
    expect(await fleet.request("rpcutil", "ping", {}, { nodes: [node.identity] }).all()).toHaveLength(1);
  }, 15_000);

  test("by strangers and second ones are counted as unexpected and not mixed in", async () => {
    await onRequest(subjects.node("choria", "twice.example.net"), (reply, send) => {
      send(replyTo(idOf(reply)));
      send(replyTo(idOf(reply)));
    });
    const twice = { nodes: [node.identity, "twice.example.net"], requestTimeout: 300 };
    const request = fleet.request("rpcutil", "ping", {}, twice);
    expect(await request.all()).toHaveLength(1);
    expect(request.stats).toMatchObject({ responses: 1, ok: 1, unexpected: [node.identity] });
    const strange = fleet.request("rpcutil", "ping", {}, { nodes: ["twice.example.net"], requestTimeout: 300 });
    expect(await strange.all()).toEqual([]);
    expect(strange.stats).toMatchObject({ responses: 0, unexpected: [node.identity], rejected: 0 });
  });

  test("to another request, or in the name of another node, are not believed", async () => {
    await onRequest(subjects.node("choria", "liar.example.net"), (reply, send) => {
      send(replyTo("3MRndrUmel1pMLT8PaDRjATPX3T", { sender: node.identity }));
      send(replyTo(idOf(reply), { sender: "liar.example.net" }));
    });
    const request = fleet.request("rpcutil", "ping", {}, { nodes: ["liar.example.net"], requestTimeout: 300 });
    expect(await request.all()).toEqual([]);
    const reasons = request.stats.rejections.map(({ reason }) => reason);
    expect(reasons[0]).toContain("it answers another request");
    expect(reasons[1]).toContain("its sender is not the holder of the token");
  });

  test("whose payload cannot be read count as failures of their node", async () => {
    await using odd = await network.addNode("odd.example.net");
    network.nodes.pop();
    await odd.host.stop();
    const previous = node;
    node = odd;
    await onRequest(subjects.node("choria", "odd.example.net"), (reply, send) =>
      send(replyTo(idOf(reply), { payload: "not JSON" })),
    );
    const request = fleet.request("rpcutil", "ping", {}, { nodes: ["odd.example.net"], requestTimeout: 2_000 });
    const [reply] = await request.all();
    node = previous;
    expect(reply).toMatchObject({ ok: false, statuscode: 5, statusmsg: "Cannot read the RPC reply: it is not JSON" });
    expect(request.stats).toMatchObject({ failed: 1, responses: 1 });
  });
});
