import { decodeBase64Url } from "../crypto/mod.ts";
import { isObject, isStringList, type JsonObject } from "../std/mod.ts";
import {
  type Claims,
  type ClientClaims,
  type ClientPermissions,
  clientPermissionNames,
  type ProvisioningClaims,
  type ServerClaims,
  type ServerPermissions,
  type SignedClaims,
  serverPermissionNames,
  type TokenPurpose,
} from "./claims.ts";
import { TokenError } from "./error.ts";

/** Longest token that is looked at, in characters: far above any policy, far below what hurts. */
const maxTokenLength = 512 * 1024;

/** A token taken apart, with nothing checked beyond its form. */
export interface ParsedToken {
  /** The token without white space around it and line ends within. */
  text: string;
  /** `alg` of its header. */
  algorithm: string;
  /** Whether its header names nothing that whoever verifies must understand (`crit`). */
  isPlain: boolean;
  /** Every claim as it stands in the token. */
  raw: JsonObject;
}

/**
 * Take a JWT apart without believing it.
 *
 * White space around it is passed over: a token file with a final newline is still a token.
 * @throws {TokenError} when it is not a JWT with a JSON object inside.
 */
export function parseToken(token: string): ParsedToken {
  const text = token.trim().replace(/[\r\n]/g, "");
  if (text.length > maxTokenLength) throw new TokenError("token is malformed: it is longer than 512 KiB");
  const parts = text.split(".");
  if (parts.length !== 3) throw new TokenError("token contains an invalid number of segments");
  const header = parsePart(parts[0] ?? "", "header");
  if (typeof header.alg !== "string") throw new TokenError("token is malformed: its header names no algorithm");
  const isPlain = header.crit === undefined;
  return { text, algorithm: header.alg, isPlain, raw: parsePart(parts[1] ?? "", "claims") };
}

/** What a token says it is for; a provisioning token may say so in `sub` alone. */
export function purposeOf(raw: JsonObject): TokenPurpose | undefined {
  if (raw.purpose === "choria_provisioning" || raw.sub === "choria_provisioning") return "choria_provisioning";
  if (raw.purpose === "choria_client_id" || raw.purpose === "choria_server") return raw.purpose;
  return undefined;
}

/**
 * Give claims their types.
 * @throws {TokenError} when a claim has another type than it must, or the purpose is unknown.
 */
export function decodeClaims(raw: JsonObject): Claims {
  switch (purposeOf(raw)) {
    case "choria_client_id":
      return decodeClientClaims(raw);
    case "choria_server":
      return decodeServerClaims(raw);
    case "choria_provisioning":
      return decodeProvisioningClaims(raw);
    default:
      throw new TokenError(`unknown token purpose ${JSON.stringify(raw.purpose ?? null)}`);
  }
}

/** The claims of a token, read without checking who signed it: for display and for finding the issuer. */
export function decodeTokenUnverified(token: string): Claims {
  return decodeClaims(parseToken(token).raw);
}

function decodeClientClaims(raw: JsonObject): ClientClaims {
  return {
    ...decodeSignedClaims(raw),
    purpose: "choria_client_id",
    callerid: text(raw, "callerid") ?? "",
    ...optional("agents", list(raw, "agents")),
    ...optional("ou", text(raw, "ou")),
    ...optional("user_properties", properties(raw)),
    ...optional("opa_policy", text(raw, "opa_policy")),
    ...optional("permissions", flags<ClientPermissions>(raw, clientPermissionNames)),
    ...optional("pub_subjects", list(raw, "pub_subjects")),
    ...optional("sub_subjects", list(raw, "sub_subjects")),
  };
}

function decodeServerClaims(raw: JsonObject): ServerClaims {
  return {
    ...decodeSignedClaims(raw),
    purpose: "choria_server",
    identity: text(raw, "identity") ?? "",
    collectives: list(raw, "collectives") ?? [],
    ...optional("permissions", flags<ServerPermissions>(raw, serverPermissionNames)),
    ...optional("ou", text(raw, "ou")),
    ...optional("pub_subjects", list(raw, "pub_subjects")),
  };
}

