import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import { generateKey, type KeyPair, verifySignature } from "../../lib/crypto/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import { type NewMessage, Spool, type SubmitterOptions, startSubmitter } from "../../lib/submission/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { startNats, type TestNats } from "../support/nats.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const basis: NewMessage = { subject: "a.b", payload: Buffer.from("hello"), sender: "user 0", identity: "n1" };
const inbound = "choria.submission.in.>";

interface Received {
  subject: string;
  text: string;
  header: (name: string) => string;
  names: string[];
}

/** A broker with streams that keeps them when it starts anew, a spool, and a connection that records what arrives. */
class Bench implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly logger = new RecordingLogger();
  readonly key: KeyPair = generateKey();
  readonly folder = temporaryFolder();
  readonly spool: Spool;
  readonly #stops: (() => Promise<void>)[] = [];
  #port = 0;
  #nats: TestNats | undefined;
  #connection: Connection | undefined;

  /** @param listen Subject of what is recorded; whoever listens also takes what no stream wants. */
  static async open(listen = inbound): Promise<Bench> {
    const bench = new Bench();
    bench.#port = await freePort();
    await bench.startBroker();
    bench.#connection = await bench.connect();
    bench.connection.subscribe(listen, (message) => {
      bench.received.push({
        subject: message.subject,
        text: message.string(),
        header: (name) => message.headers?.get(name) ?? "",
        names: message.headers?.keys().sort() ?? [],
      });
    });
    await bench.connection.flush();
    return bench;
  }

  private constructor() {
    this.spool = new Spool({ folder: this.folder.file("spool"), maxSize: 5_000, clock: systemClock });
  }

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("The bench is not open");
    return this.#connection;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async startBroker(): Promise<void> {
    const config = `jetstream { store_dir: "${this.folder.file("streams")}" }`;
    this.#nats = await startNats(config, { port: this.#port });
  }

  async stopBroker(): Promise<void> {
    await this.#nats?.[Symbol.asyncDispose]();
  }

  connect(): Promise<Connection> {
    const { address } = this;
    const basics = { login: () => ({}), inboxPrefix: "choria.reply", tls: false, logger: silentLogger } as const;
    return connectBroker({ servers: [address], name: "bench", reconnectSteps: [20], ...basics });
  }

  async addStream(name = "SUBMIT", subjects = [inbound]): Promise<void> {
    const manager = await jetstreamManager(this.connection.nats);
    await manager.streams.add({ name, subjects });
  }

  async stored(name = "SUBMIT"): Promise<number> {
    const manager = await jetstreamManager(this.connection.nats);
    return (await manager.streams.info(name)).state.messages;
  }

  start(options: Partial<SubmitterOptions> = {}) {
    const { spool, connection, key, logger } = this;
    const signer = () => ({ token: "server.token", key });
    const basics = { spool, connection, signer, logger, collective: "choria", clock: systemClock, random: () => 0 };
    const submitter = startSubmitter({ ...basics, ...options });
    this.#stops.push(() => submitter.stop());
    return submitter;
  }

  waiting(): number {
    return [0, 1, 2, 3, 4].reduce((sum, priority) => sum + this.spool.names(priority).length, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) await stop();
    await this.#connection?.close();
    await this.stopBroker();
    this.folder[Symbol.dispose]();
  }
}

let bench: Bench;
afterEach(async () => {
  await bench[Symbol.asyncDispose]();
});

