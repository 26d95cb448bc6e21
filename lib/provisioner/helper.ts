import { isObject, isStringList, type JsonObject } from "../std/mod.ts";
import type { ServerPermissions } from "../tokens/mod.ts";

/** What a helper is told about a node: one JSON document on its stdin. */
export interface HelperRequest {
  identity: string;
  /** Certificate signing request; null unless certificates are asked for. */
  csr: { csr: string; public_key: string; ssldir: string } | null;
  /** The node's new key; null unless keys are given. */
  ed25519_pubkey: { public_key: string; directory: string; signature: string } | null;
  /** What `rpcutil#inventory` said: JSON as text, keys sorted. */
  inventory: string;
  /** Claims of the node's provisioning token; null unless tokens are asked for. */
  jwt: JsonObject | null;
}

/** What a helper wants to stand in a node's token. */
export interface HelperServerClaims {
  /** Lifetime in seconds, or, where it is too large for one, when the token ends as Unix time. */
  exp?: number;
  collectives?: string[];
  ou?: string;
  permissions?: ServerPermissions;
  pub_subjects?: string[];
}

/** What a helper decides about a node: one JSON document on its stdout. */
export interface HelperReply {
  /** Try this node again later. */
  defer: boolean;
  /** Shut this node down. */
  shutdown: boolean;
  /** Said in the log. */
  msg: string;
  /** The node's settings. */
  configuration: Record<string, string>;
  server_claims?: HelperServerClaims;
  action_policies: Record<string, string>;
  opa_policies: Record<string, string>;
  key: string;
  certificate: string;
  ca: string;
  ssldir: string;
  /** Version that the node is to have. */
  upgrade: string;
}

/** Decides about nodes. */
export interface Helper {
  /**
   * Ask about one node.
   *
   * @param signal Calls the question off.
   * @throws {Error} `could not invoke configure helper: …`.
   */
  ask(request: HelperRequest, signal?: AbortSignal): Promise<HelperReply>;
}

/** What stands in front of everything that goes wrong with a helper. */
export function helperError(reason: string, cause?: unknown): Error {
  return new Error(`could not invoke configure helper: ${reason}`, { cause });
}

/** Write a request as helpers read it. */
export function encodeHelperRequest(request: HelperRequest): string {
  const { identity, csr, ed25519_pubkey, inventory, jwt } = request;
  return JSON.stringify({ identity, csr, ed25519_pubkey, inventory, jwt });
}

/**
 * JSON with the keys of every object sorted, as helpers get inventories.
 */
export function encodeSorted(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (!isObject(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/**
 * Read what a helper printed or gave back. Names of its keys are taken in any case; those that are not known mean
 * nothing.
 *
 * @throws {TypeError} naming the key whose value has another type than it must.
 */
export function decodeHelperReply(value: unknown): HelperReply {
  if (!isObject(value)) throw new TypeError(`expected an object, found ${kindOf(value)}`);
  const raw = new Map(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]));
  const claims = raw.get("server_claims") ?? undefined;
  return {
    defer: flag(raw, "defer"),
    shutdown: flag(raw, "shutdown"),
    msg: text(raw, "msg"),
    configuration: texts(raw, "configuration"),
    ...(claims === undefined ? {} : { server_claims: decodeServerClaims(claims) }),
    action_policies: texts(raw, "action_policies"),
    opa_policies: texts(raw, "opa_policies"),
    key: text(raw, "key"),
    certificate: text(raw, "certificate"),
    ca: text(raw, "ca"),
    ssldir: text(raw, "ssldir"),
    upgrade: text(raw, "upgrade"),
  };
}

function decodeServerClaims(value: unknown): HelperServerClaims {
  if (!isObject(value)) throw wrong("server_claims", "an object", value);
  const { exp, collectives, ou, pub_subjects, permissions } = value;
  return {
    ...(absent(exp) ? {} : { exp: claim(exp, isFiniteNumber, "exp", "a number of seconds") }),
    ...(absent(ou) ? {} : { ou: claim(ou, isText, "ou", "a string") }),
    ...(absent(collectives) ? {} : { collectives: claim(collectives, isStringList, "collectives", "strings") }),
    ...(absent(pub_subjects) ? {} : { pub_subjects: claim(pub_subjects, isStringList, "pub_subjects", "strings") }),
    ...(absent(permissions) ? {} : { permissions: claim(permissions, isFlags, "permissions", "true and false") }),
  };
}

function claim<T>(value: unknown, is: (value: unknown) => value is T, name: string, expected: string): T {
  if (is(value)) return value;
  throw wrong(`server_claims.${name}`, expected, value);
}

const absent = (value: unknown): value is null | undefined => value === null || value === undefined;
const isText = (value: unknown): value is string => typeof value === "string";
const isFiniteNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function isFlags(value: unknown): value is ServerPermissions {
  return isObject(value) && Object.values(value).every((item) => typeof item === "boolean");
}

function flag(raw: ReadonlyMap<string, unknown>, key: string): boolean {
  const value = raw.get(key) ?? false;
  if (typeof value === "boolean") return value;
  throw wrong(key, "true or false", value);
}

function text(raw: ReadonlyMap<string, unknown>, key: string): string {
  const value = raw.get(key) ?? "";
  if (typeof value === "string") return value;
  throw wrong(key, "a string", value);
}

function texts(raw: ReadonlyMap<string, unknown>, key: string): Record<string, string> {
  const value = raw.get(key) ?? {};
  if (!isObject(value)) throw wrong(key, "an object of strings", value);
  const entries = Object.entries(value).map(([name, item]): [string, string] => {
    if (typeof item !== "string") throw wrong(`${key}["${name}"]`, "a string", item);
    return [name, item];
  });
  return Object.fromEntries(entries);
}

function wrong(key: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${key} must be ${expected}, found ${kindOf(value)}`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`.replace("a object", "an object");
}
