import { backoff, type Clock, errorText, fiveSecondSteps, type JsonObject } from "../std/mod.ts";
import type { ProvisionerMetrics } from "./metrics.ts";
import { CallError, type NodeCaller } from "./node_caller.ts";

/** Most times that a node which nobody hears is called: its subscription may still be on its way between brokers. */
const triesWhileGone = 2;
const goneWait = 250;

/** What {@link NodeCalls} works with. */
export interface NodeCallsOptions {
  node: string;
  caller: Pick<NodeCaller, "call">;
  metrics: Pick<ProvisionerMetrics, "rpcTook" | "rpcFailed">;
  clock: Clock;
  /** Wait between tries, leaving the place to other nodes. */
  rest: (ms: number) => Promise<void>;
  signal: AbortSignal;
}

/** How one action is called. */
export interface CallLimits {
  /** Most times that the action is called where no answer comes. */
  tries: number;
  /** Longest wait for each answer, in milliseconds. */
  timeout: number;
}

/** Calls actions of one node, again where no answer came, and keeps the times. */
export class NodeCalls {
  readonly #options: NodeCallsOptions;
  readonly #waits = backoff(fiveSecondSteps);

  constructor(options: NodeCallsOptions) {
    this.#options = options;
  }

  /**
   * Call an action.
   *
   * @param rpc `agent#action`.
   * @throws {CallError} whose text names the action. A refusal is not tried again, as it would be the same.
   */
  async call(rpc: string, data: JsonObject, limits: CallLimits): Promise<JsonObject> {
    const { metrics, rest } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once(rpc, data, limits.timeout);
      } catch (error) {
        metrics.rpcFailed(rpc);
        const fault = error instanceof CallError ? error.fault : "refused";
        const most = fault === "gone" ? Math.min(triesWhileGone, limits.tries) : limits.tries;
        if (fault === "refused" || attempt >= most) throw failure(rpc, error);
        await rest(fault === "gone" ? goneWait : this.#waits.delay(attempt));
      }
    }
  }

  async #once(rpc: string, data: JsonObject, timeout: number): Promise<JsonObject> {
    const { node, caller, metrics, clock, signal } = this.#options;
    const [agent = "", action = ""] = rpc.split("#");
    const started = clock.now();
    const result = await caller.call({ node, agent, action, data, timeout, signal });
    metrics.rpcTook(rpc, clock.now() - started);
    return result;
  }
}

function failure(rpc: string, error: unknown): Error {
  const text = `${rpc} failed: ${errorText(error)}`;
  return error instanceof CallError ? new CallError(error.fault, text) : new Error(text, { cause: error });
}
