import type { MsgHdrs } from "@nats-io/nats-core";
import type { KeyPair, Nkey } from "../crypto/mod.ts";
import type { Clock, Logger } from "../std/mod.ts";

/** What a node shows the broker when it connects. */
export interface Login {
  /** Token; sent in both CONNECT fields that brokers look at. */
  token?: string;
  /** Key that signs the broker's nonce. Unprovisioned nodes have none. */
  key?: KeyPair;
  user?: string;
  password?: string;
  /** Key of a NATS user: the broker's own parts log in with one, and who connects to NATS servers of others. */
  nkey?: Nkey;
  /** JWT of a NATS user; goes with its {@link Login.nkey}. */
  jwt?: string;
}

/** How the connection is encrypted. */
export interface TlsOptions {
  /** PEM of the authorities that may vouch for the broker; without any, TLS only encrypts. */
  ca?: string;
  /** PEM of a certificate to show, with its {@link TlsOptions.key}. */
  cert?: string;
  /** PEM of that certificate's key. */
  key?: string;
  /**
   * Where there is no {@link TlsOptions.ca}: accept those that the system's authorities vouch for, instead of anybody.
   * @default false
   */
  trustSystem?: boolean;
  /**
   * Begin with TLS, as servers with `handshake_first` want it.
   * @default false
   */
  handshakeFirst?: boolean;
}

/** How {@link connectBroker} connects. */
export interface ConnectOptions {
  /** `host:port` of each broker. */
  servers: readonly string[];
  /** Name shown in the broker's reports. */
  name: string;
  /** Called at each attempt, so that renewed tokens are picked up. What it throws counts as a failed attempt. */
  login: () => Login;
  /** Prefix of inboxes, without a final dot. */
  inboxPrefix: string;
  logger: Logger;
  /** TLS settings; `false` connects in the clear, for brokers on the same host and standalone NATS servers. */
  tls?: TlsOptions | false;
  /** Ends the attempts for a first connection. */
  signal?: AbortSignal;
  /** @default systemClock */
  clock?: Clock;
  /**
   * Longest wait for one attempt, in milliseconds.
   * @default 10_000
   */
  timeout?: number;
  /**
   * Milliseconds between pings: how soon a dead broker is noticed.
   * @default 30_000
   */
  pingInterval?: number;
  /**
   * Milliseconds to wait before each attempt to come back; the last one repeats, and each is jittered.
   * @default twentySecondSteps
   */
  reconnectSteps?: readonly number[];
  /**
   * Give up after this many attempts for a first connection, the last error being thrown; 0 never gives up.
   * @default 0
   */
  attempts?: number;
  /**
   * Receive what this connection publishes itself, where it subscribes to it.
   * @default true
   */
  echo?: boolean;
  /** Told of each change between connected and disconnected. */
  onState?: (state: "connected" | "disconnected" | "closed") => void;
}

/** What {@link Connection} sends beside the data. */
export interface PublishOptions {
  reply?: string;
  headers?: MsgHdrs;
}
