import { JetStreamApiError, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { AuthorizationError, PermissionViolationError } from "@nats-io/nats-core";
import type { Command } from "commander";
import { terminalPrompter } from "../../../lib/cli/mod.ts";
import type { Config } from "../../../lib/config/mod.ts";
import { errorText, goJson } from "../../../lib/std/mod.ts";
import { type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { refusals, refusalText } from "../client/refusals.ts";

/** Flags of every command below `choria broker`, where `--config` may mean the configuration of something else. */
export interface BrokerFlags {
  choriaConfig?: string;
  debug?: true;
}

/** Add the flags of {@link BrokerFlags}. */
export function addBrokerFlags(command: Command): Command {
  return command
    .option("--choria-config <file>", "client configuration; CHORIA_CONFIG or one of the usual places by default")
    .option("--debug", "log details to standard error");
}

/** The flags as other commands have them. */
export function clientFlags({ choriaConfig, debug }: BrokerFlags): ClientFlags {
  return { ...(choriaConfig === undefined ? {} : { config: choriaConfig }), ...(debug === undefined ? {} : { debug }) };
}

/** What a command that works with streams gets. */
export interface StreamSession extends ClientSession {
  /** JetStream's interface of the account. */
  manager: JetStreamManager;
}

/** Longest wait for an answer of JetStream, in milliseconds. */
const timeout = 5_000;

/** Work with the streams of the client's account. What the broker refuses ends the work at once, and is named. */
export function withBrokerStreams(flags: BrokerFlags, work: (session: StreamSession) => Promise<void>): Promise<void> {
  return withStreams(clientFlags(flags), work);
}

/** Like {@link withBrokerStreams}, of the commands that take the usual flags. */
export function withStreams(flags: ClientFlags, work: (session: StreamSession) => Promise<void>): Promise<void> {
  return withFleet(flags, async (session) => {
    const manager = await jetstreamManager(session.fleet.connection.nats, { checkAPI: false, timeout });
    await untilRefused(session, work({ ...session, manager }));
  });
}

/**
 * Work in the system account of the brokers.
 * @throws {Error} naming the settings that are missing.
 */
export function withSystem(
  command: Command,
  flags: BrokerFlags,
  work: (session: ClientSession) => Promise<void>,
): Promise<void> {
  const login = (config: Config) => systemLogin(config, command);
  const working = withFleet(clientFlags(flags), (session) => untilRefused(session, work(session)), login);
  return working.catch((error: unknown) => {
    if (!isRefusedLogin(error)) throw error;
    throw new Error(`${errorText(error)}; the system account takes tokens that are org_admin or system_user`, {
      cause: error,
    });
  });
}

function isRefusedLogin(error: unknown): boolean {
  if (error instanceof AuthorizationError) return true;
  return error instanceof Error && error.cause !== error && isRefusedLogin(error.cause);
}

function systemLogin(config: Config, command: Command): { user: string; password: string } {
  const user = config.get("plugin.choria.network.system.user");
  const password = config.get("plugin.choria.network.system.password");
  if (user !== "" && password !== "") return { user, password };
  throw new Error(
    `the "${pathOf(command)}" command needs system username and password set using plugin.choria.network.system.*`,
  );
}

/** Names of a command and those above it, without the program's. */
function pathOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one?.parent; one = one.parent) names.unshift(one.name());
  return names.join(" ");
}

async function untilRefused({ fleet }: ClientSession, work: Promise<void>): Promise<void> {
  try {
    await Promise.race([work, refusals(fleet.connection, fleet.caller)]);
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal !== undefined)
      throw new Error(`${refusalText(refusal, fleet.caller)}${hint(refusal)}`, { cause: error });
    if (error instanceof JetStreamApiError) throw new Error(`${error.message} (${error.code})`, { cause: error });
    throw error;
  }
}

/** Which permission a token needs for most of what it is refused here. */
function hint({ subject }: PermissionViolationError): string {
  return subject.startsWith("$JS.") ? ", which needs a token with streams_admin or org_admin" : "";
}

/** The client wraps what the broker says in an error of the request that it ended. */
function refusalOf(error: unknown): PermissionViolationError | undefined {
  if (error instanceof PermissionViolationError) return error;
  return error instanceof Error && error.cause !== error ? refusalOf(error.cause) : undefined;
}

/** JSON with two spaces a level, as scripts of the original's output know it. */
export function writeJson({ terminal }: Pick<ClientSession, "terminal">, value: unknown): void {
  terminal.out.write(`${goJson(value, 2)}\n`);
}

/**
 * Ask whether to do something that cannot be undone.
 *
 * @returns whether to go on.
 * @throws {Error} when there is nobody to ask.
 */
export async function confirmed(question: string, isForced: boolean | undefined): Promise<boolean> {
  if (isForced) return true;
  if (!process.stdin.isTTY) throw new Error(`Cannot ask "${question}" without a terminal: use -f to go on unasked`);
  return terminalPrompter.confirm(question, false);
}