function decodeProvisioningClaims(raw: JsonObject): ProvisioningClaims {
  const extensions = raw.extensions ?? null;
  if (extensions !== null && !isObject(extensions)) throw wrongType("extensions", "an object");
  return {
    ...decodeSignedClaims(raw),
    purpose: "choria_provisioning",
    cht: text(raw, "cht") ?? "",
    chs: flag(raw, "chs") ?? false,
    ...optional("chu", text(raw, "chu")),
    ...optional("chsrv", text(raw, "chsrv")),
    chpd: flag(raw, "chpd") ?? false,
    ...optional("chrd", text(raw, "chrd")),
    ...optional("chf", text(raw, "chf")),
    ...optional("chusr", text(raw, "chusr")),
    ...optional("chpwd", text(raw, "chpwd")),
    extensions,
    ou: text(raw, "ou") ?? "choria",
    ...optional("v2", flag(raw, "v2")),
    ...optional("update", flag(raw, "update")),
  };
}

/**
 * Give types to the claims that every token may carry, whatever it is for.
 * @throws {TokenError} when one has another type than it must.
 */
export function decodeSignedClaims(raw: JsonObject): SignedClaims {
  return {
    ...optional("tcs", text(raw, "tcs")),
    ...optional("public_key", text(raw, "public_key")),
    ...optional("issexp", seconds(raw, "issexp")),
    ...optional("iss", text(raw, "iss")),
    ...optional("sub", text(raw, "sub")),
    ...optional("exp", seconds(raw, "exp")),
    ...optional("nbf", seconds(raw, "nbf")),
    ...optional("iat", seconds(raw, "iat")),
    ...optional("jti", text(raw, "jti")),
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

function text(raw: JsonObject, key: string): string | undefined {
  const value = raw[key] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw wrongType(key, "a string");
}

function flag(raw: JsonObject, key: string): boolean | undefined {
  const value = raw[key] ?? undefined;
  if (value === undefined || typeof value === "boolean") return value;
  throw wrongType(key, "true or false");
}

function seconds(raw: JsonObject, key: string): number | undefined {
  const value = raw[key] ?? undefined;
  if (value === undefined || (typeof value === "number" && Number.isFinite(value))) return value;
  throw wrongType(key, "a number of seconds");
}

function list(raw: JsonObject, key: string): string[] | undefined {
  const value = raw[key] ?? undefined;
  if (value === undefined || isStringList(value)) return value;
  throw wrongType(key, "a list of strings");
}

function properties(raw: JsonObject): Record<string, string> | undefined {
  const value = raw.user_properties ?? undefined;
  if (value === undefined) return undefined;
  if (!isObject(value)) throw wrongType("user_properties", "an object of strings");
  const entries = Object.entries(value).map(([key, item]): [string, string] => {
    if (typeof item !== "string") throw wrongType("user_properties", "an object of strings");
    return [key, item];
  });
  return Object.fromEntries(entries);
}

function flags<T extends object>(raw: JsonObject, names: readonly string[]): T | undefined {
  const value = raw.permissions ?? undefined;
  if (value === undefined) return undefined;
  if (!isObject(value)) throw wrongType("permissions", "an object of true and false");
  const entries = names.filter((name) => flag(value, name) === true).map((name) => [name, true]);
  return Object.fromEntries(entries) as T;
}

function wrongType(key: string, expected: string): TokenError {
  return new TokenError(`token is malformed: the claim ${key} must be ${expected}`);
}

function parsePart(part: string, what: string): JsonObject {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined) throw new TokenError(`token is malformed: could not base64 decode ${what}`);
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (isObject(value)) return value;
  } catch {
    // Told below, together with what parses to something else than an object.
  }
  throw new TokenError(`token is malformed: its ${what} are not a JSON object`);
}
