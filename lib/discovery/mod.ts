/**
 * Finding nodes: by asking everybody, or in a list.
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
export { flatfileSource, formatOf, listSource, type NodeFileFormat, parseNodes } from "./flatfile.ts";
export { checkIdentities, isIdentity } from "./identity.ts";
export type { Broadcaster, BroadcastQuestion, DiscoveryQuery, NodeSource, OpenQuestion } from "./source.ts";
