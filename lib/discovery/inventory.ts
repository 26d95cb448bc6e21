import { readFileSync } from "node:fs";
import { CompiledFilters, type FilterNode, matchFilter } from "../filter/mod.ts";
import { emptyFilter, type Filter, parseFactFilter } from "../protocol/mod.ts";
import { errorText, isObject, isStringList, type JsonObject } from "../std/mod.ts";
import { checkIdentities } from "./identity.ts";
import type { DiscoveryQuery, NodeSource } from "./source.ts";

/** What an identity filter that names a group starts with. */
const groupPrefix = "group:";

/** A file of nodes and what is known of them, and of groups that filters make. */
export interface Inventory {
  nodes: readonly InventoryNode[];
  groups: ReadonlyMap<string, Filter>;
}

/** A node of an {@link Inventory}. */
export interface InventoryNode extends FilterNode {
  collectives: readonly string[];
}

/**
 * Find nodes in a file that says what they have, by the same filters that nodes apply to themselves. The identity
 * filter `group:NAME` stands for the nodes of a group.
 */
export function inventorySource(path: string): NodeSource {
  return {
    name: "inventory",
    async *discover(query) {
      yield* await findNodes(await readInventory(path), query);
    },
  };
}

/**
 * The nodes of an inventory that a filter matches, in the order of the file, each once.
 * @throws {Error} naming a group that is not there; {@link FilterError} when the filter has no answer.
 */
export async function findNodes(inventory: Inventory, query: Pick<DiscoveryQuery, "collective" | "filter">) {
  const { collective, filter } = query;
  const nodes = inventory.nodes.filter(({ collectives }) => collectives.includes(collective));
  const named = await withoutGroups(inventory, nodes, filter.identity);
  // A filter of groups alone that have no nodes means nobody.
  if (filter.identity.length > 0 && named.length === 0) return new Set<string>();
  return new Set((await matching(nodes, { ...filter, identity: named })).map(({ identity }) => identity));
}

async function withoutGroups(
  { groups }: Inventory,
  nodes: readonly InventoryNode[],
  identities: readonly string[],
): Promise<string[]> {
  const names: string[] = [];
  for (const identity of identities) {
    if (!identity.startsWith(groupPrefix)) {
      names.push(identity);
      continue;
    }
    const group = groups.get(identity.slice(groupPrefix.length));
    if (group === undefined) throw new Error(`unknown group '${identity.slice(groupPrefix.length)}'`);
    names.push(...(await matching(nodes, group)).map((node) => node.identity));
  }
  return names;
}

async function matching(nodes: readonly InventoryNode[], filter: Filter): Promise<InventoryNode[]> {
  const found: InventoryNode[] = [];
  const compiled = new CompiledFilters();
  for (const node of nodes) if (await matchFilter(filter, { ...node, compiled })) found.push(node);
  return found;
}

async function readInventory(path: string): Promise<Inventory> {
  return decodeInventory(await readInventoryDocument(path));
}

/**
 * The document of an inventory's file, JSON or by its name YAML, which {@link decodeInventory} understands.
 *
 * @throws {Error} naming the file when it cannot be read or is no inventory.
 */
export async function readInventoryDocument(path: string): Promise<JsonObject> {
  try {
    const text = readFileSync(path, "utf8");
    const value: unknown = /\.ya?ml$/.test(path) ? (await import("yaml")).parse(text) : JSON.parse(text);
    decodeInventory(value);
    return isObject(value) ? value : {};
  } catch (error) {
    throw new Error(`Cannot read the inventory ${path}: ${errorText(error)}`, { cause: error });
  }
}

/**
 * Give an inventory its type.
 * @throws {TypeError} naming the part that has another form.
 */
export function decodeInventory(value: unknown): Inventory {
  if (!isObject(value)) throw new TypeError("expected an object with nodes and groups");
  const { nodes, groups = [] } = value;
  if (!Array.isArray(nodes)) throw bad("/nodes", "expected a list");
  if (!Array.isArray(groups)) throw bad("/groups", "expected a list");
  return {
    nodes: nodes.map((node, at) => decodeNode(node, `/nodes/${at}`)),
    groups: new Map(groups.map((group, at) => decodeGroup(group, `/groups/${at}`))),
  };
}

function decodeNode(value: unknown, at: string): InventoryNode {
  if (!isObject(value)) throw bad(at, "expected an object");
  const { name, facts = {} } = value;
  if (typeof name !== "string") throw bad(`${at}/name`, "expected a name");
  checkIdentities([name], at);
  if (!isObject(facts)) throw bad(`${at}/facts`, "expected an object");
  const classes = texts(value, "classes", at);
  return {
    identity: name,
    collectives: texts(value, "collectives", at),
    agents: texts(value, "agents", at),
    classes: () => classes,
    facts: () => facts,
  };
}

function decodeGroup(value: unknown, at: string): [name: string, filter: Filter] {
  if (!isObject(value)) throw bad(at, "expected an object");
  const { name, filter = {} } = value;
  if (typeof name !== "string" || name === "") throw bad(`${at}/name`, "expected a name");
  if (!isObject(filter)) throw bad(`${at}/filter`, "expected an object");
  const { compound = "" } = filter;
  if (typeof compound !== "string") throw bad(`${at}/filter/compound`, "expected an expression");
  const place = `${at}/filter`;
  return [
    name,
    {
      ...emptyFilter(),
      agent: texts(filter, "agents", place),
      cf_class: texts(filter, "classes", place),
      identity: texts(filter, "identities", place),
      fact: texts(filter, "facts", place).map(parseFactFilter),
      compound: compound === "" ? [] : [[{ expr: compound }]],
    },
  ];
}

function texts(from: JsonObject, key: string, at: string): string[] {
  const value = from[key] ?? [];
  if (isStringList(value)) return value;
  throw bad(`${at}/${key}`, "expected a list of texts");
}

function bad(at: string, reason: string): TypeError {
  return new TypeError(`${at}: ${reason}`);
}
