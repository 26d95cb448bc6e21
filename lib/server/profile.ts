import type { Config } from "../config/mod.ts";
import { brokersOf, type Login, type TlsOptions, tlsOptions } from "../connector/mod.ts";
import { subjects } from "../protocol/mod.ts";
import { type Credentials, credentialFiles, HeldCredentials, RequestVerifier } from "../security/mod.ts";
import { backoff, type Clock, type Logger, twentySecondSteps } from "../std/mod.ts";
import { readTokenFile, TokenError, TokenVerifier } from "../tokens/mod.ts";
import { type ProvisioningSettings, provisioningBrokers } from "./provisioning/mod.ts";

/** As what a server runs: how it logs in, whom it believes and how it calls itself. */
export interface ServerProfile {
  /** Component of its lifecycle events. */
  component: "server" | "service_host" | "provision_mode_server";
  isProvisioning: boolean;
  /** Decides which requests are believed; absent where any is. */
  verifier?: RequestVerifier;
  /** What replies are signed with; absent where they are not. */
  credentials?: () => Credentials;
  /** What the server signs with of its own accord; absent while it has nothing of its own. */
  ownCredentials?: () => Credentials;
  inboxPrefix: string;
  /** Asked at each attempt to connect. */
  login: () => Login;
  tls: TlsOptions;
  /** Finds the brokers, as `host:port`; waits until there are some, or the signal aborts. */
  brokers: (signal?: AbortSignal) => Promise<string[]>;
  /** When the token expires, in Unix seconds. */
  tokenExpires: () => number | undefined;
}

/** What {@link servingProfile} works with. */
export interface ServingOptions {
  clock: Clock;
  logger: Logger;
  /** Host service agents only. */
  serviceHost: boolean;
}

/**
 * A server that serves.
 *
 * @throws {Error} `security setup is not valid, …` when the configuration cannot be used, and what reading the token
 * and seed says, for example `identity X does not match caller Y in JWT token`.
 */
export function servingProfile(
  config: Config,
  identity: string,
  { clock, logger, serviceHost }: ServingOptions,
): ServerProfile {
  checkSecurity(config);
  const check = (found: Credentials) => requireServer(found, identity);
  const held = new HeldCredentials(credentialFiles(config), clock, { check, logger });
  const current = () => held.current();
  current();
  return {
    component: serviceHost ? "service_host" : "server",
    isProvisioning: false,
    verifier: new RequestVerifier({ issuers: config.issuers() }, new TokenVerifier(clock)),
    ...(config.get("plugin.security.choria.sign_replies") ? { credentials: current } : {}),
    ownCredentials: current,
    inboxPrefix: subjects.inbox(config.mainCollective, identity),
    login: () => {
      const { token, key } = current();
      return { token, key, ...passwordLogin(config) };
    },
    tls: tlsOptions(config),
    brokers: () => brokersOf(config),
    tokenExpires: () => held.expires,
  };
}

/** A server that is being provisioned: it shows the provisioning token, believes anybody and signs nothing. */
export function provisioningProfile(
  config: Config,
  settings: ProvisioningSettings,
  clock: Clock,
  logger: Logger,
): ServerProfile {
  return {
    component: "provision_mode_server",
    isProvisioning: true,
    inboxPrefix: subjects.inbox(config.mainCollective),
    login: () => ({ token: readTokenFile(settings.tokenFile), ...passwordLogin(config) }),
    tls: {},
    brokers: (signal) => findProvisioningBrokers(settings, clock, logger, signal),
    tokenExpires: () => undefined,
  };
}

/** A server's credentials must be a server's, and its own. */
export function requireServer({ claims, holder }: Credentials, identity: string): void {
  if (claims.purpose !== "choria_server") throw new TokenError("could not parse JWT: not a server token");
  if (holder !== identity) throw new TokenError(`identity ${identity} does not match caller ${holder} in JWT token`);
}

function checkSecurity(config: Config): void {
  const problems: string[] = [];
  if (config.get("plugin.security.choria.token_file") === "") {
    problems.push("the path to the JWT token is not configured");
  }
  if (config.issuers().size === 0) problems.push(issuerProblem(config));
  if (problems.length === 0) return;
  throw new Error(`security setup is not valid, ${problems.length} errors encountered: ${problems.join(", ")}`);
}

function issuerProblem(config: Config): string {
  if (config.get("plugin.security.choria.trusted_signers").length === 0) {
    return "no trusted token signers or issuers configured";
  }
  return "plugin.security.choria.trusted_signers is not supported, set plugin.security.issuer.names instead";
}

function passwordLogin(config: Config): Pick<Login, "user" | "password"> {
  const [user, password] = [config.get("plugin.nats.user"), config.get("plugin.nats.pass")];
  return user !== "" && password !== "" ? { user, password } : {};
}

async function findProvisioningBrokers(
  settings: ProvisioningSettings,
  clock: Clock,
  logger: Logger,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const waits = backoff(twentySecondSteps);
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const brokers = await provisioningBrokers(settings);
    if (brokers.length > 0) return brokers;
    logger.warn("Resolving provisioning brokers via SRV lookups failed, will keep trying", {
      domain: settings.srvDomain,
      attempt,
    });
    await clock.sleep(waits.delay(attempt), signal);
  }
}
