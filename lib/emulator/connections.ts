import { type Connection, connectBroker, type Login } from "../connector/mod.ts";
import type { Clock, Logger } from "../std/mod.ts";
import type { Pacer } from "./pacer.ts";

/** A connection that a node uses, alone or with others. */
export interface Lease {
  connection: Connection;
  /** Use it no longer; it is closed once nobody does. */
  release(): Promise<void>;
}

/** What {@link Connections} works with. */
export interface ConnectionsOptions {
  /** `host:port` of each broker. */
  servers: readonly string[];
  inboxPrefix: string;
  /** Most nodes on one connection. */
  share: number;
  pacer: Pacer;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
}

interface Shared {
  connection: Promise<Connection>;
  users: number;
  /** How many came to it over time: nobody joins one that was full once. */
  taken: number;
}

/** Connections that several nodes with the same login share. */
export class Connections {
  readonly #options: ConnectionsOptions;
  #open: Shared | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /**
   * Get a connection.
   *
   * @param name Shown by the broker where the connection is new.
   */
  async lease(name: string, login: () => Login): Promise<Lease> {
    const shared = this.#join(name, login);
    const connection = await shared.connection;
    let isReleased = false;
    return {
      connection,
      release: async () => {
        if (isReleased) return;
        isReleased = true;
        if (--shared.users > 0) return;
        if (this.#open === shared) this.#open = undefined;
        await connection.close();
      },
    };
  }

  #join(name: string, login: () => Login): Shared {
    const { share } = this.#options;
    if (this.#open === undefined || this.#open.taken >= share) {
      this.#open = { connection: this.#connect(name, login), users: 0, taken: 0 };
    }
    this.#open.users++;
    this.#open.taken++;
    return this.#open;
  }

  async #connect(name: string, login: () => Login): Promise<Connection> {
    const { servers, inboxPrefix, pacer, clock, logger, signal } = this.#options;
    await pacer.turn(signal);
    return connectBroker({ servers, name, login, inboxPrefix, clock, logger, signal, timeout: 30_000 });
  }
}
