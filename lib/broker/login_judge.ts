import { decodeBase64Url, equalSecrets, verifySignature } from "../crypto/mod.ts";
import {
  clientPermissions,
  type Permissions,
  serverPermissions,
  unlimitedPermissions,
  unprovisionedPermissions,
} from "../permissions/mod.ts";
import { type Clock, encodeUtf8, errorText, type JsonObject } from "../std/mod.ts";
import {
  type ClientClaims,
  expiryOf,
  type ParsedToken,
  parseToken,
  purposeOf,
  type ServerClaims,
  type StandardClaims,
  TokenVerifier,
  type VerifyKey,
} from "../tokens/mod.ts";
import type { Admission, LoginRequest, Verdict } from "./login.ts";
import type { LoginPolicy } from "./login_policy.ts";

/** The one who hands out configurations logs in under this name; it cannot be changed. */
const provisioner = "provisioner";
const unprovisioned = "unprovisioned";
/** A fleet that returns after an outage shows a few thousand tokens, most of them more than once. */
const rememberedTokens = 4_096;
/** A century in seconds: nats-server's timers overflow some time after, and would close such a session at once. */
const longestTimer = 3_155_760_000;

/**
 * Decides about logins: the provisioner and the system user by password and token, clients and servers by token and
 * a signature over the nonce, servers that are not provisioned yet by their provisioning token.
 */
export class LoginJudge {
  /** Replaced when the configuration is read anew. */
  policy: LoginPolicy;
  readonly #clock: Clock;
  readonly #tokens: TokenVerifier;

  constructor(policy: LoginPolicy, clock: Clock) {
    this.policy = policy;
    this.#clock = clock;
    this.#tokens = new TokenVerifier(clock, rememberedTokens);
  }

  /** Decide about a login. Never throws: whatever goes wrong is a refusal. */
  async judge(login: LoginRequest): Promise<Verdict> {
    try {
      return await this.#admit(login);
    } catch (error) {
      return { isAllowed: false, reason: errorText(error) };
    }
  }

  #admit(login: LoginRequest): Promise<Admission> {
    const { systemUser } = this.policy;
    if (login.kind !== "Client") throw new Error(`only clients may log in, not a connection of kind ${login.kind}`);
    if (!login.hasTls) throw new Error("connection is not encrypted");
    if (login.user === provisioner) return this.#provisioner(login);
    if (systemUser !== "" && login.user === systemUser) return this.#system(login);
    return this.#tokenHolder(login);
  }

  async #provisioner(login: LoginRequest): Promise<Admission> {
    const { provisionerPassword, allowTokenlessProvisioner } = this.policy;
    if (provisionerPassword === "") throw new Error("provisioning user password not enabled");
    if (login.password === "") throw new Error("password required");
    if (!equalSecrets(login.password, provisionerPassword)) throw new Error("invalid provisioner password supplied");
    const permissions = unlimitedPermissions("provisioning");
    if (login.token === "") {
      if (!allowTokenlessProvisioner) throw new Error("no token provided in connection");
      return { isAllowed: true, name: provisioner, permissions };
    }
    const token = parseToken(login.token);
    const claims = await this.#tokens.verify(token, "choria_client_id", this.#issuer(token.raw));
    if (!claims.permissions?.provisioner) {
      throw new Error(`provisioner claim is false in token with caller id '${claims.callerid}'`);
    }
    // Peers of the original may leave the signature out; one that is sent has to be right.
    if (login.signature !== "") checkNonce(login, claims);
    return this.#admission(provisioner, permissions, claims);
  }

  async #system(login: LoginRequest): Promise<Admission> {
    const { systemUser, systemPassword } = this.policy;
    if (login.token === "") throw new Error("no JWT token received");
    const token = parseToken(login.token);
    if (purposeOf(token.raw) !== "choria_client_id") throw new Error("client token required");
    const claims = await this.#tokens.verify(token, "choria_client_id", this.#issuer(token.raw));
    if (!claims.permissions?.system_user && !claims.permissions?.org_admin) {
      throw new Error("no system_user or org_admin claim");
    }
    checkNonce(login, claims);
    if (systemPassword === "" || login.password === "" || !equalSecrets(login.password, systemPassword)) {
      throw new Error("invalid system credentials");
    }
    return this.#admission(systemUser, unlimitedPermissions("system"), claims);
  }

  #tokenHolder(login: LoginRequest): Promise<Admission> {
    if (login.token === "") throw new Error("unverified connection without JWT token");
    const token = parseToken(login.token);
    switch (purposeOf(token.raw)) {
      case "choria_client_id":
        return this.#client(login, token);
      case "choria_server":
        return this.#server(login, token);
      case "choria_provisioning":
        return this.#unprovisioned(token);
      default:
        throw new Error(`unknown token purpose ${JSON.stringify(token.raw.purpose ?? null).slice(0, 100)}`);
    }
  }

  async #client(login: LoginRequest, token: ParsedToken): Promise<Admission> {
    const claims = await this.#tokens.verify(token, "choria_client_id", this.#issuer(token.raw));
    if (claims.callerid === "") throw new Error("no callerid in client token");
    checkNonce(login, claims);
    return this.#admission(claims.callerid, clientPermissions(claims), claims);
  }

  async #server(login: LoginRequest, token: ParsedToken): Promise<Admission> {
    const claims = await this.#tokens.verify(token, "choria_server", this.#issuer(token.raw));
    if (claims.identity === "") throw new Error("no identity in server token");
    checkNonce(login, claims);
    const permissions = serverPermissions(claims, { denyConnections: this.policy.denyServers });
    return this.#admission(claims.identity, permissions, claims);
  }

  async #unprovisioned(token: ParsedToken): Promise<Admission> {
    const { provisionerPassword, provisioningSigner } = this.policy;
    if (provisionerPassword === "") throw new Error("provisioning is not enabled");
    const key = token.algorithm === "EdDSA" ? this.#issuer(token.raw) : provisioningSigner;
    if (key === undefined) throw new Error("provisioning signer certificate not configured");
    const claims = await this.#tokens.verify(token, "choria_provisioning", key);
    return this.#admission(unprovisioned, unprovisionedPermissions(), claims);
  }

  #issuer(raw: JsonObject): VerifyKey {
    const { ou } = raw;
    if (ou === undefined || ou === null) throw new Error("no ou claim in token");
    if (typeof ou !== "string") throw new Error("invalid ou in token");
    const key = this.policy.issuers.get(ou);
    if (key === undefined) throw new Error(`no issuer configured for ou '${ou.slice(0, 100)}'`);
    return { ed25519: key };
  }

  #admission(name: string, permissions: Permissions, claims: StandardClaims): Admission {
    const expires = this.policy.keepExpired ? undefined : expiryOf(claims);
    const isTimed = expires !== undefined && expires < this.#clock.now() / 1_000 + longestTimer;
    return { isAllowed: true, name, permissions, ...(isTimed ? { expires: Math.floor(expires) } : {}) };
  }
}

/** The peer must hold the key that its token names: a token alone could have been overheard. */
function checkNonce(login: LoginRequest, claims: ClientClaims | ServerClaims): void {
  if (login.signature === "") throw new Error("no nonce signature received");
  if (!claims.public_key) throw new Error("no public key found in token");
  if (login.nonce === "") throw new Error("no server generated nonce received");
  const signature = decodeBase64Url(login.signature);
  if (signature === undefined || !verifySignature(claims.public_key, encodeUtf8(login.nonce), signature)) {
    throw new Error("invalid nonce signature");
  }
}
