import { describe, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { connectFleet, type Fleet } from "../../lib/client/mod.ts";
import { encodeDdl } from "../../lib/ddl/mod.ts";
import { checkout } from "../cmd/support.ts";
import { type TestNetwork, testNetwork } from "./support/network.ts";
import { registryService } from "./support/registry.ts";

const requests = readFileSync(`${checkout}/tests/fixtures/ddl/requests.json`, "utf8");

async function networkWith(ddls: Record<string, string>, asked: string[] = []): Promise<TestNetwork> {
  const network = await testNetwork(0);
  await network.addNode("n1.example.net", { agents: [registryService(ddls, asked)] });
  return network;
}

function connect(network: TestNetwork): Promise<Fleet> {
  const cache = network.file("registry");
  return connectFleet(network.config({ "plugin.choria.services.registry.cache": cache }), { tls: false });
}

describe("the registry of DDLs", () => {
  test("is asked for what is nowhere else, once, and keeps the answer as it came", async () => {
    const asked: string[] = [];
    await using network = await networkWith({ requests }, asked);
    await using fleet = await connect(network);
    const ddl = await fleet.ddl("requests");
    expect(ddl.metadata.version).toBe("0.0.1");
    expect(await fleet.ddl("requests")).toEqual(ddl);
    await fleet.ddl("rpcutil");
    expect(asked).toEqual(["requests"]);
    const file = network.file("registry/agent/requests.json");
    expect(readFileSync(file, "utf8")).toBe(requests);
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect([mode(file), mode(network.file("registry")), mode(network.file("registry/agent"))]).toEqual([
      0o644, 0o700, 0o700,
    ]);
    expect(fleet.registry?.cachedNames()).toEqual(["requests"]);
  });

  test("names what it has", async () => {
    await using network = await networkWith({ requests, "../evil": requests });
    await using fleet = await connect(network);
    expect(await fleet.registry?.names()).toEqual(["requests"]);
  });

  test("replaces a cached file that has been damaged", async () => {
    await using network = await networkWith({ requests });
    await Bun.write(network.file("registry/agent/requests.json"), requests.slice(0, 100));
    await using fleet = await connect(network);
    expect((await fleet.ddl("requests")).metadata.name).toBe("requests");
    expect(readFileSync(network.file("registry/agent/requests.json"), "utf8")).toBe(requests);
  });

  test("does not pass the DDL of another agent, or none at all, for the one that was asked for", async () => {
    const other = encodeDdl({ metadata: { ...JSON.parse(requests).metadata, name: "other" }, actions: [] });
    await using network = await networkWith({ requests: other, broken: "{" });
    await using fleet = await connect(network);
    await expect(fleet.ddl("requests")).rejects.toThrow("it is that of other");
    await expect(fleet.ddl("broken")).rejects.toThrow("Cannot read the DDL broken of the registry");
    const unknown = "could not resolve nope DDL in any resolver: invalid response: unknown plugin nope";
    await expect(fleet.ddl("nope")).rejects.toThrow(unknown);
    await fleet.ddl("../x").catch(() => undefined);
    expect(fleet.registry?.cachedNames()).toEqual([]);
  });

  test("says so when nobody hosts it, and what was fetched before is still there", async () => {
    await using network = await testNetwork(1);
    await Bun.write(network.file("registry/agent/requests.json"), requests);
    await using fleet = await connect(network);
    expect((await fleet.ddl("requests")).metadata.name).toBe("requests");
    await expect(fleet.ddl("nope")).rejects.toThrow(
      "did not receive any response from the registry: expected 1 response",
    );
    await expect(fleet.registry?.names()).rejects.toThrow("did not receive any response from the registry");
  });

  test("is not asked where the configuration has no cache", async () => {
    await using network = await networkWith({ requests });
    await using fleet = await connectFleet(network.config(), { tls: false });
    expect(fleet.registry).toBeUndefined();
    await expect(fleet.ddl("requests")).rejects.toThrow(
      "could not resolve requests DDL in any resolver: looked in built in",
    );
  });

  test("keeps nothing where its folder cannot be written, and the DDL is used all the same", async () => {
    await using network = await networkWith({ requests });
    await Bun.write(network.file("registry"), "a file where the folder should be");
    await using fleet = await connect(network);
    expect((await fleet.ddl("requests")).metadata.name).toBe("requests");
  });
});
