import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { encodeEvent, newEvent } from "../../lib/lifecycle/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { temporaryFolder } from "../support/folder.ts";
import { choria, writeClientConfig } from "./support.ts";

let network: TestNetwork;
let config: string;

beforeAll(async () => {
  network = await testNetwork(0, { tls: true });
  config = await writeClientConfig(network, "client.conf");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const tool = (...args: string[]) => choria(["tool", ...args]);

/** Send a message again and again until a command that waits for it has ended. */
async function sendUntilEnd<T>(subject: string, payload: Uint8Array, end: Promise<T>): Promise<T> {
  const connection = await network.connect();
  const ended = Promise.withResolvers<void>();
  const result = end.finally(() => ended.resolve());
  const timer = setInterval(() => connection.publish(subject, payload), 50);
  await ended.promise;
  clearInterval(timer);
  return result;
}

describe("choria tool config", () => {
  test("shows what is set, and where", async () => {
    const { code, out } = await tool("config", "--config", config);
    expect(code).toBe(0);
    expect(out).toStartWith(`Loaded Files:\n\n  ${config}\n\n`);
    expect(out).toContain(`identity\n\n       Value: client.example.net\n      Set In: ${config}:`);
  });

  test("shows every setting whose name an expression finds", async () => {
    const { out } = await tool("config", "registry.cache", "--config", config);
    expect(out).toStartWith("plugin.choria.services.registry.cache\n\n     Data Type: path\n");
    expect(out).toContain("CHORIA_REGISTRY");
    expect((await tool("config", "^discovery_", "-l", "--config", config)).out).toBe("discovery_timeout\n");
    const nothing = await tool("config", "nosuch", "--config", config);
    expect(nothing.err).toBe('choria: error: no configuration keys declared matching "nosuch"\n');
  });

  test("hides secrets, and names what the project does not know", async () => {
    const file = await writeClientConfig(network, "odd.conf", { "plugin.nats.pass": "hunter2", "my.own": "x" });
    const { out } = await tool("--config", file, "config");
    expect(out).not.toContain("hunter2");
    expect(out).toContain("plugin.nats.pass\n\n         Value: *****\n");
    expect(out).toContain("This setting is not in the catalogue");
  });
});

describe("choria tool event", () => {
  const subject = "choria.lifecycle.event.startup.server";
  const fields = { type: "startup", identity: "n1.example.net", component: "server", version: "1.2.3" } as const;
  const event = encodeEvent(newEvent(fields, new Date(2026, 1, 2, 3, 4, 5).getTime()));
  const watch = (...args: string[]) => tool("event", "--config", config, "--count", "1", ...args);

  test("shows events as they happen", async () => {
    const { code, out } = await sendUntilEnd(subject, event, watch());
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Waiting for events from topic choria\.lifecycle\.event\.> on nats:\/\/[\d.]+:\d+\n03:04:05 \[startup\] n1\.example\.net: server version 1\.2\.3\n/,
    );
  });

  test("shows those of one component and type, as documents when asked to", async () => {
    const { out } = await sendUntilEnd(subject, event, watch("--component", "server", "--type", "startup", "--json"));
    expect(JSON.parse(out.split("\n")[0] ?? "").data.version).toBe("1.2.3");
  });

  test("shows what is no event as such", async () => {
    const { out } = await sendUntilEnd(subject, encodeUtf8("{}"), watch());
    expect(out).toContain("Not an event: unsupported event format\n");
  });
});

describe("choria tool pubsub", () => {
  test("sends and receives", async () => {
    const connection = await network.connect();
    const { promise, resolve } = Promise.withResolvers<string>();
    connection.subscribe("acme.news", ({ data }) => resolve(Buffer.from(data).toString()));
    await connection.flush();
    const published = await choria(["tool", "pubsub", "publish", "acme.news", "-", "--config", config], {
      input: "hi",
    });
    expect(published).toEqual({ code: 0, out: "", err: "" });
    expect(await promise).toBe("hi");
    const receive = tool("pubsub", "sub", "acme.*", "--count", "1", "--config", config);
    const { code, out } = await sendUntilEnd("acme.news", encodeUtf8("hello"), receive);
    expect(code).toBe(0);
    expect(out).toMatch(/^\[\d\d:\d\d:\d\d\] acme\.news: hello\n/);
  });
});

describe("choria tool sha256", () => {
  test("writes digests, and checks them", async () => {
    using folder = temporaryFolder();
    const machine = folder.file("machine");
    mkdirSync(join(machine, "deep"), { recursive: true });
    await Bun.write(join(machine, "a"), "a\n");
    await Bun.write(join(machine, "deep", "b"), "b\n");
    await Bun.write(join(machine, "skip"), "");
    const { out } = await tool("sha256", machine, "--ignore", "skip");
    expect(out).toBe(
      "87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7  a\n0263829989b6fd954f72baaf2fc64bc2e2f01d692d4de72986ea808f6e99813f  deep/b\n",
    );
    const sums = folder.file("SUMS");
    await Bun.write(sums, out);
    expect(await tool("sha256", machine, "--validate", sums)).toEqual({
      code: 0,
      out: `Directory ${machine} validates correctly using ${sums}\n`,
      err: "",
    });
    await Bun.write(join(machine, "a"), "changed");
    await Bun.write(sums, `${out}${"0".repeat(64)}  ../SUMS\n${"0".repeat(64)}  gone\n`);
    const bad = await tool("sha256", machine, "--validate", sums);
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/^a: has another digest\n\.\.\/SUMS: is outside of the directory\ngone: is missing/);
    expect(bad.err).toBe(`choria: error: directory did not validate using ${sums}\n`);
  });
});

