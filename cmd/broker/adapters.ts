import { type AdaptersHandle, startAdapters } from "../../lib/adapters/mod.ts";
import type { Config } from "../../lib/config/mod.ts";
import { brokersOf, connectBroker, fileLogin, tlsOptions } from "../../lib/connector/mod.ts";
import { subjects } from "../../lib/protocol/mod.ts";
import { credentialFiles, readCredentials } from "../../lib/security/mod.ts";
import { type Logger, systemClock } from "../../lib/std/mod.ts";

/**
 * Run the data adapters of a configuration in a process of their own, beside a broker that runs elsewhere. They log in
 * with the configuration's token and seed.
 *
 * @throws {Error} when those cannot be read, or none of the adapters can be started.
 */
export async function startLoneAdapters(
  config: Config,
  { logger, signal }: { logger: Logger; signal: AbortSignal },
): Promise<AdaptersHandle> {
  const files = credentialFiles(config);
  const { holder } = readCredentials(files, systemClock.now());
  const inboxPrefix = subjects.inbox(config.mainCollective, holder);
  const servers = await brokersOf(config);
  const started = await startAdapters({
    config,
    connect: (name, onState) =>
      connectBroker({
        servers,
        name,
        login: fileLogin(files, systemClock),
        inboxPrefix,
        logger,
        tls: tlsOptions(config),
        signal,
        onState,
      }),
    inboxPrefix,
    trust: { issuers: config.issuers() },
    clock: systemClock,
    logger: logger.child({ component: "adapters" }),
  });
  if (started.adapters.length === 0 && !signal.aborted) throw new Error("no data adapter could be started");
  return started;
}
