import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { choria, writeClientConfig } from "./support.ts";

let network: TestNetwork;
let config: string;

beforeAll(async () => {
  network = await testNetwork(3, { tls: true });
  config = await writeClientConfig(network, "client.conf");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const fact = ["rpcutil", "get_fact", "fact=memory.size", "--json"];
const req = (expression: string) => choria(["req", "--config", config, ...fact, "--filter-replies", expression]);

describe("choria req --filter-replies", () => {
  test("shows the replies for which the expression holds", async () => {
    const { code, out, err } = await req('ok() && data("value") > 8000');
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const { replies, request_stats, summaries } = JSON.parse(out);
    expect(replies.map(({ data }: { data: { value: number } }) => data.value)).toEqual([8059]);
    expect(request_stats).toMatchObject({ discovered: 3, responses: 3 });
    expect(summaries).toEqual({ value: { "8059": 1 } });
  });

  test("hides a reply about which the expression has no answer, and says why", async () => {
    const { code, out, err } = await req('data("nope") > 8000');
    expect(code).toBe(0);
    expect(JSON.parse(out).replies ?? []).toEqual([]);
    expect(err).toContain("the reply of n1.example.net is hidden, --filter-replies failed: invalid operation");
  });

  test("calls nobody when the expression cannot be read", async () => {
    const before = network.nodes.flatMap(({ calls }) => calls).length;
    const { code, out, err } = await req("1 +");
    expect(code).toBe(1);
    expect(`${out}${err}`).toContain("unexpected token EOF (1:3)");
    expect(network.nodes.flatMap(({ calls }) => calls).length).toBe(before);
  });
});
