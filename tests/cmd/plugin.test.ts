import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { registryService } from "../client/support/registry.ts";
import { checkout, choria, writeClientConfig } from "./support.ts";

let network: TestNetwork;
let config: string;
let offline: string;

const requests = readFileSync(`${checkout}/tests/fixtures/ddl/requests.json`, "utf8");

beforeAll(async () => {
  network = await testNetwork(0, { tls: true });
  await network.addNode("n1.example.net", { agents: [registryService({ requests })] });
  const cache = network.file("registry");
  config = await writeClientConfig(network, "client.conf", { "plugin.choria.services.registry.cache": cache });
  offline = await writeClientConfig(network, "offline.conf");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const plugin = (...args: string[]) => choria(["plugin", ...args, "--config", config]);

describe("choria plugin doc", () => {
  test("lists what is known here and in the registry", async () => {
    const { code, out, err } = await plugin("doc");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toStartWith("Accessing Choria Registry for service definitions\n\nKnown Plugins:\n\n  Agents:\n\n");
    expect(out).toContain("            requests: Network requests agent\n");
    const { agent } = JSON.parse((await plugin("doc", "--json")).out);
    expect(Object.keys(agent)).toEqual([
      "aaa_signer",
      "choria_provision",
      "choria_registry",
      "choria_util",
      "requests",
      "rpcutil",
    ]);
  });

  test("shows what an agent can do", async () => {
    const { code, out } = await plugin("doc", "requests");
    expect(code).toBe(0);
    expect(out).toMatchSnapshot();
    expect((await plugin("doc", "agent/requests")).out).toBe(out);
  });

  test("writes JSON and Markdown", async () => {
    const document = JSON.parse((await plugin("doc", "requests", "--json")).out);
    const known = JSON.parse(readFileSync(`${checkout}/tests/fixtures/cli/plugin-doc-requests.json`, "utf8"));
    expect(document).toEqual(known);
    const { out } = await plugin("doc", "requests", "-m");
    expect(out).toStartWith("# Requests Agent version 0.0.1\n");
    expect(out).toContain("| `target` | File to save the response into<br>Prompt: `Target File`<br>");
  });

  test("does not go to the network for what is on this machine", async () => {
    const { code, out } = await choria(["plugin", "doc", "rpcutil", "--config", offline]);
    expect(code).toBe(0);
    expect(out).toContain("Available Actions: agent_inventory, collective_info, ");
    expect((await choria(["plugin", "doc", "--config", offline])).out).toStartWith("Known Plugins:");
  });

  test("says what is not known", async () => {
    expect(await plugin("doc", "nope")).toEqual({
      code: 1,
      out: "",
      err: "choria: error: agent/nope ddl not found: could not resolve nope DDL in any resolver: invalid response: unknown plugin nope\n",
    });
    expect((await plugin("doc", "thing/x")).err).toBe("choria: error: invalid plugin type thing\n");
  });
});

describe("choria plugin schema", () => {
  test("writes the DDL of an agent", async () => {
    const { code, out } = await plugin("schema", "agent", "requests");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(JSON.parse(requests));
  });
});
