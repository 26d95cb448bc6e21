import type { ActionInputs, ActionName, ActionOf, ActionOutputs, AgentDdl } from "../ddl/mod.ts";
import type { ActionRequest } from "./action_request.ts";
import type { FilterOptions } from "./filter_options.ts";
import type { Fleet } from "./fleet.ts";
import { type ActionOptions, callAction } from "./typed_agent.ts";

/**
 * What clients that are generated from a DDL are made of: an agent, and the options of its calls. A client does not
 * change; other options make another client.
 */
export abstract class AgentClient<D extends AgentDdl> {
  /** What the agent takes and gives. */
  readonly ddl: D;
  protected readonly fleet: Fleet;
  protected readonly options: ActionOptions;

  constructor(fleet: Fleet, ddl: D, options: ActionOptions) {
    this.fleet = fleet;
    this.ddl = ddl;
    this.options = options;
  }

  /** This client with further options; of those given already the new ones count, filters add up. */
  abstract with(options: ActionOptions): AgentClient<D>;

  /** Find the nodes that this client's calls would go to. */
  discover(): Promise<string[]> {
    const { nodes, filter = {} } = this.options;
    if (nodes !== undefined) return Promise.resolve([...nodes]);
    const agents = [...(filter.agents ?? []), this.ddl.metadata.name];
    return Array.fromAsync(this.fleet.discover({ ...this.options, filter: { ...filter, agents } }));
  }

  /** Options of this client and further ones, as {@link with} puts them together. */
  protected merged(options: ActionOptions): ActionOptions {
    const filter = mergedFilter(this.options.filter, options.filter);
    return { ...this.options, ...options, ...(filter === undefined ? {} : { filter }) };
  }

  /** Call an action with this client's options and further ones. */
  protected call<Name extends ActionName<D>>(
    name: Name,
    inputs: ActionInputs<ActionOf<D, Name>>,
    options: ActionOptions,
  ): ActionRequest<ActionOutputs<ActionOf<D, Name>>> {
    return callAction(this.fleet, this.ddl, name, inputs, this.merged(options));
  }
}

function mergedFilter(old: FilterOptions | undefined, more: FilterOptions | undefined): FilterOptions | undefined {
  if (old === undefined || more === undefined) return more ?? old;
  const both = (key: "facts" | "classes" | "agents" | "identities" | "combined") => [
    ...(old[key] ?? []),
    ...(more[key] ?? []),
  ];
  const compound = [old.compound, more.compound].filter((text) => text !== undefined && text !== "");
  return {
    facts: both("facts"),
    classes: both("classes"),
    agents: both("agents"),
    identities: both("identities"),
    combined: both("combined"),
    ...(compound.length === 0 ? {} : { compound: compound.map((text) => `(${text})`).join(" and ") }),
  };
}
