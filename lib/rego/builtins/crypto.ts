import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { type Args, type Builtin, type Family, fn, str } from "./_kit.ts";

function hash(name: string): Builtin {
  return fn(1, (args) => createHash(name).update(str(args, 0)).digest("hex"));
}

function hmac(name: string): Builtin {
  return fn(2, (args) => createHmac(name, str(args, 1)).update(str(args, 0)).digest("hex"));
}

function sameText(args: Args): boolean {
  const [a, b] = [Buffer.from(str(args, 0)), Buffer.from(str(args, 1))];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Digests. */
export const CRYPTO: Family = {
  "crypto.md5": hash("md5"),
  "crypto.sha1": hash("sha1"),
  "crypto.sha256": hash("sha256"),
  "crypto.hmac.md5": hmac("md5"),
  "crypto.hmac.sha1": hmac("sha1"),
  "crypto.hmac.sha256": hmac("sha256"),
  "crypto.hmac.sha512": hmac("sha512"),
  "crypto.hmac.equal": fn(2, sameText),
};
