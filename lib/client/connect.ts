import { AuthorizationError } from "@nats-io/nats-core";
import type { Config } from "../config/mod.ts";
import { brokersOf, type Connection, connectBroker, fileLogin, type TlsOptions, tlsOptions } from "../connector/mod.ts";
import { subjects } from "../protocol/mod.ts";
import type { CredentialFiles } from "../security/mod.ts";
import { backoff, type Clock, errorText, fiveSecondSteps, type Logger } from "../std/mod.ts";

/** Who connects, and how often it is tried. */
export interface ConnectClientOptions {
  files: CredentialFiles;
  caller: string;
  tls?: TlsOptions | false;
  /** User and password beside the token, in place of those of the configuration. */
  login?: { user: string; password: string };
  attempts: number;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * Connect a client. Brokers that cannot be reached are tried a few times; one that refuses the login is not.
 *
 * @throws {Error} naming the brokers and what they said.
 */
export async function connectClient(config: Config, options: ConnectClientOptions): Promise<Connection> {
  const { files, caller, attempts, clock, logger, signal } = options;
  const servers = await brokersOf(config);
  const waits = backoff(fiveSecondSteps);
  const login = fileLogin(files, clock, options.login ?? loginExtras(config));
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await connectBroker({
        servers,
        name: caller,
        login,
        inboxPrefix: subjects.inbox(config.mainCollective, caller),
        tls: options.tls ?? tlsOptions(config),
        timeout: config.get("plugin.choria.network.connect_timeout"),
        attempts: 1,
        clock,
        logger,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const where = servers.join(", ");
      if (reason instanceof AuthorizationError) {
        throw new Error(`The broker ${where} refuses the login of ${caller}: ${reason.message}`, { cause: error });
      }
      if (attempt >= attempts) {
        throw new Error(`Cannot connect to the broker ${where}: ${errorText(reason)}`, { cause: error });
      }
    }
    await clock.sleep(waits.delay(attempt - 1), signal);
  }
}

function loginExtras(config: Config): { user?: string; password?: string } {
  const user = config.get("plugin.nats.user");
  const password = config.get("plugin.nats.pass");
  return user !== "" && password !== "" ? { user, password } : {};
}
