import type { Permissions } from "../permissions/mod.ts";

/** What a peer showed when it connected. Nothing of it is believed yet. */
export interface LoginRequest {
  /** Its address. */
  host: string;
  /** `Client`, `Leafnode`… */
  kind: string;
  /** The name it gives its connection. */
  connection: string;
  /** Whether the connection is encrypted. */
  hasTls: boolean;
  /** What the broker asked it to sign; known only where a signature was sent. */
  nonce: string;
  /** Signature over the nonce, base64url without padding. */
  signature: string;
  /** Its token. */
  token: string;
  user: string;
  password: string;
}

/** A login that is let in. */
export interface Admission {
  isAllowed: true;
  /** Name shown for the connection: caller id, identity or user. */
  name: string;
  permissions: Permissions;
  /** When the connection is closed, in Unix seconds; absent for never. */
  expires?: number;
}

/** A login that is refused. */
export interface Refusal {
  isAllowed: false;
  /** Which rule and claim it failed, for the broker's log: the peer learns only that it was refused. */
  reason: string;
}

/** What is done with a login. */
export type Verdict = Admission | Refusal;
