import {
  type ActionInputs,
  type ActionName,
  type ActionOf,
  type ActionOutputs,
  type AgentDdl,
  type DdlAction,
  findAction,
} from "../ddl/mod.ts";
import { ActionRequest } from "./action_request.ts";
import type { Fleet } from "./fleet.ts";
import type { RequestOptions } from "./request_options.ts";

/** How an action of a typed agent is called. */
export type ActionOptions = Omit<RequestOptions, "ddl">;

/** What a method of a typed agent takes: inputs may be left out where none is needed. */
export type ActionArguments<A extends DdlAction> =
  Partial<ActionInputs<A>> extends ActionInputs<A>
    ? [inputs?: ActionInputs<A>, options?: ActionOptions]
    : [inputs: ActionInputs<A>, options?: ActionOptions];

/** An agent by its DDL: a method for each of its actions. */
export type TypedAgent<D extends AgentDdl> = {
  readonly [A in D["actions"][number] as A["name"]]: (...given: ActionArguments<A>) => ActionRequest<ActionOutputs<A>>;
};

/** Call an action by its DDL. */
export function callAction<D extends AgentDdl, Name extends ActionName<D>>(
  fleet: Pick<Fleet, "request">,
  ddl: D,
  name: Name,
  inputs: ActionInputs<ActionOf<D, Name>>,
  options: ActionOptions,
): ActionRequest<ActionOutputs<ActionOf<D, Name>>> {
  const request = fleet.request(ddl.metadata.name, name, { ...inputs }, { ...options, ddl });
  return new ActionRequest(request, findAction(ddl, name));
}

/** The methods of a {@link TypedAgent}. */
export function typedAgent<D extends AgentDdl>(fleet: Pick<Fleet, "request">, ddl: D): TypedAgent<D> {
  const methods = ddl.actions.map(({ name }) => {
    const call = (inputs: ActionInputs<ActionOf<D, ActionName<D>>>, options: ActionOptions = {}) =>
      callAction(fleet, ddl, name, inputs ?? {}, options);
    return [name, call] as const;
  });
  // One method for each action, as the type says.
  return Object.fromEntries(methods) as unknown as TypedAgent<D>;
}
