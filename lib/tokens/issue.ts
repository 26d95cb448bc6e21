import { newKsuid } from "../std/mod.ts";
import { type ChainClaims, type ChainKey, chainedClaims, chainIssuerClaims } from "./chain.ts";
import {
  type ClientClaims,
  type ClientPermissions,
  clientPermissionNames,
  defaultOrganization,
  type ProvisioningClaims,
  type ServerClaims,
  type ServerPermissions,
  type SignedClaims,
  type StandardClaims,
  serverPermissionNames,
  type TokenPurpose,
} from "./claims.ts";
import { TokenError } from "./error.ts";
import { signToken, type TokenSigner } from "./signer.ts";

/** Name of the issuer in tokens that an organization issuer signs. */
const packageIssuer = "Choria Tokens Package";
const defaultValidityMs = 3_600_000;

/** What every new token needs besides its own claims. */
export interface IssueOptions {
  /** Who signs. */
  signer: TokenSigner;
  /** Milliseconds since the epoch. */
  now: number;
  /** Lifetime in milliseconds; 0 or absent is one hour. */
  validity?: number;
  /** Text of `iss` where no trust chain sets it. */
  issuer?: string;
  /** Claims of the chain issuer on whose behalf the signer signs. */
  chainIssuer?: SignedClaims;
}

/** What a new client token says. */
export type NewClient = Pick<
  ClientClaims,
  "callerid" | "agents" | "ou" | "user_properties" | "opa_policy" | "pub_subjects" | "sub_subjects" | "public_key"
> & {
  permissions?: ClientPermissions;
  /** Make the holder a chain issuer; the signer must then be the organization's own key. */
  canIssue?: boolean;
};

/** What a new server token says. */
export type NewServer = Pick<ServerClaims, "identity" | "collectives" | "ou" | "pub_subjects" | "public_key"> & {
  permissions?: ServerPermissions;
};

/** What a new provisioning token says. */
export type NewProvisioning = Omit<ProvisioningClaims, keyof StandardClaims>;

/**
 * Make a client token.
 *
 * @throws {TokenError} when the signer or the chain issuer cannot issue it.
 */
export async function issueClientToken(client: NewClient, options: IssueOptions): Promise<string> {
  const standard = await standardClaims("choria_client_id", client.public_key, options);
  if (client.canIssue) Object.assign(standard, await issuerClaims(standard, options));
  const claims = {
    callerid: client.callerid,
    agents: nonEmpty(client.agents),
    ou: client.ou || defaultOrganization,
    user_properties: client.user_properties,
    opa_policy: client.opa_policy || undefined,
    permissions: onlyTrue(client.permissions, clientPermissionNames),
    pub_subjects: nonEmpty(client.pub_subjects),
    sub_subjects: nonEmpty(client.sub_subjects),
    ...inOrder(standard),
  };
  return signToken(claims, options.signer);
}

/**
 * Make a server token.
 * @throws {TokenError} when the chain issuer cannot issue it.
 */
export async function issueServerToken(server: NewServer, options: IssueOptions): Promise<string> {
  const claims = {
    identity: server.identity,
    collectives: server.collectives,
    permissions: onlyTrue(server.permissions, serverPermissionNames),
    ou: server.ou || defaultOrganization,
    pub_subjects: nonEmpty(server.pub_subjects),
    ...inOrder(await standardClaims("choria_server", server.public_key, options)),
  };
  return signToken(claims, options.signer);
}

/**
 * Make a provisioning token.
 * @throws {TokenError} `URLs or a SRV Domain is required` when it names no way to a broker.
 */
export async function issueProvisioningToken(node: NewProvisioning, options: IssueOptions): Promise<string> {
  if (!node.chu && !node.chsrv) throw new TokenError("URLs or a SRV Domain is required");
  const claims = {
    cht: node.cht,
    chs: node.chs,
    chu: node.chu || undefined,
    chsrv: node.chsrv || undefined,
    chpd: node.chpd,
    chrd: node.chrd || undefined,
    chf: node.chf || undefined,
    chusr: node.chusr || undefined,
    chpwd: node.chpwd || undefined,
    extensions: node.extensions,
    ou: node.ou || defaultOrganization,
    v2: node.v2 || undefined,
    update: node.update || undefined,
    ...inOrder({ ...(await standardClaims("choria_provisioning", undefined, options)), sub: "choria_provisioning" }),
  };
  return signToken(claims, options.signer);
}

async function standardClaims(
  purpose: TokenPurpose,
  publicKey: string | undefined,
  options: IssueOptions,
): Promise<StandardClaims> {
  const iat = Math.floor(options.now / 1_000);
  // Verifiers of a trust chain insist that the id was made in the second in which the token was.
  const jti = newKsuid(iat);
  const exp = iat + Math.floor((options.validity || defaultValidityMs) / 1_000);
  const base: StandardClaims = { purpose, iss: options.issuer ?? packageIssuer, exp, nbf: iat, iat, jti };
  if (publicKey) base.public_key = publicKey;
  if (options.chainIssuer === undefined) return base;
  const key = chainKey(options.signer, "a trust chain needs an ed25519 signing key");
  const chain = await chainedClaims(jti, options.chainIssuer, key);
  return { ...base, ...chain, exp: Math.min(exp, chain.issexp) };
}

function issuerClaims(standard: StandardClaims, options: IssueOptions): Promise<ChainClaims> {
  const key = chainKey(options.signer, "a chain issuer needs the ed25519 key of the organization issuer");
  return chainIssuerClaims(standard.jti ?? "", standard.public_key, key);
}

function chainKey(signer: TokenSigner, otherwise: string): ChainKey {
  const { publicKey } = signer;
  if (publicKey === undefined) throw new TokenError(otherwise);
  return { publicKey, sign: (data) => signer.sign(data) };
}

/** Standard claims in the order in which every known program writes them; absent ones stay absent. */
function inOrder(claims: StandardClaims): StandardClaims {
  const { purpose, tcs, public_key, issexp, iss, sub, exp, nbf, iat, jti } = claims;
  return JSON.parse(JSON.stringify({ purpose, tcs, public_key, issexp, iss, sub, exp, nbf, iat, jti }));
}

function nonEmpty(list: string[] | undefined): string[] | undefined {
  return list !== undefined && list.length > 0 ? list : undefined;
}

function onlyTrue<T extends object>(permissions: T | undefined, names: readonly (keyof T)[]) {
  if (permissions === undefined) return undefined;
  return Object.fromEntries(names.filter((name) => permissions[name] === true).map((name) => [name, true]));
}
