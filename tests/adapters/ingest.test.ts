import { describe, expect, test } from "bun:test";
import { Ingest } from "../../lib/adapters/ingest.ts";
import { AdapterCounts, type AdapterDocument, adapterSettings, type TakenIn } from "../../lib/adapters/mod.ts";
import { configFrom } from "../../lib/config/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { RecordingLogger } from "../support/log.ts";
import { waitFor } from "../support/wait.ts";

const settings = adapterSettings(
  configFrom({
    "plugin.choria.adapter.reg.type": "jetstream",
    "plugin.choria.adapter.reg.ingest.topic": "reg",
    "plugin.choria.adapter.reg.stream.topic": "reg.%s",
    "plugin.choria.adapter.reg.ingest.workers": "2",
  }),
  "reg",
);

/** An ingest whose messages come from the test, and are taken in when it says so. */
class Bench {
  readonly counts = new AdapterCounts({ input: 2, output: 1 });
  readonly logger = new RecordingLogger();
  readonly clock = new FakeClock();
  readonly delivered: AdapterDocument[] = [];
  readonly subscribed: string[] = [];
  hasRoom = true;
  publish: (data: Uint8Array) => void = () => {};
  /** Lets messages that are being looked at go on. */
  readonly held: (() => void)[] = [];
  isHolding = false;
  readonly ingest = new Ingest({
    settings,
    connection: {
      subscribe: (subject, handler, queue) => {
        this.subscribed.push(`${subject} ${queue}`);
        this.publish = (data) => void handler({ data } as Parameters<typeof handler>[0]);
        return { unsubscribe: () => this.subscribed.pop() } as unknown as ReturnType<
          ConstructorParameters<typeof Ingest>[0]["connection"]["subscribe"]
        >;
      },
      flush: async () => {},
    },
    intake: async (data) => {
      if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
      const text = new TextDecoder().decode(data);
      if (text === "bad") throw new Error("not believed");
      return { sender: text, requestId: "r", time: 1n, body: data } satisfies TakenIn;
    },
    deliver: (document) => {
      if (this.hasRoom) this.delivered.push(document);
      return this.hasRoom;
    },
    counts: this.counts.input,
    clock: this.clock,
    logger: this.logger,
  });

  send(...texts: string[]): void {
    for (const text of texts) this.publish(encodeUtf8(text));
  }
}

describe("an ingest", () => {
  test("shares its subject with those of its name, and hands on documents", async () => {
    const bench = new Bench();
    await bench.ingest.start();
    expect(bench.subscribed).toEqual(["reg nats_ingest_reg"]);
    bench.send("n1", "n2", "n3");
    await bench.ingest.stop();
    expect(bench.delivered.map(({ subject }) => subject)).toEqual(["reg.n1", "reg.n2", "reg.n3"]);
    expect(bench.counts.total("input")).toMatchObject({ received: 3, bytes: 6, errors: 0, timed: 3 });
    expect(bench.subscribed).toEqual([]);
  });

  test("holds as much as there is room for while it cannot keep up, drops the rest, and counts it", async () => {
    const bench = new Bench();
    bench.isHolding = true;
    await bench.ingest.start();
    for (let i = 0; i < 2_500; i++) bench.send("n1");
    expect(bench.held).toHaveLength(2);
    bench.isHolding = false;
    for (const go of bench.held) go();
    await bench.ingest.stop();
    // Two are looked at, and a thousand wait for each worker.
    expect(bench.delivered).toHaveLength(2_002);
    expect(bench.counts.total("input")).toMatchObject({ received: 2_500, errors: 498 });
    expect(bench.logger.messages).toEqual(["Work queue is full, discarding message"]);
  });

  test("holds no more bytes than there is room for", async () => {
    const bench = new Bench();
    bench.isHolding = true;
    await bench.ingest.start();
    const big = new Uint8Array(1_024 * 1_024);
    for (let i = 0; i < 100; i++) bench.publish(big);
    bench.isHolding = false;
    for (const go of bench.held) go();
    await bench.ingest.stop();
    expect(bench.counts.total("input")).toMatchObject({ received: 100, errors: 34 + 66 });
  });

  test("drops what is not believed or finds no room, and tells of it now and then", async () => {
    const bench = new Bench();
    await bench.ingest.start();
    bench.send("bad", "bad", "bad", "no subject");
    await waitFor("these to be dropped", () => bench.counts.total("input").timed === 4);
    await bench.clock.advance(10_000);
    bench.send("bad");
    bench.hasRoom = false;
    bench.send("n1");
    await bench.ingest.stop();
    expect(bench.counts.total("input")).toMatchObject({ received: 6, errors: 6 });
    expect(bench.delivered).toEqual([]);
    expect(bench.logger.lines.map(({ message, fields }) => [message, fields.more])).toEqual([
      ["Could not process message, discarding: not believed", undefined],
      ["Could not process message, discarding: not believed", 3],
      ["Work queue is full, discarding message", undefined],
    ]);
  });
});
