import type { Config } from "../config/mod.ts";
import { fileLogin, type Login, tlsOptions } from "../connector/mod.ts";
import { subjects } from "../protocol/mod.ts";
import { type CredentialFiles, credentialFiles, readCredentials } from "../security/mod.ts";
import type { Clock, Logger } from "../std/mod.ts";
import { type Auditor, AuditTrail } from "./audit.ts";
import { jetstreamAuditor } from "./audit_jetstream.ts";
import { logfileAuditor } from "./audit_logfile.ts";
import type { AuditorConfig, JetStreamAuditorConfig } from "./config_auditors.ts";
import type { AaaMetrics } from "./metrics.ts";

/** What {@link startAuditors} works with. */
export interface AuditorsOptions {
  auditors: readonly AuditorConfig[];
  /** Configuration of the broker connection, for auditors without credentials of their own. */
  choria: Config | undefined;
  site: string;
  clock: Clock;
  logger: Logger;
  metrics: AaaMetrics;
}

/**
 * Start the auditors that a configuration asks for.
 * @throws {Error} saying which auditor cannot work, and why.
 */
export function startAuditors(options: AuditorsOptions): AuditTrail {
  const { site, logger, metrics } = options;
  const started = options.auditors.map((each): Auditor => {
    if (each.kind === "jetstream") return startJetStream(each, options);
    return logfileAuditor({ file: each.logfile, site, print: (line) => process.stdout.write(line) });
  });
  return new AuditTrail(started, { logger, metrics });
}

function startJetStream(settings: JetStreamAuditorConfig, options: AuditorsOptions): Auditor {
  const { choria, site, clock, logger, metrics } = options;
  const { login, inboxPrefix } = jetStreamLogin(settings, choria, clock);
  return jetstreamAuditor({
    servers: settings.servers,
    subject: settings.topic,
    site,
    login,
    inboxPrefix,
    tls: settings.disableTls ? false : choria === undefined ? {} : tlsOptions(choria),
    clock,
    logger,
    metrics,
  });
}

/** Who the auditor is: itself, a NATS user, or whoever the Choria configuration says. */
function jetStreamLogin(settings: JetStreamAuditorConfig, choria: Config | undefined, clock: Clock) {
  const { credentials, user, password } = settings;
  const natsUser = { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
  const files = credentials ?? (user === undefined ? ownFiles(choria) : undefined);
  if (files === undefined) return { login: (): Login => natsUser, inboxPrefix: subjects.inbox("choria") };
  const { holder } = readCredentials(files, clock.now());
  const collective = choria?.mainCollective ?? "choria";
  return { login: fileLogin(files, clock, natsUser), inboxPrefix: subjects.inbox(collective, holder) };
}

function ownFiles(choria: Config | undefined): CredentialFiles {
  if (choria !== undefined) return credentialFiles(choria);
  throw new Error("The jetstream auditor has no credentials: set jetstream_auditor/token_file, or choria_config");
}
