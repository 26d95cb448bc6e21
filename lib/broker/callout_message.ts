import { decodeNatsJwt, decodeNatsJwtUnverified, encodeNatsJwt, type Nkey } from "../crypto/mod.ts";
import type { SubjectRules } from "../permissions/mod.ts";
import { decodeUtf8, isObject, type JsonObject } from "../std/mod.ts";
import type { Admission, LoginRequest, Verdict } from "./login.ts";

/** A question of nats-server about a login. */
export interface CalloutRequest {
  /** Id of the server that asks, which the answer is addressed to. */
  serverId: string;
  /** Stands for the connection in this one answer. */
  userNkey: string;
  login: LoginRequest;
}

const audience = "nats-authorization-request";
/** Versions of the claims that nats-server writes and reads. */
const claimsVersion = 2;

/** How {@link decodeCalloutRequest} reads. */
export interface CalloutRequestOptions {
  /**
   * Leave the signature unchecked. It proves that the answer goes to the server that asks, by a key that this server
   * itself has chosen: where our own nats-server is the only one that can ask, it proves nothing.
   * @default false
   */
  isFromOwnServer?: boolean;
}

/**
 * Read a request of nats-server's auth callout (a NATS JWT) and check its signature.
 *
 * @returns undefined for whatever is not one.
 */
export function decodeCalloutRequest(
  data: Uint8Array,
  { isFromOwnServer = false }: CalloutRequestOptions = {},
): CalloutRequest | undefined {
  const claims = decodeJwt(data, isFromOwnServer ? decodeNatsJwtUnverified : decodeNatsJwt);
  if (claims?.aud !== audience || !isObject(claims.nats)) return undefined;
  const { server_id, user_nkey, client_info, connect_opts, client_tls } = claims.nats;
  if (!isObject(server_id) || !isObject(client_info) || !isObject(connect_opts)) return undefined;
  const serverId = text(server_id, "id");
  if (serverId === "" || serverId !== claims.iss || typeof user_nkey !== "string" || user_nkey === "") return undefined;
  return {
    serverId,
    userNkey: user_nkey,
    login: {
      host: text(client_info, "host"),
      kind: text(client_info, "kind"),
      connection: text(connect_opts, "name"),
      hasTls: isObject(client_tls),
      nonce: text(client_info, "nonce"),
      signature: text(connect_opts, "sig"),
      token: text(connect_opts, "auth_token"),
      user: text(connect_opts, "user"),
      password: text(connect_opts, "pass"),
    },
  };
}

/**
 * Write the answer to a callout: a user of an account with its permissions, or an error, of which the peer learns
 * nothing.
 *
 * @param now Milliseconds since the epoch.
 */
export function encodeCalloutResponse(request: CalloutRequest, verdict: Verdict, issuer: Nkey, now: number): string {
  const { serverId, userNkey } = request;
  const answer = verdict.isAllowed
    ? { jwt: userJwt(userNkey, verdict, issuer, now) }
    : { error: verdict.reason.slice(0, 200) };
  const claims = {
    ...common(issuer, userNkey, serverId, now),
    nats: { ...answer, type: "authorization_response", version: claimsVersion },
  };
  return encodeNatsJwt(claims, issuer);
}

function userJwt(userNkey: string, { name, permissions, expires }: Admission, issuer: Nkey, now: number): string {
  const { account, publish, subscribe } = permissions;
  const claims = {
    ...common(issuer, userNkey, account, now),
    name,
    ...(expires === undefined ? {} : { exp: expires }),
    nats: {
      pub: rules(publish),
      sub: rules(subscribe),
      subs: -1,
      data: -1,
      payload: -1,
      type: "user",
      version: claimsVersion,
    },
  };
  return encodeNatsJwt(claims, issuer);
}

function common(issuer: Nkey, sub: string, aud: string, now: number): JsonObject {
  return { jti: sub, iat: Math.floor(now / 1_000), iss: issuer.publicKey, sub, aud };
}

function rules({ allow, deny }: SubjectRules = { allow: [], deny: [] }): JsonObject {
  return { ...(allow.length > 0 ? { allow } : {}), ...(deny.length > 0 ? { deny } : {}) };
}

function decodeJwt(data: Uint8Array, decode: typeof decodeNatsJwt): JsonObject | undefined {
  try {
    return decode(decodeUtf8(data));
  } catch {
    return undefined;
  }
}

function text(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === "string" ? value : "";
}
