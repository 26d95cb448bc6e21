/**
 * Which nodes a request is meant for: filters by identity, agent, class and fact, and where a node's facts and
 * classes come from.
 *
 * @module
 */
export { FilterError, matchFact } from "./fact.ts";
export {
  type FilterNode,
  matchAgents,
  matchClasses,
  matchFacts,
  matchFilter,
  matchIdentity,
} from "./match.ts";
export { classesFile, type FactSource, factFiles } from "./sources.ts";
