import { describe, expect, test } from "bun:test";
import { inventorySource } from "../../lib/discovery/mod.ts";
import { emptyFilter, type Filter, parseFactFilter } from "../../lib/protocol/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const { signal } = new AbortController();

const node = (name: string, os: string, classes: string[], collectives = ["choria"]) => ({
  name,
  collectives,
  facts: { os },
  classes,
  agents: ["rpcutil"],
});

const inventory = {
  $schema: "https://choria.io/schemas/choria/discovery/v1/inventory_file.json",
  groups: [
    { name: "linux", filter: { facts: ["os=linux"] } },
    { name: "web", filter: { classes: ["web"], agents: ["rpcutil"] } },
    { name: "all" },
    { name: "none", filter: { identities: ["/nobody/"] } },
  ],
  nodes: [
    node("n1", "linux", ["web"]),
    node("n2", "linux", ["db"]),
    node("n3", "bsd", ["web"]),
    node("n4", "bsd", ["web"], ["other"]),
  ],
};

async function find(filter: Partial<Filter>, document: unknown = inventory, collective = "choria"): Promise<string[]> {
  using folder = temporaryFolder();
  await Bun.write(folder.file("inventory.json"), JSON.stringify(document));
  const query = { collective, filter: { ...emptyFilter(), ...filter }, timeout: 1_000 };
  return await Array.fromAsync(inventorySource(folder.file("inventory.json")).discover(query, signal));
}

describe("an inventory", () => {
  test("gives the nodes of a collective that a filter matches", async () => {
    expect(await find({})).toEqual(["n1", "n2", "n3"]);
    expect(await find({}, inventory, "other")).toEqual(["n4"]);
    expect(await find({ fact: [parseFactFilter("os=linux")] })).toEqual(["n1", "n2"]);
    expect(await find({ cf_class: ["web"], identity: ["/n[12]/"] })).toEqual(["n1"]);
    expect(await find({ agent: ["scout"] })).toEqual([]);
  });

  test("has groups, which add up and narrow as names do", async () => {
    expect(await find({ identity: ["group:linux"] })).toEqual(["n1", "n2"]);
    expect(await find({ identity: ["group:linux"], cf_class: ["web"] })).toEqual(["n1"]);
    expect(await find({ identity: ["group:linux", "n3"] })).toEqual(["n1", "n2", "n3"]);
    expect(await find({ identity: ["group:all"] })).toEqual(["n1", "n2", "n3"]);
    expect(await find({ identity: ["group:none"] })).toEqual([]);
    await expect(find({ identity: ["group:other"] })).rejects.toThrow("unknown group 'other'");
  });

  test("may be YAML", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.file("i.yaml"), "nodes:\n  - name: n1\n    collectives: [choria]\n");
    const query = { collective: "choria", filter: emptyFilter(), timeout: 1_000 };
    const nodes = inventorySource(folder.file("i.yaml")).discover(query, signal);
    expect(await Array.fromAsync(nodes)).toEqual(["n1"]);
  });

  test("is named, with the part that is wrong, when it cannot be read", async () => {
    await expect(find({}, [])).rejects.toThrow("inventory.json: expected an object with nodes and groups");
    await expect(find({}, { nodes: [{}] })).rejects.toThrow("/nodes/0/name: expected a name");
    await expect(find({}, { nodes: [{ name: "a b" }] })).rejects.toThrow('invalid identity string "a b"');
    await expect(find({}, { nodes: [{ name: "a", classes: "x" }] })).rejects.toThrow(
      "/nodes/0/classes: expected a list",
    );
    await expect(find({}, { nodes: [], groups: [{ name: "x", filter: { facts: ["="] } }] })).rejects.toThrow(
      "could not parse fact",
    );
  });
});
