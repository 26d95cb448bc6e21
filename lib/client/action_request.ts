import type { TextSink } from "../cli/mod.ts";
import { checkOutputs, type DdlAction } from "../ddl/mod.ts";
import { statusCodes } from "../protocol/mod.ts";
import type { Json } from "../std/mod.ts";
import { type RenderOptions, renderRequest } from "./render/render.ts";
import type { FleetReply } from "./reply.ts";
import type { FleetRequest } from "./request.ts";
import type { RequestStats } from "./stats.ts";

/** A node's answer: with the outputs that the DDL names where it succeeded. */
export type ActionReply<Outputs> = Omit<FleetReply, "ok" | "data"> &
  ({ ok: true; data: Outputs } | { ok: false; data: unknown });

/**
 * A call of an action whose outputs are known by type. It is made when somebody begins to read its replies, once.
 *
 * A reply whose outputs are of other types than the DDL says is handed out as a failure with status 5, so that nobody
 * computes with what is not there; in {@link stats} it counts as the node reported it.
 */
export class ActionRequest<Outputs> implements AsyncIterable<ActionReply<Outputs>> {
  readonly #request: FleetRequest;
  readonly #action: DdlAction;

  /** Made by {@link Fleet.agent}. */
  constructor(request: FleetRequest, action: DdlAction) {
    this.#request = request;
    this.#action = action;
  }

  /** How it goes, or went. */
  get stats(): RequestStats {
    return this.#request.stats;
  }

  /** Summaries of outputs by their name, as the DDL asks for them; complete at the end. */
  get summaries(): { [output: string]: Json } {
    return this.#request.summaries;
  }

  /** Make the call and hand out replies as they come; see {@link FleetRequest} for what it throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ActionReply<Outputs>> {
    for await (const reply of this.#request) yield typed(reply, this.#action);
  }

  /** Make the call and gather every reply. */
  async all(): Promise<ActionReply<Outputs>[]> {
    const replies: ActionReply<Outputs>[] = [];
    for await (const reply of this) replies.push(reply);
    return replies;
  }

  /**
   * Make the call and write its results as text, table or JSON, as `choria req` does. Gives the figures.
   *
   * @param out Where they go, for example `process.stdout`.
   */
  render(out: TextSink, options: RenderOptions = {}): Promise<RequestStats> {
    return renderRequest(this.#request, out, options);
  }

  /** Make the call and do something with each reply as it comes. Gives the figures. */
  async each(work: (reply: ActionReply<Outputs>) => void | Promise<void>): Promise<RequestStats> {
    for await (const reply of this) await work(reply);
    return this.stats;
  }
}

function typed<Outputs>(reply: FleetReply, action: DdlAction): ActionReply<Outputs> {
  if (!reply.ok) return { ...reply, ok: false };
  const checked = checkOutputs(action, reply.data);
  // What was checked against the DDL is of the type that follows from the DDL.
  if (checked.isFine) return { ...reply, ok: true, data: checked.outputs as Outputs };
  return { ...reply, ok: false, statuscode: statusCodes.unknownError, statusmsg: checked.reason };
}
