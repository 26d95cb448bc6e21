import { join } from "node:path";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { askApi, originHeader } from "../../lib/replicator/mod.ts";
import { canConnect, natsServerPath } from "../support/nats.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

/** A nats-server with streams that can be killed and started again with what it holds. */
export class StreamServer implements AsyncDisposable {
  readonly port: number;
  readonly #store: string;
  #child: ReturnType<typeof Bun.spawn> | undefined;
  #nats: NatsConnection | undefined;

  private constructor(port: number, store: string) {
    this.port = port;
    this.#store = store;
  }

  /** @param extra More lines of configuration. */
  static async start(store: string, extra = ""): Promise<StreamServer> {
    const server = new StreamServer(await freePort(), store);
    await Bun.write(
      join(store, "nats.conf"),
      `listen: "127.0.0.1:${server.port}"\njetstream { store_dir: "${store}" }\n${extra}\n`,
    );
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#child = Bun.spawn([natsServerPath(), "-c", join(this.#store, "nats.conf")], {
      stdout: "ignore",
      stderr: "ignore",
    });
    await waitFor("nats-server to listen", () => canConnect(this.port));
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#child?.kill(signal);
    await this.#child?.exited;
  }

  /** Stop the process where it is, or let it go on. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** A connection of the test's own, which comes back by itself. */
  async nats(): Promise<NatsConnection> {
    this.#nats ??= await connect({ servers: this.url, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
    return this.#nats;
  }

  async api(subject: string, body?: Record<string, unknown>) {
    return await askApi(await this.nats(), subject, body);
  }

  /** Make a stream. */
  async stream(name: string, subjects: string[], more: Record<string, unknown> = {}): Promise<void> {
    await this.api(`STREAM.CREATE.${name}`, { name, subjects, storage: "file", ...more });
  }

  /** How many messages a stream holds; 0 where it cannot be asked. */
  async count(stream: string): Promise<number> {
    try {
      const { state } = await this.api(`STREAM.INFO.${stream}`);
      return Number((state as { messages: number }).messages);
    } catch {
      return 0;
    }
  }

  /** All messages of a stream, in order. */
  async messages(stream: string): Promise<StoredMessage[]> {
    const nats = await this.nats();
    const count = await this.count(stream);
    const found: StoredMessage[] = [];
    if (count === 0) return found;
    const inbox = `_INBOX.${crypto.randomUUID()}`;
    const all = nats.subscribe(inbox, { max: count });
    const config = { ack_policy: "none", deliver_policy: "all", deliver_subject: inbox, inactive_threshold: 5e9 };
    await this.api(`CONSUMER.CREATE.${stream}`, { stream_name: stream, config });
    for await (const message of all) {
      const headers = Object.fromEntries(
        message.headers?.keys().map((key) => [key, message.headers?.values(key)]) ?? [],
      );
      const origin = message.headers?.last(originHeader) ?? "";
      found.push({ subject: message.subject, data: message.string(), headers, origin });
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nats?.close();
    this.#child?.kill("SIGCONT");
    await this.kill();
  }
}

/** A message of a stream. */
export interface StoredMessage {
  subject: string;
  data: string;
  headers: Record<string, string[] | undefined>;
  /** Last value of the header that says where it comes from. */
  origin: string;
}

/**
 * Put numbered messages into a stream and wait until it has them.
 * @param body Size of the messages, or what gives their text.
 */
export async function fill(
  server: StreamServer,
  stream: string,
  subject: string,
  count: number,
  body: number | ((number: number) => string),
): Promise<void> {
  const nats = await server.nats();
  const before = await server.count(stream);
  for (let number = before + 1; number <= before + count; number++) {
    const text = typeof body === "number" ? String(number).padEnd(body, ".") : body(number);
    nats.publish(`${subject}.${number % 7}`, text);
    if (number % 1_000 === 0) await nats.flush();
  }
  await waitFor("the source to hold all", async () => (await server.count(stream)) === before + count);
}

/** The sequences in the source of copies. */
export function sourceSequences(messages: StoredMessage[]): number[] {
  return messages.map(({ origin }) => Number(origin.split(" ")[1]));
}

/** The numbers from 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
