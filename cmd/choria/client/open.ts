import type { Command } from "commander";
import { openTerminal, type Terminal } from "../../../lib/cli/mod.ts";
import { connectFleet, type Fleet } from "../../../lib/client/mod.ts";
import { type Config, findClientConfig, loadConfig } from "../../../lib/config/mod.ts";
import { credentialFiles, readCredentials } from "../../../lib/security/mod.ts";
import { createLogger, errorText, formatRemaining, silentLogger, systemClock } from "../../../lib/std/mod.ts";
import { expiryOf, isTokenError } from "../../../lib/tokens/mod.ts";

/** Flags of every command that works with a client's configuration. */
export interface ClientFlags {
  config?: string;
  debug?: true;
}

/** Time before the end of a token from which users are warned, in milliseconds. */
const warnAhead = 300_000;

/** Exit code of a command that was interrupted. */
export const interrupted = 130;

/** Add the flags of {@link ClientFlags}. */
export function addClientFlags(command: Command): Command {
  return command
    .option("--config <file>", "client configuration; CHORIA_CONFIG or one of the usual places by default")
    .option("--debug", "log details to standard error");
}

/**
 * The configuration that the flags name, or the one of this user or machine.
 * @throws {Error} saying what to do when there is none.
 */
export function clientConfig(flags: ClientFlags): Config {
  const file = flags.config ?? findClientConfig();
  if (file !== undefined) return loadConfig(file, { kind: "client" });
  throw new Error(
    "Cannot find a configuration: name one by --config or CHORIA_CONFIG, or put one into ~/.choriarc or /etc/choria/client.conf",
  );
}

/** The terminal, coloured as the configuration says. */
export function clientTerminal(config: Config): Terminal {
  const { stdout, stderr, env } = process;
  return openTerminal({ stdout, stderr, env, color: config.get("color") });
}

/** What a command gets to work with. */
export interface ClientSession {
  fleet: Fleet;
  config: Config;
  terminal: Terminal;
  /** Aborts when the user interrupts. */
  signal: AbortSignal;
}

/**
 * Connect, work, and close the connection again, whatever happens. An interrupt ends the work and is no error, but
 * gives an exit code of its own; a second one ends the process.
 *
 * @param login User and password that are shown to the broker beside the token.
 */
export async function withFleet(
  flags: ClientFlags,
  work: (session: ClientSession) => Promise<void>,
  login?: (config: Config) => { user: string; password: string },
): Promise<void> {
  const config = clientConfig(flags);
  const terminal = clientTerminal(config);
  const logger = flags.debug ? createLogger({ level: "debug", destination: "stderr" }) : silentLogger;
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) process.exit(interrupted);
    stopping.abort(new Error("interrupted"));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const { signal } = stopping;
  try {
    warnOfExpiry(config, terminal);
    const extra = login === undefined ? {} : { login: login(config) };
    await using fleet = await connectFleet(config, { logger, signal, ...extra });
    await work({ fleet, config, terminal, signal });
  } catch (error) {
    if (!signal.aborted) throw withHint(error, config);
    process.exitCode = interrupted;
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  }
}

function warnOfExpiry(config: Config, terminal: Terminal): void {
  const now = systemClock.now();
  const seconds = expiryOf(readCredentials(credentialFiles(config), now).claims);
  const left = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1_000 - now;
  if (left >= warnAhead) return;
  const { yellow } = terminal.paint;
  terminal.err.write(
    `${yellow(`choria: warning: the token expires in ${formatRemaining(left)}, log in again soon`)}\n`,
  );
}

/** Somebody whose token is gone most likely has to log in. */
function withHint(error: unknown, config: Config): unknown {
  const canLogIn = config.get("plugin.login.aaasvc.login.url").length > 0;
  if (!canLogIn || !isTokenError(error)) return error;
  return new Error(`${errorText(error)}; log in with: choria login`, { cause: error });
}
