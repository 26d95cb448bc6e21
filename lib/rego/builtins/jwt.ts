import type { Context } from "../context.ts";
import { parseJson } from "../json.ts";
import { jsonText } from "../text.ts";
import { isArray, RegoObject, type RegoValue, typeName } from "../values.ts";
import { decodeToken, isKnownAlgorithm, signText, type Token, verifyKey, verifySecret } from "./_jws.ts";
import { readKeys } from "./_keys.ts";
import { type Args, any, attempt, bad, type Family, fn, obj, operandError, str } from "./_kit.ts";
import { TIME } from "./time.ts";

function verified(token: Token, algorithm: string, keyText: string): boolean {
  const keys = readKeys(keyText);
  const id = token.header.get("kid");
  const named = keys.filter((each) => each.id !== undefined && each.id === id);
  const usable = named.length > 0 ? named : keys;
  return usable.some((each) => {
    const fits = each.algorithm === undefined || each.algorithm === algorithm;
    return fits && verifyKey(algorithm, each.key, token.signed, token.signature);
  });
}

function split(token: string): Token {
  const parts = token.split(".");
  if (parts.length !== 3)
    throw bad(
      parts.length === 1
        ? "encoded JWT had no period separators"
        : `encoded JWT must have 3 sections, found ${parts.length}`,
    );
  const [head = "", body = "", tail = ""] = parts;
  const header = attempt(() => parseJson(Buffer.from(head, "base64url").toString()));
  return {
    header: header instanceof RegoObject ? header : new RegoObject(),
    payload: null,
    payloadText: "",
    signature: Buffer.from(tail, "base64url"),
    signed: `${head}.${body}`,
  };
}

function verifier(algorithm: string): (args: Args) => boolean {
  return (args) => {
    const token = split(str(args, 0));
    const key = str(args, 1);
    if (algorithm.startsWith("HS")) return verifySecret(algorithm, key, token.signed, token.signature);
    return verified(token, algorithm, key);
  };
}

function decode(args: Args): RegoValue {
  const { header, payload, signature } = decodeToken(str(args, 0));
  return [header, payload, signature.toString("hex")];
}

const REFUSED: RegoValue = [false, new RegoObject(), new RegoObject()];
const CONSTRAINTS = ["cert", "secret", "alg", "iss", "time", "aud"];

function decodeVerify(args: Args, c: Context): RegoValue {
  const constraints = obj(args, 1);
  for (const key of constraints.keys()) {
    if (typeof key !== "string" || !CONSTRAINTS.includes(key))
      throw bad(`unknown token validation constraint: ${String(key)}`);
  }
  const token = decodeToken(str(args, 0));
  if (!signatureHolds(token, constraints)) return REFUSED;
  const { header, payload } = token;
  if (!(payload instanceof RegoObject)) throw bad("JWT payload is not a JSON object");
  return claimsHold(payload, constraints, c) ? [true, header, payload] : REFUSED;
}

function signatureHolds(token: Token, constraints: RegoObject): boolean {
  const [cert, secret] = [constraints.get("cert"), constraints.get("secret")];
  if ((cert === undefined) === (secret === undefined))
    throw bad("exactly one of cert and secret is needed to verify a token");
  const algorithm = token.header.get("alg");
  if (typeof algorithm !== "string" || !isKnownAlgorithm(algorithm) || token.header.get("crit") !== undefined)
    return false;
  const wanted = constraints.get("alg");
  if (wanted !== undefined && wanted !== algorithm) return false;
  const symmetric = algorithm.startsWith("HS");
  if (symmetric !== (secret !== undefined)) return false;
  if (typeof secret === "string") return verifySecret(algorithm, secret, token.signed, token.signature);
  if (typeof cert !== "string") throw operandError(1, "object with string keys", typeName(cert ?? secret ?? null));
  return verified(token, algorithm, cert);
}

function claimsHold(payload: RegoObject, constraints: RegoObject, c: Context): boolean {
  const issuer = constraints.get("iss");
  if (issuer !== undefined && payload.get("iss") !== issuer) return false;
  if (!audienceHolds(payload.get("aud"), constraints.get("aud"))) return false;
  const wanted = constraints.get("time");
  const given = wanted === undefined ? TIME["time.now_ns"]?.code([], c) : wanted;
  if (typeof given !== "number" && typeof given !== "bigint") throw bad("time value must be a number");
  const seconds = Number(given) / 1e9;
  const [expiry, start] = [numeric(payload, "exp"), numeric(payload, "nbf")];
  return (expiry === undefined || seconds < expiry) && (start === undefined || seconds >= start);
}

function audienceHolds(claimed: RegoValue | undefined, wanted: RegoValue | undefined): boolean {
  if (claimed === undefined || wanted === undefined) return claimed === wanted;
  return isArray(claimed) ? claimed.includes(wanted) : claimed === wanted;
}

function numeric(payload: RegoObject, name: string): number | undefined {
  const value = payload.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== "number" && typeof value !== "bigint") throw bad(`${name} value must be a number`);
  return Number(value);
}

/** The header of a token; one that does not even begin like JSON is left to be found without an algorithm. */
function readHeader(text: string): RegoValue | undefined {
  const parsed = attempt(() => parseJson(text));
  if (parsed === undefined && /^\s*(?:[{["]|$)/.test(text)) {
    const reason = text.trim() === "" ? "cannot parse empty string" : "it is not JSON";
    throw bad(`missing or invalid 'alg' header: cannot parse JSON: ${reason}`);
  }
  return parsed;
}

function encodeSign(header: string, payload: string, key: RegoValue): string {
  const parsed = readHeader(header);
  const algorithm = parsed instanceof RegoObject ? parsed.get("alg") : undefined;
  if (typeof algorithm !== "string") throw bad(`missing or invalid 'alg' header: jwsbb: header "alg" not found`);
  if (!isKnownAlgorithm(algorithm)) throw bad(`unknown JWS algorithm: ${algorithm}`);
  const kind = parsed instanceof RegoObject ? parsed.get("typ") : undefined;
  if ((kind === undefined || kind === "JWT") && attempt(() => parseJson(payload)) === undefined) {
    throw bad("type is JWT but payload is not JSON");
  }
  const signed = `${Buffer.from(header).toString("base64url")}.${Buffer.from(payload).toString("base64url")}`;
  return `${signed}.${signText(algorithm, key, signed).toString("base64url")}`;
}

function rawKey(text: string): RegoValue {
  const key = attempt(() => parseJson(text));
  if (key === undefined) throw bad("failed to parse JWK");
  return key;
}

const VERIFIERS = ["rs", "ps", "es", "hs"].flatMap((kind) => ["256", "384", "512"].map((size) => kind + size));

/** JSON web tokens. */
export const JWT: Family = {
  "io.jwt.decode": fn(1, decode),
  "io.jwt.decode_verify": fn(2, decodeVerify),
  ...Object.fromEntries(VERIFIERS.map((name) => [`io.jwt.verify_${name}`, fn(2, verifier(name.toUpperCase()))])),
  "io.jwt.verify_eddsa": fn(2, verifier("EdDSA")),
  "io.jwt.encode_sign": fn(3, (a) => encodeSign(jsonText(obj(a, 0)), jsonText(any(a, 1)), any(a, 2))),
  "io.jwt.encode_sign_raw": fn(3, (a) => encodeSign(str(a, 0), str(a, 1), rawKey(str(a, 2)))),
};
