import type { JsonObject } from "../std/mod.ts";

/** The `$schema` of agent DDLs. */
export const agentDdlSchema = "https://choria.io/schemas/mcorpc/ddl/v1/agent.json";

/** What an agent says about itself. */
export interface DdlMetadata {
  /** Lower-case letters, digits and underscores. */
  name: string;
  description: string;
  author: string;
  license: string;
  version: string;
  url: string;
  /** Longest run of an action, in seconds. */
  timeout: number;
  /** What runs the agent, for example `external` or `golang`. */
  provider?: string;
  /** One host of the network answers instead of all. */
  service?: boolean;
}

/** Types of inputs. Documents also spell them `int`, `Hash` and `Array`, or leave an output's type out. */
export type ValueType = "string" | "integer" | "float" | "number" | "boolean" | "list" | "hash" | "array" | "";

/** An input of an action. */
export interface DdlInput {
  /** What to ask somebody for. */
  prompt: string;
  description: string;
  type: ValueType;
  optional: boolean;
  /** Taken where a client gives none. */
  default?: unknown;
  /** For strings: `shellsafe`, `ipaddress`, `ipv4address`, `ipv6address` or a regular expression. */
  validation?: string;
  /** For strings: longest text, in bytes; absent or 0 means that the text is not checked at all. */
  maxlength?: number;
  /** For lists: what may be chosen. */
  list?: readonly string[];
}

/** An output of an action. */
export interface DdlOutput {
  description: string;
  /** Label for people. */
  display_as: string;
  type?: ValueType;
  /** Taken where an agent gives none. */
  default?: unknown;
}

/** Which replies are shown to people. */
export type DisplayMode = "ok" | "failed" | "always";

/** How many replies are summed up in one. */
export interface DdlAggregate {
  /** `summary`, `boolean_summary`, `average` or `chart`; others are passed over. */
  function: string;
  /** Name of the output. */
  output: string;
  /** Options of the function: `format`, and names to show instead of values. */
  options: JsonObject;
}

/** Something an agent can do. */
export interface DdlAction {
  name: string;
  description: string;
  display: DisplayMode;
  input: Readonly<Record<string, DdlInput>>;
  output: Readonly<Record<string, DdlOutput>>;
  aggregate: readonly DdlAggregate[];
}

/** The description of an agent: what it is, and every action with its inputs and outputs. */
export interface AgentDdl {
  metadata: DdlMetadata;
  actions: readonly DdlAction[];
}

/**
 * An action of an agent.
 * @throws {Error} `unknown action agent#action`, with those there are.
 */
export function findAction(ddl: AgentDdl, name: string): DdlAction {
  const action = ddl.actions.find((candidate) => candidate.name === name);
  if (action !== undefined) return action;
  const known = ddl.actions
    .map((candidate) => candidate.name)
    .sort()
    .join(", ");
  throw new Error(`unknown action ${ddl.metadata.name}#${name}, the agent has: ${known}`);
}
