import type { JsonObject } from "../std/mod.ts";
import type { ProvisioningClaims } from "../tokens/mod.ts";

/** Claims of a provisioning token in the order in which helpers get them; absent ones stay absent. */
export function claimsDocument(claims: ProvisioningClaims): JsonObject {
  const { cht, chs, chu, chsrv, chpd, chrd, chf, chusr, chpwd, extensions, ou, v2, update } = claims;
  const { purpose, tcs, public_key, issexp, iss, sub, exp, nbf, iat, jti } = claims;
  const own = { cht, chs, chu, chsrv, chpd, chrd, chf, chusr, chpwd, extensions, ou, v2, update };
  const document: JsonObject = { ...own, purpose, tcs, public_key, issexp, iss, sub, exp, nbf, iat, jti };
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}
