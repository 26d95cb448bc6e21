import type { Config } from "../config/mod.ts";
import { loadRegoEngine } from "../policy/mod.ts";
import { credentialFiles, HeldCredentials } from "../security/mod.ts";
import { type Clock, errorText, type Logger } from "../std/mod.ts";
import { type Claims, readVerifyKey, TokenVerifier } from "../tokens/mod.ts";
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

/**
 * Make the login service of a configuration.
 *
 * @throws {Error} naming setting and file when users or the key that signs their tokens cannot be read. Files that are
 * damaged later fail the logins of that time.
 */
export function loginService(config: UserlistConfig, options: ServicesOptions): LoginService {
  const { clock, logger } = options;
  const users = new UserDirectory(config);
  const { signingKey, signingToken, validity } = config;
  const issuer = new TokenIssuer({ signingKey, signingToken, validity, clock });
  needed("/userlist_authenticator/users_file", () => users.refresh());
  needed("/userlist_authenticator/signing_key", () => issuer.check());
  return new LoginService({ users, passwords: new PasswordChecker({ logger }), issuer, ...options });
}

/**
 * Make the signing service of a configuration.
 *
 * @param choria Names the delegate's credentials where the signer has none of its own.
 * @throws {Error} naming setting and file when the key that tokens are verified with, or the delegate's token or seed,
 * cannot be used. A delegate that is damaged later is kept as it was.
 */
export async function signingService(
  config: NonNullable<AaaConfig["signer"]>,
  options: ServicesOptions & { site: string; audit: AuditTrail; choria: Config | undefined },
): Promise<SigningService> {
  const { clock, logger, metrics, site, audit, choria } = options;
  const delegate = new HeldCredentials(config.delegate ?? ownFiles(choria), clock, { logger });
  const { claims, holder } = needed(delegateSetting(config), () => delegate.current());
  if (!mayDelegate(claims)) {
    logger.warn("Servers will refuse what is signed: the token lacks the permission authentication_delegator", {
      holder,
    });
  }
  const engine = await loadRegoEngine();
  return new SigningService({
    tokens: new TokenVerifier(clock, rememberedTokens),
    key: needed("/basicjwt_signer/signing_certificate", () => readVerifyKey(config.signingCertificate)),
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

function ownFiles(choria: Config | undefined) {
  if (choria !== undefined) return credentialFiles(choria);
  throw new Error("/basicjwt_signer/signing_seed: is required where no choria_config names credentials to sign with");
}

function delegateSetting({ delegate }: NonNullable<AaaConfig["signer"]>): string {
  return delegate === undefined ? "/choria_config" : "/basicjwt_signer/signing_seed";
}

function mayDelegate(claims: Claims): boolean {
  return claims.purpose === "choria_client_id" && (claims.permissions?.authentication_delegator ?? false);
}

/** What the service cannot do without, with the setting in front of what is wrong. */
function needed<T>(setting: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${setting}: ${errorText(error)}`, { cause: error });
  }
}