describe("the submitter", () => {
  test("publishes an unreliable message once and forgets it", async () => {
    bench = await Bench.open();
    bench.start();
    const id = bench.spool.submit({ ...basis, headers: { kind: "report" } });
    await waitFor("the message", () => bench.received.length === 1);
    const [message] = bench.received;
    expect(message).toMatchObject({ subject: "choria.submission.in.a.b", text: "hello" });
    expect(message?.names).toEqual([
      "Choria-Created",
      "Choria-Identity",
      "Choria-Priority",
      "Choria-Sender",
      "Nats-Msg-Id",
      "kind",
    ]);
    expect(message?.header("Nats-Msg-Id")).toBe(id);
    await waitFor("the spool to be empty", () => bench.waiting() === 0);
  });

  test("notices a message long before it looks by itself", async () => {
    bench = await Bench.open();
    bench.start({ pollInterval: 60_000 });
    for (let i = 0; i < 5; i++) {
      bench.spool.submit({ ...basis, priority: i });
      await waitFor(`message ${i}`, () => bench.received.length === i + 1, 2_000);
    }
  });

  test("keeps a reliable message until a stream has it", async () => {
    bench = await Bench.open("none");
    bench.start();
    bench.spool.submit({ ...basis, reliable: true });
    await waitFor("the first try", () => bench.spool.read(4, bench.spool.names(4)[0] ?? "")?.message.tries === 1);
    await bench.addStream();
    await waitFor("the stream to have it", async () => (await bench.stored()) === 1);
    await waitFor("the spool to be empty", () => bench.waiting() === 0);
    const manager = await jetstreamManager(bench.connection.nats);
    const message = await manager.streams.getMessage("SUBMIT", { seq: 1 });
    expect(Number(message?.header.get("Choria-Tries"))).toBeGreaterThanOrEqual(1);
    expect(message?.header.get("Choria-Reliable")).toBe("1");
  });

  test("sends the messages of a priority in their order", async () => {
    bench = await Bench.open();
    await bench.addStream();
    const texts = Array.from({ length: 50 }, (_, i) => `m${i}`);
    for (const text of texts) bench.spool.submit({ ...basis, payload: Buffer.from(text), reliable: true });
    bench.start();
    await waitFor("all of them", () => bench.received.length === 50);
    expect(bench.received.map(({ text }) => text)).toEqual(texts);
  });

  test("lets no priority wait for another", async () => {
    bench = await Bench.open("choria.submission.in.good");
    await bench.addStream("GOOD", ["choria.submission.in.good"]);
    bench.spool.submit({ ...basis, subject: "nowhere", reliable: true, priority: 0 });
    bench.spool.submit({ ...basis, subject: "good", reliable: true, priority: 3 });
    bench.start();
    await waitFor("the good one", async () => (await bench.stored("GOOD")) === 1);
    expect(bench.spool.names(0)).toHaveLength(1);
  });

  test("lets unreliable messages pass reliable ones that fail", async () => {
    bench = await Bench.open("choria.submission.in.plain");
    bench.spool.submit({ ...basis, subject: "nowhere", reliable: true });
    bench.spool.submit({ ...basis, subject: "plain" });
    bench.start();
    await waitFor("the unreliable one", () => bench.received.some(({ subject }) => subject.endsWith(".plain")));
    expect(bench.spool.names(4)).toHaveLength(1);
  });

  test("signs exactly the payload with the server's key", async () => {
    bench = await Bench.open();
    bench.start();
    bench.spool.submit({ ...basis, sign: true });
    const message = await waitFor("the message", () => bench.received[0]);
    expect(message.header("Choria-Token")).toBe("server.token");
    const signature = Uint8Array.fromHex(message.header("Choria-Signature"));
    expect(verifySignature(bench.key.publicKey, Buffer.from("hello"), signature)).toBe(true);
  });

  test("keeps a reliable message that cannot be signed yet, and drops an unreliable one aloud", async () => {
    bench = await Bench.open();
    await bench.addStream();
    bench.start({
      signer: () => {
        throw new Error("no key");
      },
    });
    bench.spool.submit({ ...basis, sign: true, reliable: true, priority: 1 });
    bench.spool.submit({ ...basis, sign: true, priority: 2 });
    await waitFor("the unreliable one to go", () => bench.spool.names(2).length === 0);
    await waitFor("the first try", () => bench.spool.read(1, bench.spool.names(1)[0] ?? "")?.message.tries === 1);
    expect(bench.received).toEqual([]);
    expect(bench.logger.messages).toContain("A message could not be published and is dropped");
  });

  test("gives a message up after its tries, and one whose time is over", async () => {
    bench = await Bench.open("none");
    bench.start();
    bench.spool.submit({ ...basis, reliable: true, maxTries: 2 });
    bench.spool.submit({ ...basis, reliable: true, ttl: 1, priority: 1 });
    await waitFor("both to go", () => bench.waiting() === 0);
    expect(bench.logger.messages).toContain("A reliable message is given up");
    expect(bench.logger.messages).toContain("A message is given up");
  });

  test("removes what is no message and goes on", async () => {
    bench = await Bench.open();
    await Bun.write(join(bench.spool.folderOf(4), "0-x.msg"), "{not json");
    bench.spool.submit(basis);
    bench.start();
    await waitFor("the good one", () => bench.received.length === 1);
    await waitFor("the spool to be empty", () => bench.waiting() === 0);
  });

  test("tries nothing, and counts no try, while there is no broker", async () => {
    bench = await Bench.open();
    await bench.addStream();
    bench.start({ pollInterval: 20 });
    await bench.stopBroker();
    await waitFor("the loss to be noticed", () => bench.connection.server === "");
    bench.spool.submit({ ...basis, reliable: true, maxTries: 1 });
    bench.spool.submit({ ...basis, priority: 1 });
    await Bun.sleep(200);
    expect(bench.waiting()).toBe(2);
    await bench.startBroker();
    await waitFor("both to be sent", () => bench.waiting() === 0);
    expect(await bench.stored()).toBe(2);
  });

  test("leaves what is under way in the spool when it stops", async () => {
    bench = await Bench.open();
    const asked = Promise.withResolvers<void>();
    // Something that takes the message and never acknowledges it.
    bench.connection.subscribe("choria.submission.in.slow", () => asked.resolve());
    const submitter = bench.start();
    bench.spool.submit({ ...basis, subject: "slow", reliable: true });
    await asked.promise;
    const before = performance.now();
    await submitter.stop();
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(bench.spool.read(4, bench.spool.names(4)[0] ?? "")?.message.tries).toBe(0);
  });
});

