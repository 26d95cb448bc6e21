import { constants, createHmac, createPrivateKey, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";
import { parseJson } from "../json.ts";
import { RegoObject, type RegoValue } from "../values.ts";
import { attempt, bad } from "./_kit.ts";

/** A token taken apart, not verified. */
export interface Token {
  readonly header: RegoObject;
  readonly payload: RegoValue;
  readonly payloadText: string;
  readonly signature: Buffer;
  /** What the signature is over. */
  readonly signed: string;
}

const ALGORITHM = /^(HS|RS|PS|ES)(256|384|512)$/;

/** Whether an algorithm is one that can be checked. */
export function isKnownAlgorithm(name: string): boolean {
  return ALGORITHM.test(name) || name === "EdDSA";
}

function section(text: string, what: string): Buffer {
  const wrong = /[^A-Za-z0-9_-]/.exec(text.replace(/={1,2}$/, ""));
  if (wrong !== null) throw bad(`JWT ${what} had invalid encoding: illegal base64 data at input byte ${wrong.index}`);
  return Buffer.from(text, "base64url");
}

/** Takes a token apart; a payload that is a token itself is taken apart in its place. */
export function decodeToken(token: string, depth = 0): Token {
  const parts = token.split(".");
  if (parts.length === 1) throw bad("encoded JWT had no period separators");
  if (parts.length !== 3) throw bad(`encoded JWT must have 3 sections, found ${parts.length}`);
  const [head = "", body = "", tail = ""] = parts;
  const header = attempt(() => parseJson(section(head, "header").toString()));
  if (!(header instanceof RegoObject)) {
    section(head, "header");
    throw bad("JWT header is not a JSON object");
  }
  if (header.get("enc") !== undefined) throw bad("JWT is a JWE object, which is not supported");
  const payloadText = section(body, "payload").toString();
  const signature = section(tail, "signature");
  if (header.get("cty") === "JWT" && depth < 8) {
    const inner = attempt(() => parseJson(payloadText));
    return decodeToken(typeof inner === "string" ? inner : payloadText, depth + 1);
  }
  const payload = attempt(() => parseJson(payloadText));
  if (payload === undefined) throw bad("JWT payload is not JSON");
  return { header, payload, payloadText, signature, signed: `${head}.${body}` };
}

/** Whether a signature over a text is that of an HMAC secret. */
export function verifySecret(algorithm: string, secret: string | Buffer, signed: string, signature: Buffer): boolean {
  const digest = createHmac(`sha${algorithm.slice(2)}`, secret)
    .update(signed)
    .digest();
  return digest.length === signature.length && timingSafeEqual(digest, signature);
}

/** Whether a signature over a text is that of a public key, for the given algorithm. */
export function verifyKey(algorithm: string, key: KeyObject, signed: string, signature: Buffer): boolean {
  const data = Buffer.from(signed);
  return attempt(() => verifyWith(algorithm, key, data, signature)) ?? false;
}

function pssOptions(key: KeyObject) {
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

function verifyWith(algorithm: string, key: KeyObject, data: Buffer, signature: Buffer): boolean {
  const hash = `sha${algorithm.slice(2)}`;
  const kind = key.asymmetricKeyType;
  if (algorithm === "EdDSA") return kind === "ed25519" && verify(null, data, key, signature);
  switch (algorithm.slice(0, 2)) {
    case "RS":
      return kind === "rsa" && verify(hash, data, key, signature);
    case "PS":
      return kind === "rsa" && verify(hash, data, pssOptions(key), signature);
    case "ES":
      return kind === "ec" && verify(hash, data, { key, dsaEncoding: "ieee-p1363" }, signature);
    default:
      return false;
  }
}

/** Signs a text with a JSON web key. */
export function signText(algorithm: string, jwk: RegoValue, text: string): Buffer {
  if (!isKnownAlgorithm(algorithm)) throw bad(`unknown JWS algorithm: ${algorithm}`);
  if (!(jwk instanceof RegoObject)) throw bad("failed to parse JWK");
  const data = Buffer.from(text);
  if (algorithm.startsWith("HS")) {
    const secret = jwk.get("k");
    if (jwk.get("kty") !== "oct" || typeof secret !== "string") throw bad("failed to parse JWK: want a symmetric key");
    return createHmac(`sha${algorithm.slice(2)}`, Buffer.from(secret, "base64url"))
      .update(text)
      .digest();
  }
  const plain = Object.fromEntries(jwk.entries());
  const key = attempt(() => createPrivateKey({ key: plain, format: "jwk" }));
  if (key === undefined) throw bad("failed to parse JWK: want a private key");
  const hash = `sha${algorithm.slice(2)}`;
  if (algorithm === "EdDSA") return sign(null, data, key);
  if (algorithm.startsWith("PS")) return sign(hash, data, pssOptions(key));
  return sign(hash, data, algorithm.startsWith("ES") ? { key, dsaEncoding: "ieee-p1363" } : key);
}