describe("choria tool policy test", () => {
  const policy = `package io.choria.aaasvc

import rego.v1

default allow := false

allow if {
	input.agent == "rpcutil"
	input.claims.callerid == "up=bob"
}

allow if requires_fact_filter("country=mt")
`;
  const files = async (folder: { file: (name: string) => string }, documents: Record<string, unknown>) => {
    await Bun.write(folder.file("p.rego"), policy);
    for (const [name, value] of Object.entries(documents)) await Bun.write(folder.file(name), JSON.stringify(value));
    return (...args: string[]) => tool("policy", "test", folder.file("p.rego"), ...args);
  };

  test("judges one call and tells why", async () => {
    using folder = temporaryFolder();
    const judge = await files(folder, {
      "yes.json": { agent: "rpcutil", claims: { callerid: "up=bob" } },
      "no.json": { agent: "rpcutil", claims: { callerid: "up=eve" } },
      "filter.json": { agent: "x", filter: { facts: ["country=mt"] } },
    });
    const yes = await judge("--input", folder.file("yes.json"));
    expect(yes.code).toBe(0);
    expect(yes.out).toStartWith("Allowed\n\n");
    expect(yes.out).toContain(`data.io.choria.aaasvc.allow (${folder.file("p.rego")}:7) held`);
    const no = await judge("--input", folder.file("no.json"));
    expect(no.code).toBe(1);
    expect(no.out).toStartWith("Denied\n\n");
    expect(no.out).toContain('did not hold: line 9: input.claims.callerid == "up=bob"');
    expect((await judge("--input", folder.file("filter.json"))).code).toBe(0);
    expect(JSON.parse((await judge("--input", folder.file("no.json"), "--json")).out).allowed).toBe(false);
  });

  test("judges a table of calls", async () => {
    using folder = temporaryFolder();
    const good = [
      { name: "bob may", input: { agent: "rpcutil", claims: { callerid: "up=bob" } }, want: true },
      { name: "nobody else may", input: { agent: "rpcutil" }, want: false },
      { name: "but in Malta", input: {}, filter: { facts: ["country=mt"] }, want: true },
    ];
    const judge = await files(folder, { "good.json": good, "bad.json": [...good, { name: "wrong", want: true }] });
    expect(await judge("--cases", folder.file("good.json"))).toEqual({
      code: 0,
      out: "PASS bob may\nPASS nobody else may\nPASS but in Malta\n\n3 passed, 0 failed\n",
      err: "",
    });
    const bad = await judge("--cases", folder.file("bad.json"));
    expect(bad.code).toBe(1);
    expect(bad.out).toContain("FAIL wrong: wanted true, found false\n       data.io.choria.aaasvc.allow");
    expect(bad.out).toEndWith("\n3 passed, 1 failed\n");
  });

  test("says what is wrong with its files", async () => {
    using folder = temporaryFolder();
    const judge = await files(folder, { "list.json": {}, "odd.json": { filter: { facts: "x" } } });
    expect((await judge()).err).toContain("name either one call by --input or several by --cases");
    expect((await judge("--cases", folder.file("list.json"))).err).toContain("expected a list of cases");
    expect((await judge("--input", folder.file("odd.json"))).err).toContain("the filter has the lists facts, classes");
    await Bun.write(folder.file("p.rego"), "package other\nallow = true");
    expect((await judge("--input", folder.file("list.json"))).err).toContain("its package is other");
    await Bun.write(folder.file("p.rego"), "package io.choria.aaasvc\nallow if {");
    expect((await judge("--input", folder.file("list.json"))).err).toContain("p.rego");
  });
});

describe("choria tool", () => {
  test("shows an example for every command", async () => {
    for (const name of ["config", "event", "provisioner", "sha256", "status", "submit"]) {
      const { code, out } = await tool(name, "--help");
      expect({ name, code, hasExample: /Examples?:\n/.test(out) }).toEqual({ name, code: 0, hasExample: true });
    }
  });
});

describe("other doors to the roles", () => {
  test("need a configuration", async () => {
    expect((await choria(["server", "run"])).err).toBe("choria: error: server run requires a configuration file\n");
    expect((await choria(["broker", "run"])).err).toBe("choria: error: configuration file required\n");
  });

  test("lead to the roles", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.file("broker.conf"), "plugin.choria.network.client_port = no\n");
    const broker = await choria(["broker", "run", "--config", folder.file("broker.conf")]);
    expect(broker.code).toBe(1);
    expect(broker.err).toContain("plugin.choria.network.client_port");
  });
});
