import { describe, expect, test } from "bun:test";
import { type ActionOptions, AgentClient, connectFleet, type Fleet } from "../../lib/client/mod.ts";
import { defineDdl } from "../../lib/ddl/mod.ts";
import { testNetwork } from "./support/network.ts";

const ddl = defineDdl({
  metadata: { name: "rpcutil", description: "", author: "", license: "", version: "", url: "", timeout: 2 },
  actions: [
    {
      name: "ping",
      description: "",
      display: "always",
      input: {},
      output: { pong: { description: "", display_as: "Time", type: "integer" } },
      aggregate: [],
    },
  ],
});

/** A client as it would be generated, that tells its options. */
class PingClient extends AgentClient<typeof ddl> {
  constructor(fleet: Fleet, options: ActionOptions = {}) {
    super(fleet, ddl, options);
  }

  override with(options: ActionOptions): PingClient {
    return new PingClient(this.fleet, this.merged(options));
  }

  ping(options: ActionOptions = {}) {
    return this.call("ping", {}, options);
  }

  told(): ActionOptions {
    return this.options;
  }
}

describe("a client of one agent", () => {
  test("adds filters up and takes the latest of other options, without changing", async () => {
    await using network = await testNetwork(0);
    await using fleet = await connectFleet(network.config(), { tls: false });
    const first = new PingClient(fleet, { batch: 5, filter: { classes: ["web"], compound: "a" } });
    const second = first.with({ batch: 7, filter: { classes: ["db"], facts: ["x=1"], compound: "b or c" } });
    expect(first.told()).toEqual({ batch: 5, filter: { classes: ["web"], compound: "a" } });
    expect(second.told()).toEqual({
      batch: 7,
      filter: {
        classes: ["web", "db"],
        facts: ["x=1"],
        agents: [],
        identities: [],
        combined: [],
        compound: "(a) and (b or c)",
      },
    });
    expect(second.with({ timeout: 5 }).told().filter).toEqual(second.told().filter ?? {});
  });

  test("finds the nodes that its calls go to, and tells of their progress", async () => {
    await using network = await testNetwork(3);
    await using fleet = await connectFleet(network.config(), { tls: false });
    const client = new PingClient(fleet, { filter: { identities: ["/n[12]/"] } });
    const found = ["n1.example.net", "n2.example.net"];
    expect((await client.discover()).sort()).toEqual(found);
    const kinds: string[] = [];
    const request = client.ping({ onEvent: ({ kind }) => void kinds.push(kind), batch: 1, batchSleep: 1 });
    const senders = (await request.all()).map(({ sender }) => sender);
    expect(senders.sort()).toEqual(found);
    expect(kinds).toEqual(["discovering", "discovered", "sending", "progress", "progress"]);
    const pinned = new PingClient(fleet, { nodes: ["n3.example.net"] });
    expect(await pinned.discover()).toEqual(["n3.example.net"]);
    expect((await pinned.ping().all()).map(({ sender }) => sender)).toEqual(["n3.example.net"]);
  });
});
