import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { choria, writeClientConfig } from "./support.ts";

let network: TestNetwork;
let config: string;

const names = ["n1.example.net", "n2.example.net", "n3.example.net"];

beforeAll(async () => {
  network = await testNetwork(0, { tls: true });
  for (const name of names) {
    await network.addNode(name, {
      actions: {
        get_fact: ({ fact }) => ({ fact, value: fact === "memory.size" ? (name < "n3" ? 7959 : 8059) : null }),
        collective_info: () => ({
          collectives: name < "n3" ? ["choria", "web"] : ["choria"],
          main_collective: "choria",
        }),
        daemon_stats: () => ({
          starttime: 1_795_322_284,
          configfile: "/etc/choria/server.conf",
          pid: 7,
          total: 12,
          passed: 10,
          filtered: 2,
          ttlexpired: 0,
          replies: 9,
          events: 1,
        }),
        inventory: () => ({
          agents: ["rpcutil", "discovery", "choria_util", "scout"],
          classes: ["web", "db"],
          collectives: ["choria"],
          main_collective: "choria",
          facts: { os: { family: "linux" }, cpus: 4 },
          machines: { a: { name: "check", version: "1.0.0", state: "OK" } },
          version: "0.1.0",
          upgradable: true,
        }),
      },
    });
  }
  config = await writeClientConfig(network, "client.conf");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const withoutTimes = (text: string) => text.replace(/\d+(\.\d+)?m?s\b/g, "TIME");
const on = (command: string, ...args: string[]) => choria([command, "--config", config, ...args]);

describe("choria discover", () => {
  test("names the nodes, one a line", async () => {
    const { code, out, err } = await on("discover");
    expect({ code, err, nodes: out.trimEnd().split("\n").sort() }).toEqual({ code: 0, err: "", nodes: names });
    expect((await on("find", "-I", "/n2/")).out).toBe("n2.example.net\n");
  });

  test("writes a JSON list, which is empty when nobody is there", async () => {
    expect(JSON.parse((await on("discover", "-j")).out).sort()).toEqual(names);
    expect(await on("discover", "-j", "-I", "/none/")).toEqual({ code: 0, out: "[]\n", err: "" });
    expect(await on("discover", "-I", "/none/")).toEqual({ code: 0, out: "", err: "" });
  });

  test("tells the method and the time when asked to", async () => {
    const { out } = await on("discover", "-v");
    expect(out).toStartWith("Discovering nodes using the mc method ....\n");
    expect(out).toMatch(/\n\nDiscovered 3 nodes using the mc method in \d\.\d\d seconds\n$/);
  });
});

describe("choria facts", () => {
  test("reports how many nodes have which value, the rarest first", async () => {
    const { code, out } = await on("facts", "memory.size");
    expect(code).toBe(0);
    expect(withoutTimes(out)).toBe(
      "Report for fact: memory.size\n\n  8059 found 1 times\n  7959 found 2 times\n\nFinished processing 3 / 3 hosts in TIME\n",
    );
  });

  test("begins with the most frequent value, and names the nodes, when asked to", async () => {
    const { out } = await on("facts", "memory.size", "--reverse", "--show-nodes");
    expect(out).toContain(
      "  7959 found 2 times\n\n    n1.example.net\n    n2.example.net\n\n  8059 found 1 times\n\n    n3.example.net\n",
    );
  });

  test("writes JSON and tables", async () => {
    const { out } = await on("facts", "memory.size", "-j");
    const report = JSON.parse(out);
    expect(Object.keys(report)).toEqual(["7959", "8059"]);
    expect(report["7959"].count).toBe(2);
    expect(report["7959"].identities.sort()).toEqual(["n1.example.net", "n2.example.net"]);
    const table = await on("facts", "memory.size", "--table", "-n");
    expect(table.out).toContain("│ 7959 │       2 │ n1.example.net │");
  });

  test("shows a fact that is not there as nil, and takes nobody's answer for an error", async () => {
    expect((await on("facts", "nosuch")).out).toContain("  nil found 3 times\n");
    expect((await on("facts", "x", "-I", "/none/")).err).toBe("choria: error: did not discover any nodes\n");
  });

  test("ends with 2 when a node is silent", async () => {
    const { code, out } = await on("facts", "memory.size", "-I", "n1.example.net", "-I", "gone.example.net");
    expect(code).toBe(2);
    expect(out).toContain("No Responses from: 1\n\n    gone.example.net\n");
  });
});

describe("choria inventory", () => {
  test("shows what a node is and has", async () => {
    const { code, out } = await on("inventory", "n1.example.net");
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
  });

  test("leaves the facts out when asked to, and writes JSON", async () => {
    expect((await on("inventory", "n1.example.net", "--no-facts")).out).not.toContain("Facts:");
    const document = JSON.parse((await on("inventory", "n1.example.net", "-j")).out);
    expect(Object.keys(document)).toEqual(["identity", "inventory", "statistics"]);
    expect(document.inventory.facts.cpus).toBe(4);
  });

  test("reports collectives", async () => {
    const { code, out } = await on("inventory", "--collectives");
    expect(code).toBe(0);
    expect(out).toContain("Collective Report for 3 nodes");
    expect(out).toMatch(/│ choria +│ +3 │/);
    expect(out).toMatch(/│ web +│ +2 │/);
    expect(JSON.parse((await on("inventory", "--collectives", "-j")).out)).toEqual({
      nodes: 3,
      collectives: { choria: 3, web: 2 },
    });
  });

  test("says when no node is named, or the node does not answer", async () => {
    expect((await on("inventory")).err).toBe("choria: error: please specify a node to retrieve inventory for\n");
    expect((await on("inventory", "gone.example.net")).err).toBe("choria: error: no inventory received\n");
  });
});

describe("results of one command", () => {
  for (const command of [["discover"], ["facts", "memory.size"], ["req", "rpcutil", "ping"], ["ping"]]) {
    test(`choria ${command[0]} are the nodes of the next`, async () => {
      const [name = "", ...args] = command;
      const { out: input } = await on(name, ...args, "--json", "-I", "/n[13]/");
      const { out } = await choria(["req", "--config", config, "rpcutil", "ping", "--senders"], { input });
      expect(out.trimEnd().split("\n").sort()).toEqual(["n1.example.net", "n3.example.net"]);
    });
  }
});

describe("nodes that are found elsewhere", () => {
  test("come from an inventory", async () => {
    const file = network.file("inventory.json");
    const nodes = names.map((name) => ({
      name,
      collectives: ["choria"],
      agents: ["rpcutil"],
      classes: [name.slice(0, 2)],
    }));
    const groups = [{ name: "first", filter: { classes: ["n1"] } }];
    await Bun.write(file, JSON.stringify({ nodes, groups }));
    const find = (...args: string[]) => on("discover", "--dm", "inventory", "--do", `file=${file}`, ...args);
    expect((await find()).out.trimEnd().split("\n")).toEqual(names);
    expect((await find("-I", "group:first", "-v")).out).toContain("Discovered 1 nodes using the inventory method");
    const missing = await on("discover", "--dm", "inventory");
    expect(missing.err).toBe("choria: error: could not determine file to use as discovery source\n");
  });

  test("are written into an inventory, and found there", async () => {
    for (const name of ["fleet.json", "fleet.yaml"]) {
      const file = network.file(name);
      const groups = [{ name: "one", filter: { identities: ["n1.example.net"] } }];
      const gone = { name: "gone.example.net", collectives: ["choria"], agents: ["rpcutil"] };
      const hasMore = name.endsWith("json");
      if (hasMore) await Bun.write(file, JSON.stringify({ groups, nodes: [gone] }));
      const { out, code } = await on("tool", "inventory", file);
      expect(code).toBe(0);
      expect(out).toContain(`nodes to ${file}, which holds`);
      const found = (...args: string[]) => on("discover", "--dm", "inventory", "--do", `file=${file}`, ...args);
      const live = (await on("discover")).out.trimEnd().split("\n").sort();
      expect((await found()).out.trimEnd().split("\n")).toEqual([...(hasMore ? [gone.name] : []), ...live]);
      if (hasMore) expect((await found("-I", "group:one")).out).toBe("n1.example.net\n");
    }
    await Bun.write(network.file("bad.json"), "{}");
    expect((await on("tool", "inventory", network.file("bad.json"))).err).toContain("Cannot read the inventory");
  });

  test("come from a command", async () => {
    const program = network.file("find.sh");
    const reply = '{"protocol":"io.choria.choria.discovery.v1.external_reply","nodes":["n2.example.net"]}';
    await Bun.write(program, `#!/bin/sh\necho '${reply}' > "$2"\n`);
    chmodSync(program, 0o755);
    const asked = ["req", "--config", config, "rpcutil", "ping", "--dm", "external"];
    expect((await choria([...asked, "--do", `command=${program}`, "--senders"])).out).toBe("n2.example.net\n");
    expect((await choria(asked)).err).toBe("choria: error: no command specified for external discovery\n");
    const own = network.file("options.conf");
    const options = ["default_discovery_method = external", `default_discovery_options = command=${program}`];
    await Bun.write(own, [await Bun.file(config).text(), ...options].join("\n"));
    expect((await choria(["discover", "--config", own])).out).toBe("n2.example.net\n");
    expect((await choria(["discover", "--config", own, "--do", "command=/none"])).err).toContain("/none");
  });
});
