import type { Config } from "../config/mod.ts";
import { issuedCertificate } from "../crypto/mod.ts";
import { routeAuthority } from "./callout_keys.ts";
import { routeNames } from "./peers.ts";

/** Names of the files of the certificate that a broker shows to other brokers. */
export const routeFileNames = { cert_file: "route.crt", key_file: "route.key", ca_file: "route-ca.crt" } as const;

/** A certificate is made at each start, and lasts longer than any broker runs. */
const days = 3_650;

/**
 * The files of a certificate for links to other brokers, by name. Brokers that share a secret are the authority that
 * vouches for it; without a secret links are not encrypted, as those of the original are not, and there are no files.
 */
export async function routeCertificateFiles(
  config: Config,
  identity: string,
  peers: readonly string[],
): Promise<Record<string, string>> {
  const secret = config.get("plugin.choria.network.peer_secret");
  if (secret === "" || peers.length === 0) return {};
  const alternatives = routeNames(peers, identity);
  const made = await issuedCertificate(routeAuthority(secret), { name: identity, alternatives, days });
  return {
    [routeFileNames.cert_file]: made.certificate,
    [routeFileNames.key_file]: made.privateKey,
    [routeFileNames.ca_file]: made.authority,
  };
}
