import type { JsonObject } from "../std/mod.ts";
import type { AgentDdl, DdlAction, DdlInput, DdlOutput, ValueType } from "./ddl.ts";

type Simplify<T> = { [K in keyof T]: T[K] };

/** The TypeScript type of a DDL's type. Values of outputs that have none are unknown. */
export type ValueOf<T extends ValueType | undefined> = T extends "string" | "list"
  ? string
  : T extends "integer" | "float" | "number"
    ? number
    : T extends "boolean"
      ? boolean
      : T extends "hash"
        ? JsonObject
        : T extends "array"
          ? unknown[]
          : unknown;

type InputValue<I extends DdlInput> = I extends { type: "list"; list: readonly (infer Choice)[] }
  ? Choice
  : ValueOf<I["type"]>;

/** Inputs that must be given: those that are neither optional nor have a default. */
type NeededInputs<I extends Readonly<Record<string, DdlInput>>> = {
  [K in keyof I]: I[K] extends { optional: false } ? (I[K] extends { default: unknown } ? never : K) : never;
}[keyof I];

/** What is given to an action, as its DDL has it. */
export type ActionInputs<A extends DdlAction> = Simplify<
  { [K in NeededInputs<A["input"]>]: InputValue<A["input"][K]> } & {
    [K in Exclude<keyof A["input"], NeededInputs<A["input"]>>]?: InputValue<A["input"][K]>;
  }
>;

type OutputValue<O extends DdlOutput> = O extends { default: unknown }
  ? ValueOf<O["type"]>
  : ValueOf<O["type"]> | undefined;

/** What an action gives, as its DDL has it. Agents may leave out what has no default. */
export type ActionOutputs<A extends DdlAction> = { [K in keyof A["output"]]: OutputValue<A["output"][K]> };

/** Names of an agent's actions. */
export type ActionName<D extends AgentDdl> = D["actions"][number]["name"];

/** One of an agent's actions. */
export type ActionOf<D extends AgentDdl, Name extends ActionName<D>> = Extract<D["actions"][number], { name: Name }>;

/** A DDL as it is written down, with every name and type kept, for clients that know them. */
export function defineDdl<const D extends AgentDdl>(ddl: D): D {
  return ddl;
}
