import { hkdfSync } from "node:crypto";
import {
  generateNkey,
  type KeyPair,
  keyFromSeed,
  type Nkey,
  type NkeyKind,
  nkeyFromKey,
  sha256Hex,
} from "../crypto/mod.ts";

/** The keys by which nats-server and our responder know each other. They live in memory only. */
export interface CalloutKeys {
  /** Account in which logins are asked about. */
  account: string;
  /** Signs the answers. */
  issuer: Nkey;
  /** The responder's user in that account; being an nkey it also makes nats-server send a nonce to everybody. */
  responder: Nkey;
  /** Our own user in account `choria`, for streams and adapters. */
  internal: Nkey;
}

/** Which brokers answer which logins. */
export interface CalloutScope {
  identity: string;
  /** Whether other brokers are connected by routes. */
  isCluster: boolean;
  /** `plugin.choria.network.peer_secret`; empty for none. */
  peerSecret: string;
}

/** Shorter secrets could be guessed, and whoever guesses one may answer logins. */
const shortestSecret = 32;

/**
 * Make the keys of a broker.
 *
 * Brokers that share a secret derive one issuer from it, so that each may answer the logins of all. Without one
 * every broker has an account and keys of its own, and answers its own logins only: nothing that the brokers of a
 * cluster share anyway, such as the provisioner's password, is secret enough to derive keys from.
 *
 * @throws {Error} when the secret is too short.
 */
export function calloutKeys(scope: CalloutScope): CalloutKeys {
  const { identity, isCluster, peerSecret } = scope;
  const own = { responder: generateNkey("user"), internal: generateNkey("user") };
  if (peerSecret === "") {
    // Accounts of one name are one account across the cluster.
    const account = isCluster ? `AUTH-${sha256Hex(identity).slice(0, 16)}` : "AUTH";
    return { account, issuer: generateNkey("account"), ...own };
  }
  if (peerSecret.length < shortestSecret) {
    throw new Error(
      `Cannot use plugin.choria.network.peer_secret: it has ${peerSecret.length} characters, at least ${shortestSecret} are needed`,
    );
  }
  return { account: "AUTH", issuer: derive("account", peerSecret, "callout issuer"), ...own };
}

/** The authority by which brokers that share a secret know each other's certificates. */
export function routeAuthority(peerSecret: string): KeyPair {
  return keyFromSeed(bytes(peerSecret, "route authority").toHex());
}

/** Password by which brokers that share a secret know each other's routes. */
export function routePassword(peerSecret: string): string {
  return bytes(peerSecret, "route password").toHex();
}

function derive(kind: NkeyKind, secret: string, purpose: string): Nkey {
  return nkeyFromKey(kind, keyFromSeed(bytes(secret, purpose).toHex()));
}

function bytes(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "choria broker peers", purpose, 32));
}
