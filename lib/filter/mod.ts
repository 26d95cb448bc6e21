/**
 * Which nodes a request is meant for: filters by identity, agent, class, fact and compound expression, and where a
 * node's facts and classes come from.
 *
 * @module
 */
export {
  CompiledFilters,
  type CompoundNode,
  type DataQuery,
  itemFunctions,
  itemSignatures,
  matchCompound,
} from "./compound.ts";
export { FilterError, matchFact } from "./fact.ts";
export {
  type FilterNode,
  matchAgents,
  matchClasses,
  matchFacts,
  matchFilter,
  matchIdentity,
} from "./match.ts";
export { matchVersion } from "./semver.ts";
export { classesFile, type FactSource, factFiles } from "./sources.ts";
