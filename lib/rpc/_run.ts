import { decodeRpcRequest, encodeRpcReply, statusCodes } from "../protocol/mod.ts";
import { type Clock, errorText } from "../std/mod.ts";
import type { Agent, AgentMessage } from "./agent.ts";

/** How an agent's work ended. */
export interface Outcome {
  /** The payload of the reply; undefined for none. */
  payload?: Uint8Array | undefined;
  /** Why the agent did not answer itself. */
  failure?: string;
}

/**
 * Let an agent answer within its time. Once that is over its signal aborts, and whatever it may still answer goes
 * nowhere. Callers of RPC agents are told when nothing came of their call.
 */
export async function runAgent(
  agent: Agent,
  message: AgentMessage,
  controller: AbortController,
  clock: Clock,
): Promise<Outcome> {
  const { timeout } = agent.metadata;
  const over = Promise.withResolvers<Outcome>();
  using _timer = clock.after(timeout * 1_000, () => {
    over.resolve(failed(message, `timed out after ${timeout}s`));
    controller.abort(new DOMException(`The time of agent ${agent.metadata.name} is over`, "TimeoutError"));
  });
  return await Promise.race([over.promise, answer(agent, message, controller.signal)]);
}

async function answer(agent: Agent, message: AgentMessage, signal: AbortSignal): Promise<Outcome> {
  try {
    return { payload: await agent.handle(message, signal) };
  } catch (error) {
    return failed(message, `failed: ${errorText(error)}`);
  }
}

/** The outcome of a call that the agent itself did not answer, or not so that it could be sent. */
export function failed(message: AgentMessage, what: string): Outcome {
  const action = actionOf(message);
  if (action === undefined) return { failure: `${message.request.agent} ${what}` };
  const failure = `${message.request.agent}#${action} ${what}`;
  const payload = encodeRpcReply({ action, statuscode: statusCodes.unknownError, statusmsg: failure, data: {} });
  return { payload, failure };
}

/** The action of an RPC call; undefined where the message is something else, whose sender expects no RPC reply. */
function actionOf(message: AgentMessage): string | undefined {
  try {
    return decodeRpcRequest(message.payload).action;
  } catch {
    return undefined;
  }
}