describe("2,000 reliable messages", () => {
  test("arrive once each although the submitter is killed 20 times and the broker 3 times", async () => {
    bench = await Bench.open();
    await bench.addStream();
    const total = 2_000;
    const killed: number[] = [];
    const program = join(import.meta.dir, "../fixtures/submission/submitter.ts");
    const submitting = (async () => {
      for (let i = 0; i < total; i++) {
        bench.spool.submit({ ...basis, payload: Buffer.from(String(i)), priority: i % 5, reliable: true });
        if (i % 20 === 0) await Bun.sleep(10);
      }
    })();
    for (let run = 0; run < 20; run++) {
      const child = Bun.spawn([process.execPath, program, bench.folder.file("spool"), bench.address], {
        stdout: "pipe",
        stderr: "inherit",
      });
      await child.stdout.getReader().read();
      if (run % 6 === 5) {
        await bench.stopBroker();
        await bench.startBroker();
      }
      await Bun.sleep(10 * (run % 5));
      child.kill("SIGKILL");
      await child.exited;
      killed.push(bench.waiting());
    }
    await submitting;
    expect(killed.filter((waiting) => waiting > 0).length).toBeGreaterThan(5);
    bench.start();
    await waitFor("the spool to be empty", () => bench.waiting() === 0, 20_000);
    const manager = await jetstreamManager(bench.connection.nats);
    const { messages, last_seq } = (await manager.streams.info("SUBMIT")).state;
    expect({ messages, last_seq }).toEqual({ messages: total, last_seq: total });
    const texts = new Set<string>();
    for (let seq = 1; seq <= total; seq++) {
      texts.add((await manager.streams.getMessage("SUBMIT", { seq }))?.string() ?? "");
    }
    expect(texts.size).toBe(total);
  }, 60_000);
});
