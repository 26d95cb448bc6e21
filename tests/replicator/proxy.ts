import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** How a {@link FaultyProxy} spoils its connections. */
export interface Faults {
  /** A number from 0 to below 1. */
  random: () => number;
  /** A connection is cut after up to so many bytes, wherever in a message that is; 0 leaves it alone. */
  mostBytes: number;
}

/** A TCP proxy in front of a server that loses what it carries. */
export class FaultyProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #faults: Faults;
  readonly #sockets = new Set<Socket>();
  /** How many connections were cut. */
  cuts = 0;
  #isHealed = false;

  private constructor(server: Server, faults: Faults) {
    this.#server = server;
    this.#faults = faults;
  }

  static async start(port: number, faults: Faults): Promise<FaultyProxy> {
    const server = createServer();
    const proxy = new FaultyProxy(server, faults);
    server.on("connection", (client) => proxy.#carry(client, port));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    return `nats://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  /** Cut all connections once more, and spoil no others. */
  heal(): void {
    this.#isHealed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #carry(client: Socket, port: number): void {
    const server = dial({ host: "127.0.0.1", port });
    const { random, mostBytes } = this.#faults;
    let left = mostBytes === 0 ? Number.POSITIVE_INFINITY : Math.floor(random() * mostBytes);
    // What one side has sent may be lost alone: copies that arrive, and whose acknowledgements do not.
    const isDeaf = !this.#isHealed && random() < 0.3;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", end);
      from.on("close", () => {
        this.#sockets.delete(from);
        end();
      });
      from.on("data", (data: Buffer) => {
        const isLost = isDeaf && from === server && left < 2_000;
        if (this.#isHealed) left = Number.POSITIVE_INFINITY;
        if (!isLost) to.write(data.subarray(0, left));
        left -= data.length;
        if (left > 0) return;
        this.cuts++;
        // What was written is to arrive, as it would where a cable is cut behind it.
        to.end();
        from.destroy();
      });
    }
  }
}
