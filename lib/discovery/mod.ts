/**
 * Finding nodes: by asking everybody, in a list, in an inventory, or by a command.
 *
 * @module
 */
export {
  askEverybody,
  broadcastSource,
  discoveryAgent,
  discoveryPing,
  discoveryWindow,
  namedNodes,
} from "./broadcast.ts";
export { type ExternalOptions, externalProtocols, externalSource } from "./external.ts";
export { flatfileSource, formatOf, listSource, type NodeFileFormat, parseNodes } from "./flatfile.ts";
export { checkIdentities, isIdentity } from "./identity.ts";
export {
  decodeInventory,
  findNodes,
  type Inventory,
  type InventoryNode,
  inventorySource,
  readInventoryDocument,
} from "./inventory.ts";
export type { Broadcaster, BroadcastQuestion, DiscoveryQuery, NodeSource, OpenQuestion } from "./source.ts";
