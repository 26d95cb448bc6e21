/**
 * Choria's three kinds of token: client, server and provisioning. How they are made, chained, read and, in one
 * place, believed.
 *
 * @module
 */
export {
  type ChainClaims,
  type ChainIssuer,
  type ChainKey,
  chainedClaims,
  chainIssuerClaims,
  chainIssuerOf,
  isChained,
  isChainIssuer,
  isVouchedChainIssuer,
  verifyChain,
  verifyChainLink,
} from "./chain.ts";
export {
  type Claims,
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
export { isTokenError, TokenError, TokenExpiredError } from "./error.ts";
export { readTokenClaims, readTokenFile, writeTokenFile } from "./file.ts";
export { holderOf, privateNetworkId } from "./identity.ts";
export {
  type IssueOptions,
  issueClientToken,
  issueProvisioningToken,
  issueServerToken,
  type NewClient,
  type NewProvisioning,
  type NewServer,
} from "./issue.ts";
export { decodeClaims, decodeTokenUnverified, type ParsedToken, parseToken, purposeOf } from "./parse.ts";
export { keySigner, readTokenSigner, signToken, type TokenSigner } from "./signer.ts";
export { type VaultSettings, vaultSettings, vaultSigner } from "./vault.ts";
export { type KeyOfOrganization, TokenVerifier } from "./verifier.ts";
export {
  type ClaimsByPurpose,
  expiryOf,
  isExpired,
  readVerifyKey,
  type VerifyKey,
  type VerifyOptions,
  verifyToken,
} from "./verify.ts";
