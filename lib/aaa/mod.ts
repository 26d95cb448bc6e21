/**
 * The AAA service: who may log in, who may have which request signed, and a record of both.
 *
 * @module
 */
export { type Auditor, type AuditRecord, AuditTrail } from "./audit.ts";
export { type JetStreamAuditorOptions, jetstreamAuditor } from "./audit_jetstream.ts";
export { type LogfileAuditorOptions, logfileAuditor } from "./audit_logfile.ts";
export { type AuthorizerOptions, RequestAuthorizer } from "./authorizer.ts";
export { type AaaConfig, type AuthorizerName, loadAaaConfig, parseAaaConfig, type TlsFiles } from "./config.ts";
export type { AuditorConfig, JetStreamAuditorConfig, LogfileAuditorConfig } from "./config_auditors.ts";
export type { BasicJwtConfig } from "./config_signer.ts";
export type { UserlistConfig } from "./config_userlist.ts";
export { type HttpApiOptions, type HttpHandler, httpApi } from "./http_api.ts";
export { type Listener, type ListenerOptions, listen } from "./listener.ts";
export { type LoginAnswer, type LoginOptions, type LoginRequest, LoginService } from "./login.ts";
export { type AaaMetrics, noMetrics } from "./metrics.ts";
export { bcryptCost, PasswordChecker, type PasswordCheckerOptions, TooBusyError } from "./password.ts";
export { type AaaHandle, type AaaOptions, startAaa } from "./role.ts";
export { signerAgent, signerMetadata } from "./service.ts";
export { type SignAnswer, type SigningOptions, SigningService, type SignRequest } from "./signer.ts";
export { TokenIssuer, type TokenIssuerOptions } from "./token_issuer.ts";
export { decodeUsers, type User } from "./user.ts";
export { UserDirectory, type UserSource } from "./user_directory.ts";
