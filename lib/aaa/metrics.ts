/** What the service counts. Names and labels on the wire are those of the original. */
export interface AaaMetrics {
  /** An auditor could not keep a record. */
  auditorError(auditor: string): void;
  /** A login was refused. */
  authenticatorError(): void;
  /** How long a login took, in seconds. */
  authenticatorTime(seconds: number): void;
  /** A policy allowed or denied an action, `agent.action` or just the agent. */
  authorized(allowed: boolean, action: string): void;
  /** A policy could not be asked. */
  authorizerError(): void;
  /** A request was signed. */
  signerAllowed(): void;
  /** A request was not signed. */
  signerDenied(): void;
  /** A token was not accepted. */
  signerInvalidToken(): void;
  /** A request could not be signed, for whatever reason. */
  signerError(): void;
}

/** Counts nothing. */
export const noMetrics: AaaMetrics = {
  auditorError() {},
  authenticatorError() {},
  authenticatorTime() {},
  authorized() {},
  authorizerError() {},
  signerAllowed() {},
  signerDenied() {},
  signerInvalidToken() {},
  signerError() {},
};
