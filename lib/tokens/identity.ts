import { md5Hex } from "../crypto/mod.ts";
import type { Claims } from "./claims.ts";

/** The name by which a token's holder is known: a client's caller id or a server's identity; undefined for provisioning tokens. */
export function holderOf(claims: Claims): string | undefined {
  if (claims.purpose === "choria_client_id") return claims.callerid;
  return claims.purpose === "choria_server" ? claims.identity : undefined;
}

/** The id of somebody's private subjects on the network: MD5 hex of the caller id or identity. */
export function privateNetworkId(holder: string): string {
  return md5Hex(holder);
}
