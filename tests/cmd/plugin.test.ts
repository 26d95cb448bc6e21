import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { encodeRubyDdl, parseDdl } from "../../lib/ddl/mod.ts";
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
    const names = Object.keys(agent);
    expect(names).toEqual(names.toSorted());
    expect(names).toEqual(expect.arrayContaining(["choria_registry", "choria_util", "requests", "rpcutil"]));
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

  test("shows what a data provider tells", async () => {
    const known = JSON.parse(readFileSync(`${checkout}/tests/fixtures/cli/plugin-doc-list.json`, "utf8"));
    const { data } = JSON.parse((await plugin("doc", "--json")).out);
    expect(Object.keys(data)).toEqual(Object.keys(known.data));
    expect((await plugin("doc")).out).toContain(
      "  Data Providers:\n\n              choria: The running server itself\n",
    );
    const { out } = await plugin("doc", "data/config_item");
    expect(out).toStartWith("Config_item Data Provider\n\nA setting of the running server\n\nQuery:\n");
    expect(out).toContain("║  Display As: Present");
    expect((await plugin("doc", "data/scout", "--markdown")).out).toStartWith("# Scout Data Provider\n");
    expect((await plugin("doc", "data/nope")).err).toBe("choria: error: unknown data provider nope\n");
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
    const ruby = await plugin("schema", "agent", "requests", "--format", "ddl");
    expect(ruby.out).toStartWith("metadata :name");
    expect(ruby.out).toContain('action "download"');
  });
});

describe("choria plugin generate client", () => {
  test("writes the client and says what it writes", async () => {
    const folder = network.file("generated");
    mkdirSync(folder);
    const ddl = `${checkout}/tests/fixtures/ddl/requests.json`;
    const { code, out } = await choria([
      "plugin",
      "generate",
      "client",
      ddl,
      folder,
      "--library",
      `${checkout}/mod.ts`,
    ]);
    expect(code).toBe(0);
    const lines = out.replaceAll(folder, "requests").trimEnd().split("\n");
    expect(lines).toEqual([
      "INFO[0000] Writing Choria Client for Agent requests Version 0.0.1 to requests",
      "INFO[0000] Writing requests/action_download.ts for action download",
      "INFO[0000] Writing requests/action_request.ts for action request",
      "INFO[0000] Writing requests/ddl.json",
      "INFO[0000] Writing requests/client.ts",
      "INFO[0000] Writing requests/ddl.ts",
      "INFO[0000] Writing requests/mod.ts",
    ]);
    const { RequestsClient } = await import(`${folder}/mod.ts`);
    expect(typeof RequestsClient).toBe("function");
  });

  test("needs the DDL and the folder", async () => {
    const generate = (...args: string[]) => choria(["plugin", "generate", "client", ...args]);
    expect((await generate("nofile", ".")).err).toBe("choria: error: path 'nofile' does not exist\n");
    expect((await generate("package.json", "nofolder")).err).toBe("choria: error: path 'nofolder' does not exist\n");
    expect((await generate("package.json", ".")).err).toContain("Cannot use the DDL package.json: /metadata");
  });
});

describe("choria plugin generate ddl", () => {
  test("writes a DDL from flags and a file with answers", async () => {
    const [file, answers] = [network.file("clock.json"), network.file("answers.json")];
    await Bun.write(
      answers,
      JSON.stringify({ author: "me", actions: [{ name: "tell", description: "Tell the time" }] }),
    );
    const args = ["plugin", "generate", "ddl", file, "--name", "clock", "--description", "Time", "--answers", answers];
    expect(await choria(args)).toEqual({ code: 0, out: `The DDL of clock is in ${file}\n`, err: "" });
    const ddl = parseDdl(readFileSync(file, "utf8"), file);
    expect(ddl.metadata).toMatchObject({ name: "clock", author: "me", version: "0.0.1", provider: "external" });
    expect(ddl.actions.map(({ name }) => name)).toEqual(["tell"]);
    expect((await choria(args)).err).toContain("it is there already; replace it with --force");
    expect((await choria([...args, "--force"])).code).toBe(0);
  });

  test("writes the same in Ruby beside it, and from a DDL that is there", async () => {
    const [file, ruby, again] = ["both.json", "both.ddl", "again.ddl"].map((name) => network.file(name));
    const given = ["--name", "both", "--description", "Both", "--author", "me"];
    const { code, out } = await choria(["plugin", "generate", "ddl", file ?? "", ruby ?? "", ...given]);
    expect({ code, out }).toEqual({ code: 0, out: `The DDL of both is in ${file}\nThe DDL of both is in ${ruby}\n` });
    const text = readFileSync(ruby ?? "", "utf8");
    expect(text).toBe(encodeRubyDdl(parseDdl(readFileSync(file ?? "", "utf8"), "both.json")));
    const convert = ["plugin", "generate", "ddl", file ?? "", again ?? "", "--convert"];
    expect(await choria(convert)).toEqual({ code: 0, out: `The DDL of both is in ${again}\n`, err: "" });
    expect(readFileSync(again ?? "", "utf8")).toBe(text);
    expect((await choria(convert)).err).toContain("it is there already");
    expect((await choria(["plugin", "generate", "ddl", file ?? "", "--convert"])).err).toContain(
      "name the file in Ruby",
    );
  });

  test("says what it would have to ask", async () => {
    const { code, err } = await choria(["plugin", "generate", "ddl", network.file("none.json")]);
    expect({ code, err }).toEqual({
      code: 1,
      err: 'choria: error: Cannot do without an answer to "Agent Name": there is no terminal\n',
    });
  });
});
