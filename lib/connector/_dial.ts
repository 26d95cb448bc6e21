import type { Auth, Authenticator, NatsConnection, Server } from "@nats-io/nats-core";
import { connect as dial, type NodeConnectionOptions } from "@nats-io/transport-node";
import { encodeBase64Url } from "../crypto/mod.ts";
import { type Backoff, backoff, encodeUtf8, errorText, twentySecondSteps } from "../std/mod.ts";
import type { ConnectOptions, Login, TlsOptions } from "./options.ts";

/**
 * A CONNECT of a protocol version that no nats-server speaks, so that each refuses it. It stands in for a login
 * that could not be read: an exception at that point would close the connection for good, and an empty login would
 * be an anonymous one.
 */
const refusedConnect = { protocol: -1 };

/** When the next attempt to reconnect is due. The wait starts over each time a connection stands. */
export class ReconnectPace {
  readonly #waits: Backoff;
  readonly #servers: number;
  #hasConnected = false;
  #attempts = 0;

  /**
   * @param servers How many brokers are tried in turn before the wait grows.
   * @param steps Milliseconds to wait, in turn.
   */
  constructor(servers: number, steps: readonly number[] = twentySecondSteps) {
    this.#waits = backoff(steps);
    this.#servers = Math.max(1, servers);
  }

  /** Milliseconds to wait before the attempt that is about to be made. */
  next(): number {
    // Whoever asks for the first connection paces those attempts himself.
    if (!this.#hasConnected) return 0;
    return this.#waits.delay(Math.floor(this.#attempts++ / this.#servers));
  }

  /** A connection stands. */
  connected(): void {
    this.#hasConnected = true;
    this.#attempts = 0;
  }
}

/**
 * Dial once.
 * @throws the reason of `signal` when it aborts; a connection that comes about afterwards is closed.
 */
export async function dialOnce(options: ConnectOptions, pace: ReconnectPace): Promise<NatsConnection> {
  const { signal } = options;
  // What the login throws is clearer than what a broker says to an empty one.
  options.login();
  const dialing = dial(dialOptions(options, pace));
  if (signal === undefined) return dialing;
  const { promise, resolve, reject } = Promise.withResolvers<NatsConnection>();
  const abort = () => {
    dialing.then((late) => late.close()).catch(() => undefined);
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  dialing.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  return promise;
}

function dialOptions(options: ConnectOptions, pace: ReconnectPace): NodeConnectionOptions {
  const { tls = {} } = options;
  return {
    servers: [...options.servers],
    name: options.name,
    authenticator: authenticator(options),
    inboxPrefix: options.inboxPrefix,
    timeout: options.timeout ?? 10_000,
    pingInterval: options.pingInterval ?? 30_000,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    ignoreClusterUpdates: true,
    // The client asks for this delay again and again while it waits, and not at all when the lost connection is
    // older than it: only the other hook is called once for each attempt.
    reconnectDelayHandler: () => 0,
    reconnectToServer: (pool) => delayed(pool[0], pace),
    ...(options.echo === false ? { noEcho: true } : {}),
    ...(tls === false ? {} : { tls: tlsFields(tls) }),
  };
}

function tlsFields({ ca, cert, key, trustSystem = false, handshakeFirst = false }: TlsOptions) {
  return {
    ...(ca === undefined ? { rejectUnauthorized: trustSystem } : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(handshakeFirst ? { handshakeFirst } : {}),
  };
}

function delayed(server: Server | undefined, pace: ReconnectPace): { server: Server; delay: number } | null {
  return server === undefined ? null : { server, delay: pace.next() };
}

function authenticator({ login, logger }: ConnectOptions): Authenticator {
  return (nonce) => {
    try {
      // The client's type wants one way to log in; Choria mixes three in one CONNECT.
      return connectFields(login(), nonce) as Auth;
    } catch (error) {
      logger.warn("No login to show to the broker", { reason: errorText(error) });
      return refusedConnect as object as Auth;
    }
  };
}

function connectFields({ token, key, user, password, nkey, jwt }: Login, nonce = ""): object {
  const signer = nkey ?? key;
  return {
    // A user's JWT holds the public key already.
    ...(nkey === undefined || jwt !== undefined ? {} : { nkey: nkey.publicKey }),
    ...(jwt === undefined ? {} : { jwt }),
    ...(token === undefined ? {} : { auth_token: token }),
    // Peers of the original send the token twice; a broker that has no operator keys ignores the second.
    ...(token !== undefined && key !== undefined ? { jwt: token } : {}),
    ...(signer !== undefined && nonce !== "" ? { sig: encodeBase64Url(signer.sign(encodeUtf8(nonce))) } : {}),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
  };
}
