import type { JsonObject } from "../std/mod.ts";
import { encodeUtf8 } from "../std/mod.ts";
import { compressed, type RegistrationProvider } from "./provider.ts";

/** What a node is, has and does. */
export interface Inventory {
  /** Metadata of its agents, sorted by name. */
  agents: readonly object[];
  classes: readonly string[];
  facts: JsonObject;
  /** The document of the status file. */
  status: unknown;
  collectives: readonly string[];
  build_info: { version: string; sha: string };
  /** Its autonomous agents. */
  machines: readonly { name: string; version: string; state: string }[];
}

/** How inventories are published. */
export interface InventoryContentOptions {
  target: string;
  compress: boolean;
  /** Takes the inventory of now. */
  take: () => Promise<Inventory>;
}

const protocol = "choria:registration:inventorycontent:1";

/** The provider `inventory_content`: the inventory of the node (`choria:registration:inventorycontent:1`). */
export function inventoryContent({ target, compress, take }: InventoryContentOptions): RegistrationProvider {
  return {
    name: "inventory_content",
    target,
    async read() {
      const { agents, classes, facts, status, collectives, build_info, machines } = await take();
      const content = { agents, classes, facts, status, collectives, build_info, machines };
      const body = compress ? compressed(JSON.stringify(content)) : { content };
      return encodeUtf8(JSON.stringify({ protocol, ...body }));
    },
  };
}
