import { emptyFilter, type FactFilter, type Filter, parseFactFilter } from "../protocol/mod.ts";

/** Which nodes are meant, as people type it. */
export interface FilterOptions {
  /** `fact=value` conditions, all of which must hold. */
  facts?: readonly string[];
  /** Names of classes, or `/expressions/`, all of which must match. */
  classes?: readonly string[];
  /** Names of agents, or `/expressions/`, all of which must match. */
  agents?: readonly string[];
  /** Names of nodes, or `/expressions/`, one of which must match. */
  identities?: readonly string[];
  /** Classes and facts mixed, separated by spaces. */
  combined?: readonly string[];
  /** An expression. */
  compound?: string;
}

/**
 * A filter from what people type.
 * @throws {SyntaxError} `could not parse filters: …`, naming the fact that cannot be read.
 */
export function filterOf(options: FilterOptions): Filter {
  const filter = emptyFilter();
  try {
    filter.fact.push(...(options.facts ?? []).map(parseFactFilter));
  } catch (error) {
    throw new SyntaxError(`could not parse filters: ${error instanceof Error ? error.message : error}`);
  }
  filter.cf_class.push(...(options.classes ?? []));
  filter.agent.push(...(options.agents ?? []));
  filter.identity.push(...(options.identities ?? []));
  for (const word of (options.combined ?? []).flatMap((text) => text.split(/\s+/)).filter((text) => text !== "")) {
    const fact = factOf(word);
    if (fact === undefined) filter.cf_class.push(word);
    else filter.fact.push(fact);
  }
  if (options.compound) filter.compound.push([{ expr: options.compound }]);
  return filter;
}

function factOf(text: string): FactFilter | undefined {
  try {
    return parseFactFilter(text);
  } catch {
    return undefined;
  }
}
