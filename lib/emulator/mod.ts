/**
 * Many nodes in one process: the agents of real servers on real connections, everything else in memory.
 *
 * @module
 */
export {
  type Emulator,
  type EmulatorCounts,
  type EmulatorOptions,
  type ProvisionedNodes,
  startEmulator,
} from "./emulator.ts";
export { EmulatedNode, type NodeState } from "./node.ts";
