import type { Config } from "../config/mod.ts";
import { loadRegoEngine } from "../policy/mod.ts";
import { credentialFiles, HeldCredentials } from "../security/mod.ts";
import { type Clock, errorText, type Logger } from "../std/mod.ts";
import { readTokenSigner, readVerifyKey, TokenVerifier, type VerifyKey } from "../tokens/mod.ts";
import type { AuditTrail } from "./audit.ts";
import { RequestAuthorizer } from "./authorizer.ts";
import type { AaaConfig } from "./config.ts";
import type { UserlistConfig } from "./config_userlist.ts";
import { LoginService } from "./login.ts";
import type { AaaMetrics } from "./metrics.ts";
import { PasswordChecker } from "./password.ts";
import { SigningService } from "./signer.ts";
import { TokenIssuer } from "./token_issuer.ts";
import { UserDirectory } from "./user_directory.ts";

/** Tokens that the signer remembers to be good. */
const rememberedTokens = 8_192;

/** What both services work with. */
export interface ServicesOptions {
  clock: Clock;
  logger: Logger;
  metrics: AaaMetrics;
}

/** Make the login service of a configuration. What is wrong with its files is logged, as it may yet be mended. */
export function loginService(config: UserlistConfig, options: ServicesOptions): LoginService {
  const { clock, logger } = options;
  const users = new UserDirectory(config);
  warnUnless(logger, "The users' file cannot be used yet", () => users.refresh());
  warnUnless(logger, "Nobody can log in yet", () => readTokenSigner(config.signingKey));
  const { signingKey, signingToken, validity } = config;
  const issuer = new TokenIssuer({ signingKey, signingToken, validity, clock });
  return new LoginService({ users, passwords: new PasswordChecker({ logger }), issuer, ...options });
}

/**
 * Make the signing service of a configuration.
 *
 * @param choria Names the delegate's credentials where the signer has none of its own.
 * @throws {Error} naming the setting when the key that tokens are verified with cannot be read.
 */
export async function signingService(
  config: NonNullable<AaaConfig["signer"]>,
  options: ServicesOptions & { site: string; audit: AuditTrail; choria: Config | undefined },
): Promise<SigningService> {
  const { clock, logger, metrics, site, audit, choria } = options;
  const delegate = new HeldCredentials(config.delegate ?? ownFiles(choria), clock);
  warnUnless(logger, "Nothing can be signed yet", () => checkDelegate(delegate));
  const engine = await loadRegoEngine();
  return new SigningService({
    tokens: new TokenVerifier(clock, rememberedTokens),
    key: readKey(config.signingCertificate),
    maxValidity: config.maxValidity,
    allowBearerTokens: config.allowBearerTokens,
    authorizer: new RequestAuthorizer({ name: config.authorizer, site, engine, metrics }),
    audit,
    delegate,
    clock,
    logger,
    metrics,
  });
}

function readKey(file: string): VerifyKey {
  try {
    return readVerifyKey(file);
  } catch (error) {
    throw new Error(`/basicjwt_signer/signing_certificate: ${errorText(error)}`, { cause: error });
  }
}

function ownFiles(choria: Config | undefined) {
  if (choria !== undefined) return credentialFiles(choria);
  throw new Error("/basicjwt_signer/signing_seed: is required where no choria_config names credentials to sign with");
}

function checkDelegate(delegate: HeldCredentials): void {
  const { claims, holder } = delegate.current();
  if (claims.purpose === "choria_client_id" && claims.permissions?.authentication_delegator) return;
  throw new Error(
    `servers will refuse what "${holder}" signs: its token lacks the permission authentication_delegator`,
  );
}

function warnUnless(logger: Logger, what: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    logger.warn(what, { reason: errorText(error) });
  }
}
