import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connectFleet, type Fleet } from "../../lib/client/mod.ts";
import { type ActionInputs, type ActionOf, type ActionOutputs, type AgentDdl, defineDdl } from "../../lib/ddl/mod.ts";
import { rpcAgent } from "../../lib/rpc/mod.ts";
import { type JsonObject, silentLogger } from "../../lib/std/mod.ts";
import { type TestNetwork, testNetwork } from "./support/network.ts";

const text = { prompt: "", description: "", type: "string", optional: false, validation: ".", maxlength: 20 } as const;

const clock = defineDdl({
  metadata: {
    name: "clock",
    description: "Tells the time",
    author: "",
    license: "",
    version: "1.0.0",
    url: "",
    timeout: 5,
  },
  actions: [
    {
      name: "tell",
      description: "Tell the time",
      display: "always",
      input: {
        zone: text,
        style: { prompt: "", description: "", type: "list", optional: true, default: "long", list: ["long", "short"] },
        offset: { prompt: "", description: "", type: "integer", optional: true },
      },
      output: {
        time: { description: "", display_as: "Time", type: "string" },
        drift: { description: "", display_as: "Drift", type: "float", default: 0 },
        sources: { description: "", display_as: "Sources", type: "array" },
      },
      aggregate: [{ function: "summary", output: "time", options: {} }],
    },
    { name: "stop", description: "Stop", display: "failed", input: {}, output: {}, aggregate: [] },
  ],
});

type Tell = ActionOf<typeof clock, "tell">;

/** Compiles only where both types are the same. */
function sameType<A, B>(_same: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false) {}

describe("types that follow from a DDL", () => {
  test("tell inputs that must be given from those that may be", () => {
    sameType<ActionInputs<Tell>, { zone: string; style?: "long" | "short"; offset?: number }>(true);
    sameType<
      ActionOutputs<Tell>,
      {
        readonly time: string | undefined;
        readonly drift: number;
        readonly sources: unknown[] | undefined;
      }
    >(true);
    sameType<ActionInputs<ActionOf<AgentDdl, string>>, { [name: string]: unknown }>(true);
    // @ts-expect-error the two differ
    sameType<ActionInputs<Tell>, JsonObject>(true);
  });
});

describe("an agent by its DDL", () => {
  let network: TestNetwork;
  let fleet: Fleet;

  beforeAll(async () => {
    network = await testNetwork(0);
    const answers: Record<string, JsonObject> = {
      n1: { time: "12:00", sources: ["gps"] },
      n2: { time: "12:00", drift: 0.5, sources: null, extra: 1 },
      n3: { time: 12 },
    };
    for (const [name, answer] of Object.entries(answers)) {
      const tell = ({ zone }: JsonObject) => {
        if (zone === "mars") throw new Error("no such zone");
        return { ...answer };
      };
      const agent = rpcAgent(clock.metadata, { tell, stop: () => ({}) }, { logger: silentLogger });
      await network.addNode(`${name}.example.net`, { agents: [agent] });
    }
    fleet = await connectFleet(network.config(), { tls: false });
  });

  afterAll(async () => {
    await fleet.close();
    await network[Symbol.asyncDispose]();
  });

  const nodes = (...names: string[]) => ({ filter: { identities: names.map((name) => `${name}.example.net`) } });

  test("has a method for each action that gives typed outputs", async () => {
    const request = fleet.agent(clock).tell({ zone: "utc" }, nodes("n1", "n2"));
    const found = new Map<string, number>();
    for await (const reply of request) if (reply.ok) found.set(reply.sender, reply.data.drift * 2);
    expect(found).toEqual(
      new Map([
        ["n1.example.net", 0],
        ["n2.example.net", 1],
      ]),
    );
    expect(request.stats.ok).toBe(2);
    expect(request.summaries).toEqual({ time: { "12:00": 2 } });
  });

  test("keeps what the DDL does not name, and takes null for nothing", async () => {
    const [reply] = await fleet.agent(clock).tell({ zone: "utc" }, nodes("n2")).all();
    expect(reply?.data).toEqual({ time: "12:00", drift: 0.5, extra: 1 });
  });

  test("takes outputs of another type for a failure", async () => {
    const [reply] = await fleet.agent(clock).tell({ zone: "utc" }, nodes("n3")).all();
    expect(reply?.ok).toBe(false);
    expect(reply?.statuscode).toBe(5);
    expect(reply?.statusmsg).toBe("the output 'time' is not of the type string");
  });

  test("hands out failures as they are", async () => {
    const failures: string[] = [];
    const stats = await fleet
      .agent(clock)
      .tell({ zone: "mars" }, nodes("n1"))
      .each((reply) => void (reply.ok || failures.push(reply.statusmsg)));
    expect(failures).toEqual(["clock#tell failed: no such zone"]);
    expect(stats.failed).toBe(1);
  });

  test("needs no inputs where there are none, and refuses those that do not fit", async () => {
    expect((await fleet.agent(clock).stop().all()).length).toBe(3);
    await expect(
      fleet
        .agent(clock)
        .tell({ zone: "x".repeat(30) })
        .all(),
    ).rejects.toThrow("invalid value for 'zone': is longer than 20 characters");
    // @ts-expect-error the zone must be given
    await expect(fleet.agent(clock).tell({}).all()).rejects.toThrow("input 'zone' is required");
  });

  test("of a DDL that is known at run time only has methods all the same", async () => {
    const ddl: AgentDdl = clock;
    const replies = await fleet.agent(ddl).tell?.({ zone: "utc" }, nodes("n1")).all();
    expect(replies?.[0]?.data).toMatchObject({ time: "12:00" });
  });
});
