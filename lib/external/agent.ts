import { dirname, join, resolve } from "node:path";
import { type AgentDdl, type DdlAction, validateInputs, withOutputDefaults } from "../ddl/mod.ts";
import { type RpcReply, type RpcRequest, statusCodes } from "../protocol/mod.ts";
import {
  type Action,
  type ActionContext,
  ActionError,
  type Agent,
  type RpcAgentOptions,
  rpcAgent,
  WholeReply,
} from "../rpc/mod.ts";
import { type Clock, errorText, isObject, type JsonObject, type Logger, Semaphore, systemClock } from "../std/mod.ts";
import {
  decodeActivationReply,
  decodeExternalReply,
  encodeActivationRequest,
  encodeExternalRequest,
  externalProtocols,
} from "./documents.ts";
import { findProgram } from "./files.ts";
import { callProgram, type ProgramLimits } from "./program.ts";

/** What external agents work with. */
export interface ExternalAgentOptions {
  /** What stands before the actions of every agent of the server. */
  rpc: RpcAgentOptions;
  /** Facts of the node as they are now. */
  facts: () => Promise<JsonObject>;
  /** The server's configuration file; agents have theirs in `plugin.d` beside it. */
  configFile: string;
  limits?: ProgramLimits;
  /**
   * Most programs of one agent at a time; further calls wait for their turn, within their time.
   * @default 20
   */
  maxPrograms?: number;
  /** @default systemClock */
  clock?: Clock;
}

/** How long a program may think about whether it wants to be active, in milliseconds. */
const activationTime = 2_000;
/** What a program gets beyond the time of its agent, in milliseconds; the host gives up before. */
const startTime = 1_500;

/**
 * An agent whose actions are those of its DDL, each answered by a run of its program. Inputs are checked against the
 * DDL, outputs that it has defaults for are filled in.
 *
 * @param ddlPath Where the DDL stands; the program is looked for beside it at each call.
 */
export function externalAgent(ddl: AgentDdl, ddlPath: string, options: ExternalAgentOptions): Agent {
  const { maxPrograms = 20, rpc } = options;
  const { name, timeout } = ddl.metadata;
  const logger = rpc.logger.child({ agent: name });
  const places = new Semaphore(maxPrograms);
  return rpcAgent(ddl.metadata, Object.fromEntries(ddl.actions.map((action) => [action.name, actionOf(action)])), rpc);

  function actionOf(action: DdlAction): Action {
    return async (data, context) => {
      const call = { agent: name, action: action.name, data };
      const program = findProgram(ddlPath, name);
      if (program === undefined) {
        throw aborted(logger, `Cannot call external agent ${name}#${action.name}: agent executable was not found`);
      }
      check(action, data, logger);
      const text = await places.run(() => ask(program, call, context));
      return new WholeReply(finish(action, text, call, logger));
    };
  }

  async function ask(program: string, call: RpcRequest, { message, signal }: ActionContext): Promise<string> {
    try {
      const { limits, clock = systemClock, facts } = options;
      return await callProgram({
        program,
        protocol: externalProtocols.request,
        request: encodeExternalRequest(message.request, call),
        facts: JSON.stringify(await facts()),
        configFile: configOf(name, options),
        timeout: timeout * 1_000 + startTime,
        limits,
        signal,
        clock,
        logger,
      });
    } catch (error) {
      throw aborted(logger, `Could not call external agent ${name}#${call.action}: ${errorText(error)}`);
    }
  }
}

/**
 * Ask a program whether its agent is to be active on this node.
 *
 * @throws {Error} when it does not say.
 */
export async function isActive(
  ddl: AgentDdl,
  program: string,
  options: ExternalAgentOptions,
  signal: AbortSignal,
): Promise<boolean> {
  const { name } = ddl.metadata;
  const { limits, clock = systemClock, rpc } = options;
  const reply = await callProgram({
    program,
    protocol: externalProtocols.activation,
    request: encodeActivationRequest(name),
    facts: "",
    configFile: configOf(name, options),
    timeout: activationTime,
    limits,
    signal,
    clock,
    logger: rpc.logger.child({ agent: name }),
  });
  return decodeActivationReply(reply);
}

/** Without the extension that its documentation promises, as the original has it. */
function configOf(name: string, { configFile }: ExternalAgentOptions): string {
  return resolve(join(dirname(configFile), "plugin.d", name));
}

function check(action: DdlAction, data: JsonObject, logger: Logger): void {
  try {
    validateInputs(action, data);
  } catch (error) {
    throw aborted(logger, `Validation failed: ${errorText(error)}`);
  }
}

function finish(action: DdlAction, text: string, call: RpcRequest, logger: Logger): RpcReply {
  const reply = decode(text, call, logger);
  if (reply.data !== null && !isObject(reply.data)) {
    const reason = "Could not set reply defaults: reply data is in the wrong format";
    throw aborted(logger, reason, reply.data);
  }
  return { ...reply, data: withOutputDefaults(action, reply.data) };
}

function decode(text: string, { agent, action }: RpcRequest, logger: Logger): RpcReply {
  try {
    return decodeExternalReply(text, action);
  } catch (error) {
    throw aborted(logger, `Could not call external agent ${agent}#${action}: ${errorText(error)}`);
  }
}

function aborted(logger: Logger, reason: string, data?: unknown): ActionError {
  logger.error("A call of an external agent failed", { reason });
  return new ActionError(reason, { statuscode: statusCodes.aborted, ...(data === undefined ? {} : { data }) });
}
