import { formatDuration, type Logger } from "../std/mod.ts";
import {
  type ClientClaims,
  issueServerToken,
  readTokenClaims,
  readTokenSigner,
  type TokenSigner,
} from "../tokens/mod.ts";
import type { ProvisionerConfig } from "./config.ts";
import type { HelperReply } from "./helper.ts";

/** A number of seconds below this is a lifetime; as Unix time it would have ended in 1979. */
const largestLifetimeSeconds = 10 * 365 * 86_400;
const leastValidity = 3_600_000;
const defaultValidity = 365 * 86_400_000;
/** `iss` of server tokens that no trust chain vouches for. */
const issuerName = "Choria Provisioner";

/** Who signs server tokens. */
export interface ServerTokenIssuer {
  signer: TokenSigner;
  /** Claims of the chain issuer on whose behalf the signer signs. */
  chainIssuer?: ClientClaims;
}

/**
 * Read the key and the token by which a provisioner issues. Done for each node, as both may be renewed at any time.
 *
 * @throws {Error} naming the file that cannot be used.
 */
export function readIssuer(config: Pick<ProvisionerConfig, "signingKey" | "signingToken">): ServerTokenIssuer {
  if (config.signingKey === "") throw new Error("no JWT signing key configured, cannot issue server tokens");
  const signer = readTokenSigner(config.signingKey);
  if (config.signingToken === "") return { signer };
  const { claims } = readTokenClaims(config.signingToken);
  if (claims.purpose !== "choria_client_id") throw new Error(`${config.signingToken} is not a client token`);
  if (!claims.tcs) throw new Error(`no Trust Chain Signature claim in JWT Signing Token ${config.signingToken}`);
  return { signer, chainIssuer: claims };
}

/** Whom a server token is for, and what the helper wants in it. */
export interface ServerTokenRequest {
  identity: string;
  /** Hex. */
  publicKey: string;
  reply: Pick<HelperReply, "configuration" | "server_claims">;
  /** Lifetime in milliseconds where the helper names none. */
  validity: number;
  /** Milliseconds since the epoch. */
  now: number;
  logger: Logger;
}

/**
 * Issue a node's server token.
 * @throws {TokenError} when the issuer cannot issue it.
 */
export function issueNodeToken(request: ServerTokenRequest, issuer: ServerTokenIssuer): Promise<string> {
  const { identity, publicKey, reply, now } = request;
  const { permissions, ou, pub_subjects } = reply.server_claims ?? {};
  return issueServerToken(
    {
      identity,
      public_key: publicKey,
      collectives: collectivesOf(reply),
      ...(ou ? { ou } : {}),
      ...(permissions === undefined ? {} : { permissions }),
      ...(pub_subjects === undefined ? {} : { pub_subjects }),
    },
    { signer: issuer.signer, now, validity: validityOf(request), issuer: issuerName, ...chainOf(issuer) },
  );
}

function chainOf({ chainIssuer }: ServerTokenIssuer) {
  return chainIssuer === undefined ? {} : { chainIssuer };
}

function collectivesOf({ configuration, server_claims }: ServerTokenRequest["reply"]): string[] {
  const claimed = server_claims?.collectives ?? [];
  if (claimed.length > 0) return claimed;
  const configured = (configuration.collectives ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  if (configured.length > 0) return configured;
  return [configuration["plugin.security.provider"] === "choria" ? "choria" : "mcollective"];
}

function validityOf({ reply, validity, now, logger, identity }: ServerTokenRequest): number {
  const exp = reply.server_claims?.exp;
  const wanted = exp === undefined ? validity : lifetimeOf(exp, now);
  if (wanted > leastValidity) return wanted;
  const text = `Server validity ${formatDuration(wanted)} is too short, setting to default ${formatDuration(defaultValidity)}`;
  logger.warn(text, { identity });
  return defaultValidity;
}

function lifetimeOf(exp: number, now: number): number {
  return (exp < largestLifetimeSeconds ? exp : exp - Math.floor(now / 1_000)) * 1_000;
}
