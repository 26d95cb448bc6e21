import { newLookupBudget } from "../expr/mod.ts";
import type { FactFilter, Filter } from "../protocol/mod.ts";
import type { JsonObject } from "../std/mod.ts";
import { isPattern, lenientTest } from "./_pattern.ts";
import { type CompiledFilters, type CompoundNode, type DataQuery, matchCompound } from "./compound.ts";
import { FilterError, matchFact } from "./fact.ts";

/** Most regular expressions and conditions on facts of one filter: filters come from the network, and hold everything up. */
const maxExpressions = 64;

/** A node as filters see it. What is costly to know is asked for only when a filter needs it. */
export interface FilterNode {
  identity: string;
  /** Names of the agents that the node hosts. */
  agents: readonly string[];
  classes: () => readonly string[];
  facts: () => JsonObject | Promise<JsonObject>;
  /** Data plugins by name, for compound filters. Default none. */
  data?: ReadonlyMap<string, DataQuery>;
  /** Milliseconds since the epoch, for compound filters. Default the machine's clock. */
  now?: () => number;
  /** Compound expressions that were compiled before. Default none. */
  compiled?: CompiledFilters;
}

/**
 * Whether a node is meant by a filter: every kind that is not empty must match, in the order identity, agent, class,
 * fact, compound.
 *
 * @throws {FilterError} when a condition has no answer; such a filter means nobody.
 */
export async function matchFilter(filter: Filter, node: FilterNode): Promise<boolean> {
  checkSize(filter);
  if (filter.identity.length > 0 && !matchIdentity(filter.identity, node.identity)) return false;
  if (filter.agent.length > 0 && !matchAgents(filter.agent, node.agents)) return false;
  if (filter.cf_class.length > 0 && !matchClasses(filter.cf_class, node.classes())) return false;
  if (filter.fact.length > 0 && !matchFacts(filter.fact, await node.facts())) return false;
  return filter.compound.length === 0 || matchCompound(filter.compound, await compoundNode(node));
}

async function compoundNode(node: FilterNode): Promise<CompoundNode> {
  const { agents, data = new Map(), now, compiled } = node;
  const classes = node.classes();
  return {
    agents,
    classes,
    facts: await node.facts(),
    data,
    hasClass: (name) => matchClasses([name], classes),
    hasAgent: (name) => matchAgents([name], agents),
    ...(now === undefined ? {} : { now }),
    ...(compiled === undefined ? {} : { compiled }),
  };
}

/** Plain names cost next to nothing, and there may be thousands of them. */
function checkSize({ identity, agent, cf_class, fact }: Filter): void {
  const patterns = [...identity, ...agent, ...cf_class].filter(isPattern).length;
  if (patterns + fact.length <= maxExpressions) return;
  throw new FilterError(`the filter has more than ${maxExpressions} expressions`);
}

/** Whether one of the wanted names is the identity, or finds something in it. */
export function matchIdentity(wanted: readonly string[], identity: string): boolean {
  const options = { ignoreCase: false, budget: newLookupBudget() };
  return wanted.some((name) => name === identity || (isPattern(name) && lenientTest(name, options)(identity)));
}

/** Whether each wanted agent is among those of the node. */
export function matchAgents(wanted: readonly string[], agents: readonly string[]): boolean {
  const options = { ignoreCase: false, budget: newLookupBudget() };
  return matchAll(wanted, (name) =>
    isPattern(name) ? agents.some(lenientTest(name, options)) : agents.includes(name),
  );
}

/**
 * Whether each wanted class is among those of the node. Names are wanted in lower case and found as they stand in
 * the node's file, so that a class with capitals is found by an expression alone.
 */
export function matchClasses(wanted: readonly string[], classes: readonly string[]): boolean {
  const options = { ignoreCase: true, budget: newLookupBudget() };
  return matchAll(wanted, (name) =>
    isPattern(name) ? classes.some(lenientTest(name, options)) : classes.includes(name.toLowerCase()),
  );
}

/** Whether the facts meet every condition; see {@link matchFact}. */
export function matchFacts(wanted: readonly FactFilter[], facts: unknown): boolean {
  const budget = newLookupBudget();
  return matchAll(wanted, (filter) => matchFact(facts, filter, budget));
}

/** Nothing wanted matches nothing. */
function matchAll<T>(wanted: readonly T[], test: (item: T) => boolean): boolean {
  return wanted.length > 0 && wanted.every(test);
}
