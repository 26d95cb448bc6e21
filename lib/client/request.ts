import { Aggregates, completeInputs, type DdlAction, findAction, withOutputDefaults } from "../ddl/mod.ts";
import { encodeRpcRequest } from "../protocol/mod.ts";
import type { Json, JsonObject } from "../std/mod.ts";
import { Call } from "./call.ts";
import type { FleetReply } from "./reply.ts";
import type { RequestContext, RequestOptions } from "./request_options.ts";
import { type RequestStats, Tally } from "./stats.ts";

/**
 * A call of an action on many nodes. It is made when somebody begins to read its replies, once:
 * `for await (const reply of request)`. Replies come as they arrive; figures and summaries are complete at the end.
 */
export class FleetRequest implements AsyncIterable<FleetReply> {
  readonly agent: string;
  readonly action: string;
  readonly #context: RequestContext;
  readonly #data: JsonObject;
  readonly #options: RequestOptions;
  readonly #tally = new Tally();
  #aggregates: Aggregates | undefined;
  #ddlAction: DdlAction | undefined;
  #isStarted = false;

  /** Made by {@link Fleet.request}. */
  constructor(context: RequestContext, agent: string, action: string, data: JsonObject, options: RequestOptions) {
    this.#context = context;
    this.agent = agent;
    this.action = action;
    this.#data = data;
    this.#options = options;
  }

  /** How it goes, or went. */
  get stats(): RequestStats {
    return this.#tally.stats();
  }

  /** Summaries of outputs by their name, as the DDL asks for them. */
  get summaries(): { [output: string]: Json } {
    return this.#aggregates?.json() ?? {};
  }

  /** The same for people; undefined until the DDL is known. */
  get aggregates(): Aggregates | undefined {
    return this.#aggregates;
  }

  /** The action's description; undefined until the DDL is known. */
  get description(): DdlAction | undefined {
    return this.#ddlAction;
  }

  /** Make the call and gather every reply. */
  async all(): Promise<FleetReply[]> {
    const replies: FleetReply[] = [];
    for await (const reply of this) replies.push(reply);
    return replies;
  }

  /**
   * Make the call.
   *
   * @throws {Error} when the agent, the action or an input is unknown, nodes cannot be found, the request is not
   * signed, the broker refuses it, a service does not answer, or a signal aborts.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<FleetReply> {
    if (this.#isStarted) throw new Error(`Cannot call ${this.agent}#${this.action} twice by one request`);
    this.#isStarted = true;
    const ddl = this.#options.ddl ?? (await this.#context.ddl(this.agent));
    const action = findAction(ddl, this.action);
    const data = completeInputs(action, this.#data);
    this.#ddlAction = action;
    this.#aggregates = new Aggregates(action);
    const payload = encodeRpcRequest({ agent: this.agent, action: this.action, data });
    const call = new Call(this.#context, this.#options, this.#tally, { ddl, payload });
    for await (const reply of call.replies()) {
      if (this.#options.keep?.(reply) === false) continue;
      if (reply.ok) this.#aggregates.add(withOutputDefaults(action, reply.data));
      yield reply;
    }
  }
}
