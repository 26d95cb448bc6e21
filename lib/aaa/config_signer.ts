import type { CredentialFiles } from "../security/mod.ts";
import { errorText, parseDuration } from "../std/mod.ts";
import type { Fields } from "./_fields.ts";

/** `basicjwt_signer` of the configuration. */
export interface BasicJwtConfig {
  /** File of the key that user tokens are verified with: ed25519 in hex, or RSA in PEM. */
  signingCertificate: string;
  /** The delegate that signs requests; undefined takes the credentials of the Choria configuration. */
  delegate: CredentialFiles | undefined;
  /** Longest remaining lifetime of a token, in milliseconds. */
  maxValidity: number;
  /** Whether the `aaa_signer` service is hosted. */
  choriaService: boolean;
  /** Whether requests without a signature are accepted on the token alone. */
  allowBearerTokens: boolean;
}

/**
 * Read the settings of the signer.
 * @throws {Error} naming the key's path.
 */
export function decodeBasicJwt(fields: Fields): BasicJwtConfig {
  return {
    signingCertificate: fields.requiredText("signing_certificate"),
    delegate: decodeDelegate(fields),
    maxValidity: decodeMaxValidity(fields),
    choriaService: fields.flag("choria_service"),
    allowBearerTokens: fields.flag("allow_bearer_tokens"),
  };
}

function decodeDelegate(fields: Fields): CredentialFiles | undefined {
  const tokenFile = fields.text("signing_token");
  const seedFile = fields.text("signing_seed");
  if (seedFile === "" && tokenFile === "") return undefined;
  if (tokenFile === "") throw fields.error("signing_token", "is required beside signing_seed");
  if (seedFile === "") throw fields.error("signing_seed", "is required beside signing_token");
  return { tokenFile, seedFile };
}

function decodeMaxValidity(fields: Fields): number {
  const text = fields.text("max_validity");
  if (text === "") throw fields.error("max_validity", "max_validity is required");
  try {
    const validity = parseDuration(text, { units: "go" });
    if (validity > 0) return validity;
  } catch (error) {
    throw fields.error("max_validity", `invalid max_validity duration: ${errorText(error)}`);
  }
  throw fields.error("max_validity", "invalid max_validity duration: it must be more than nothing");
}
