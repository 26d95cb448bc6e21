import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { TestOrganization } from "../support/organization.ts";
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

const ping = (...args: string[]) => choria(["ping", "--config", config, ...args]);
const names = ["n1.example.net", "n2.example.net", "n3.example.net"];

describe("choria ping", () => {
  test("shows who answers and how soon, then the statistics", async () => {
    const { code, out, err } = await ping();
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.split("\n");
    const answer = /^(n\d\.example\.net) {26} time=\d+ ms$/;
    expect(
      lines
        .slice(0, 3)
        .map((line) => answer.exec(line)?.[1] ?? line)
        .sort(),
    ).toEqual(names);
    expect(lines.slice(3, 6)).toEqual(["", "", "---- ping statistics ----"]);
    expect(lines[6]).toMatch(/^3 replies max: \d+m?s min: \d+m?s avg: \d+m?s overhead: \d+ms$/);
    expect(lines.slice(7)).toEqual([""]);
  });

  test("shows names only, statistics only, a graph or JSON", async () => {
    const [onlyNames, silent, graph, json] = await Promise.all([
      ping("--names"),
      ping("--silent"),
      ping("--graph"),
      ping("--json"),
    ]);
    expect(onlyNames.out.trim().split("\n").sort()).toEqual(names);
    expect(silent.out).toMatch(/^---- ping statistics ----\n3 replies max: [^\n]+\n$/);
    expect(graph.out).toContain("Responses per 50ms");
    const { replies, statistics } = JSON.parse(json.out) as { replies: { sender: string }[]; statistics: object };
    expect(replies.map(({ sender }) => sender).sort()).toEqual(names);
    expect(Object.keys(statistics)).toEqual(["max_ms", "min_ms", "avg_ms", "overhead_ms"]);
  });

  test("ends once as many answer as are expected", async () => {
    const { out } = await ping("--expect", "1", "--timeout", "60");
    expect(out).toContain("1 replies max:");
  });

  test("asks only those that the filter matches", async () => {
    const { out } = await ping("-I", "/^n[12]/", "--names");
    expect(out.trim().split("\n").sort()).toEqual(names.slice(0, 2));
  });

  test("fails when nobody answers", async () => {
    const { code, out, err } = await ping("-C", "nobody", "--timeout", "0.2");
    expect(code).toBe(1);
    expect(out).toBe("\n\n---- ping statistics ----\n");
    expect(err).toBe("choria: error: no responses received\n");
  });

  test("tells of answers that it does not believe", async () => {
    await using _stranger = await network.addNode("n9.example.net", { organization: new TestOrganization() });
    network.nodes.pop();
    const { code, out, err } = await ping("--names");
    expect(code).toBe(0);
    expect(out).not.toContain("n9");
    expect(err).toContain('warning: 1 replies were not accepted, the first as: Reply of "n9.example.net"');
  });

  test("says that the token expires soon, and what to do when it has", async () => {
    const soon = await network.organization.client(
      { callerid: "up=soon", permissions: { fleet_management: true } },
      { validity: 200_000 },
    );
    const files = soon.save(network.file("soon"));
    const changes = {
      "plugin.security.choria.token_file": files.tokenFile,
      "plugin.security.choria.seed_file": files.seedFile,
      "plugin.login.aaasvc.login.url": "https://127.0.0.1:1",
    };
    const near = await choria(["ping", "--config", await writeClientConfig(network, "soon.conf", changes)]);
    expect(near.code).toBe(0);
    expect(near.err).toMatch(/^choria: warning: the token expires in 3m\d+s, log in again soon\n$/);
    const past = new TestOrganization(Date.now() - 7_200_000);
    const old = (await past.client({ callerid: "up=old", permissions: {} }, { validity: 60_000 })).save(
      network.file("old"),
    );
    const expired = await choria([
      "ping",
      "--config",
      await writeClientConfig(network, "old.conf", {
        ...changes,
        "plugin.security.choria.token_file": old.tokenFile,
        "plugin.security.choria.seed_file": old.seedFile,
      }),
    ]);
    expect(expired.code).toBe(1);
    expect(expired.err).toMatch(/is expired since .*; log in with: choria login\n$/);
  });
});
