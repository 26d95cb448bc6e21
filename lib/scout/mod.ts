/**
 * Health checks: the agent that looks at a node's checks and steers them, and what those see who follow the checks of a
 * network.
 *
 * @module
 */
export { type ScoutAgentOptions, scoutAgent } from "./agent.ts";
export {
  type BoardCounts,
  type BoardFilter,
  forgottenAfter,
  type Problem,
  ScoutBoard,
  showsCheck,
  showsTransition,
} from "./board.ts";
export {
  type CheckResult,
  decodeScoutEvent,
  type MachineTransition,
  type PerformanceFigure,
  type ScoutEvent,
  scoutSubjects,
} from "./event.ts";
export { type Feed, type FeedOptions, followScout, longestHistory } from "./feed.ts";
export { type GossSettings, gossValidate } from "./goss_action.ts";
export { checkHistory } from "./history.ts";
export {
  checkLine,
  figureText,
  type LineWidths,
  outputSummary,
  statusLabel,
  timeOfDay,
  transitionLine,
} from "./lines.ts";
export type { ScoutMachines } from "./machines.ts";
