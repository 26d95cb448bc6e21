/**
 * The choria security provider: who signs what, and who is believed. Requests are verified in
 * {@link RequestVerifier}, replies in {@link ReplyVerifier}, nowhere else.
 *
 * @module
 */
export { type CredentialFiles, type Credentials, credentialFiles, readCredentials } from "./credentials.ts";
export { SecurityError } from "./error.ts";
export { HeldCredentials, type HeldOptions } from "./held_credentials.ts";
export { type HttpSignerOptions, httpSigner } from "./http_signer.ts";
export { ReplayGuard } from "./replay_guard.ts";
export { ReplyVerifier, type ReplyVerifierOptions } from "./reply_verifier.ts";
export { RequestVerifier, type VerifiedRequest } from "./request_verifier.ts";
export { ServerRequestVerifier } from "./server_request_verifier.ts";
export { type RemoteSigner, signReply, signRequest } from "./signer.ts";
export { issuerKey, type Trust } from "./trust.ts";
