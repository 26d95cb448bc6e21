import {
  decodeRpcRequest,
  encodeRpcReply,
  type RpcReply,
  type RpcRequest,
  type StatusCode,
  statusCodes,
} from "../protocol/mod.ts";
import { errorText, type JsonObject, type Logger } from "../std/mod.ts";
import type { Agent, AgentMessage, AgentMetadata } from "./agent.ts";
import type { ActionCall, Authorizer, CallAuditor, Decision } from "./authorizer.ts";

/** Thrown by an action to end with a status of its own. */
export class ActionError extends Error {
  override readonly name = "ActionError";
  readonly statuscode: StatusCode;
  /** Outputs that go with the failure. */
  readonly data: unknown;

  /**
   * @param message The reply's status message.
   * @param options.statuscode Default 1, aborted.
   * @param options.data Default `{}`.
   */
  constructor(message: string, options: { statuscode?: StatusCode; data?: unknown } = {}) {
    super(message);
    this.statuscode = options.statuscode ?? statusCodes.aborted;
    this.data = options.data ?? {};
  }
}

/** What an action gives that answers with a whole reply, not with outputs alone. */
export class WholeReply {
  readonly reply: RpcReply;

  constructor(reply: RpcReply) {
    this.reply = reply;
  }
}

/** What an action gets to work with. */
export interface ActionContext {
  /** The message in which the call came: who calls, from where, when. */
  message: AgentMessage;
  /** Aborts when the agent's time is over. */
  signal: AbortSignal;
}

/**
 * An action: takes its inputs, gives its outputs (undefined for none) or a {@link WholeReply}, throws
 * {@link ActionError} to say why it could not.
 */
export type Action = (data: JsonObject, context: ActionContext) => unknown;

/** What stands between a request and an action. */
export interface RpcAgentOptions {
  /** Absent where nothing is authorized: `rpcauthorization = 0`, and while a node is provisioned. */
  authorizer?: Authorizer;
  auditor?: CallAuditor;
  logger: Logger;
}

/** What callers match on when a policy refuses them; the reason follows it. */
const refusal = "You are not authorized to call this agent or action";

/**
 * Make an agent of actions: requests are parsed, authorized, audited and answered here, in that order, so that an
 * action is only ever what it does.
 */
export function rpcAgent(
  metadata: AgentMetadata,
  actions: Readonly<Record<string, Action>>,
  options: RpcAgentOptions,
): Agent {
  const logger = options.logger.child({ agent: metadata.name });
  return {
    metadata,
    async handle(message, signal) {
      const reply = await answer(message, signal);
      return encodeRpcReply(reply);
    },
  };

  async function answer(message: AgentMessage, signal: AbortSignal): Promise<RpcReply> {
    let call: RpcRequest;
    try {
      call = decodeRpcRequest(message.payload);
    } catch (error) {
      const reason = `could not parse incoming message as a MCollective SimpleRPC Request: ${errorText(error)}`;
      return failure("", statusCodes.invalidData, `Could not process request: ${reason}`);
    }
    const action = Object.hasOwn(actions, call.action) ? actions[call.action] : undefined;
    if (action === undefined) {
      const text = `Unknown action ${call.action} for agent ${metadata.name}`;
      return failure(call.action, statusCodes.unknownAction, text);
    }
    const actionCall: ActionCall = { ...call, message };
    const decision = await authorize(actionCall);
    if (!decision.allowed) {
      const { id, caller } = message.request;
      logger.warn("Denying a call", { action: call.action, caller, requestid: id, reason: decision.reason });
      return failure(call.action, statusCodes.aborted, `${refusal}: ${decision.reason}`);
    }
    options.auditor?.record(actionCall);
    return run(action, call, { message, signal });
  }

  async function authorize(call: ActionCall): Promise<Decision> {
    if (options.authorizer === undefined) return { allowed: true, reason: "nothing is authorized here" };
    if (call.agent !== metadata.name) return { allowed: false, reason: `the request is for agent ${call.agent}` };
    try {
      return await options.authorizer.authorize(call);
    } catch (error) {
      return { allowed: false, reason: errorText(error) };
    }
  }

  async function run(action: Action, call: RpcRequest, context: ActionContext): Promise<RpcReply> {
    try {
      const data = await action(call.data, context);
      if (data instanceof WholeReply) return data.reply;
      // Null is an answer: that of data plugins that found nothing.
      const outputs = data === undefined ? {} : data;
      return { action: call.action, statuscode: statusCodes.ok, statusmsg: "OK", data: outputs };
    } catch (error) {
      if (error instanceof ActionError) {
        return { action: call.action, statuscode: error.statuscode, statusmsg: error.message, data: error.data };
      }
      logger.error("Action failed", { action: call.action, reason: errorText(error) });
      return failure(
        call.action,
        statusCodes.unknownError,
        `${metadata.name}#${call.action} failed: ${errorText(error)}`,
      );
    }
  }
}

function failure(action: string, statuscode: StatusCode, statusmsg: string): RpcReply {
  return { action, statuscode, statusmsg, data: {} };
}
