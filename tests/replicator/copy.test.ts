import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { headers } from "@nats-io/nats-core";
import { parseReplicatorConfig, type ReplicatorHandle, startReplicator } from "../../lib/replicator/mod.ts";
import sourceMessages from "../fixtures/replicator/source-initiated/source-messages.json";
import targetMessages from "../fixtures/replicator/source-initiated/target-messages.json";
import startOptions from "../fixtures/replicator/start-options.json";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { waitFor } from "../support/wait.ts";
import { fill, StreamServer, sourceSequences, upTo } from "./support.ts";

const folder = temporaryFolder();
let source: StreamServer;
let target: StreamServer;

beforeAll(async () => {
  for (const side of ["source", "target"]) mkdirSync(folder.file(side));
  source = await StreamServer.start(folder.file("source"));
  target = await StreamServer.start(folder.file("target"));
});

afterAll(async () => {
  await source[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A replicator of one stream, and what it logs. */
function replicate(
  stream: Record<string, unknown>,
  logger = new RecordingLogger(),
): ReplicatorHandle & { logger: RecordingLogger } {
  const streams = [{ source_url: source.url, target_url: target.url, ...stream }];
  const config = parseReplicatorConfig(JSON.stringify({ name: "SITE1", streams }));
  return Object.assign(startReplicator({ config, logger }), { logger });
}

function rawHeaders(text: string) {
  const made = headers();
  for (const line of text.split("\r\n").slice(1).filter(Boolean)) {
    const [name = "", value = ""] = line.split(": ");
    made.append(name, value);
  }
  return made;
}

async function store(stream: string, subject: string, data: string, header = ""): Promise<void> {
  const nats = await source.nats();
  const before = await source.count(stream);
  nats.publish(subject, data, header === "" ? {} : { headers: rawHeaders(header) });
  await waitFor("the source to hold the message", async () => (await source.count(stream)) === before + 1);
}

describe("copies", () => {
  test("have the original's headers, subjects and bodies, and the target the source's settings", async () => {
    await source.stream("ORDERS", ["orders.>"], { description: "orders", max_age: 31_536_000_000_000_000 });
    for (const { subject, data, headers: header } of sourceMessages.slice(0, 3))
      await store("ORDERS", subject, data, header);
    const mapping = { target_subject_prefix: "copy", target_subject_remove: "orders" };
    await using _running = replicate({ stream: "ORDERS", name: "w1", target_stream: "ORDERS_COPY", ...mapping });
    await waitFor("three copies", async () => (await target.count("ORDERS_COPY")) === 3);
    const copies = await target.messages("ORDERS_COPY");
    const timeless = (text: string) => text.replace(/(Choria-SR-Source: .*) \d+/, "$1");
    for (const [index, { subject, data, headers: header }] of targetMessages.entries()) {
      const copy = copies[index];
      expect({ subject: copy?.subject, data: copy?.data }).toEqual({ subject, data });
      const lines = Object.entries(copy?.headers ?? {}).flatMap(
        ([name, values]) => values?.map((value) => `${name}: ${value}`) ?? [],
      );
      expect(timeless(`NATS/1.0\r\n${lines.join("\r\n")}\r\n\r\n`)).toBe(timeless(header));
    }
    const { config } = await target.api("STREAM.INFO.ORDERS_COPY");
    expect(config).toMatchObject({ subjects: ["copy.>"], description: "orders", max_age: 31_536_000_000_000_000n });
  });

  test("go on where they ended, with a consumer that is left as the original wants to find it", async () => {
    await source.stream("AGAIN", ["again.>"]);
    await fill(source, "AGAIN", "again", 50, 20);
    for (const count of [50, 100]) {
      await using _running = replicate({ stream: "AGAIN" });
      await waitFor("copies", async () => (await target.count("AGAIN")) === count);
      if (count === 50) await fill(source, "AGAIN", "again", 50, 20);
    }
    await waitFor("copies", async () => (await target.count("AGAIN")) === 100);
    expect(sourceSequences(await target.messages("AGAIN"))).toEqual(upTo(100));
    const info = await source.api("CONSUMER.INFO.AGAIN.SR_SITE1");
    expect(info.num_ack_pending).toBe(0);
    expect(info.config).toMatchObject({ max_ack_pending: 1, ack_wait: 30_000_000_000 });
  });

  test("start where the original starts, with the same consumers", async () => {
    const yaml = startOptions.config_yaml;
    await source.stream("OPT", ["opt.>"]);
    for (const number of [0, 1, 2, 3, 4]) await store("OPT", `opt.${number}`, "x");
    await waitFor(
      "messages to be a second old",
      () => new Promise((resolve) => setTimeout(() => resolve(true), 1_100)),
    );
    const text = yaml
      .replaceAll(/nats:\/\/127.0.0.1:247\d\d/g, source.url)
      .replaceAll(/nats:\/\/127.0.0.1:248\d\d/g, target.url);
    const config = parseReplicatorConfig(
      text.replace("start_time: 2026-01-02T03:04:05+02:00", "start_time: 2020-01-02T03:04:05+02:00"),
    );
    await using _running = startReplicator({ config, logger: new RecordingLogger() });
    const copied = startOptions.copied_subjects as Record<string, string[] | string>;
    for (const [name, subjects] of Object.entries(copied)) {
      // Those two have an effect here, which they had not.
      if (!Array.isArray(subjects) || name === "hdr" || name === "tok" || name === "seq") continue;
      const stream = `OPT_${name.toUpperCase()}`;
      await waitFor(`the copies of ${name}`, async () => (await target.count(stream)) === subjects.length);
      expect((await target.messages(stream)).map(({ subject }) => subject)).toEqual(subjects);
    }
    expect((await target.messages("OPT_TOK")).map(({ subject }) => subject)).toEqual(["tok.opt.0"]);
    const volatile = { max_ack_pending: 1, opt_start_time: "", metadata: {} };
    for (const [name, expected] of Object.entries(startOptions.consumers)) {
      const { config: found } = await source.api(`CONSUMER.INFO.OPT.${name}`);
      expect({ ...(found as object), ...volatile }).toEqual({ ...expected, ...volatile });
    }
  });

  test("leave nothing out and repeat nothing where a consumer was lost, or left with messages out", async () => {
    await source.stream("LOST", ["lost.>"]);
    await fill(source, "LOST", "lost", 500, 20);
    const nats = await source.nats();
    const durable = { name: "SR_SITE1", durable_name: "SR_SITE1", ack_policy: "explicit", max_ack_pending: 100 };
    await source.api("CONSUMER.CREATE.LOST.SR_SITE1", { stream_name: "LOST", config: durable });
    const out = nats.subscribe("lost-inbox", { max: 40 });
    nats.publish("$JS.API.CONSUMER.MSG.NEXT.LOST.SR_SITE1", JSON.stringify({ batch: 40 }), { reply: "lost-inbox" });
    for await (const _message of out);
    await using _running = replicate({ stream: "LOST" });
    await waitFor("copies", async () => (await target.count("LOST")) === 500);
    await source.api("CONSUMER.DELETE.LOST.SR_SITE1");
    await fill(source, "LOST", "lost", 500, 20);
    await waitFor("copies", async () => (await target.count("LOST")) === 1_000);
    expect(sourceSequences(await target.messages("LOST"))).toEqual(upTo(1_000));
  });

  test("begin anew with a source that was made anew", async () => {
    await source.stream("ANEW", ["anew.>"]);
    await fill(source, "ANEW", "anew", 20, 20);
    {
      await using _running = replicate({ stream: "ANEW" });
      await waitFor("copies", async () => (await target.count("ANEW")) === 20);
    }
    await source.api("STREAM.DELETE.ANEW");
    await source.stream("ANEW", ["anew.>"]);
    await fill(source, "ANEW", "anew", 10, 20);
    await using _running = replicate({ stream: "ANEW" });
    await waitFor("copies", async () => (await target.count("ANEW")) === 30);
    expect(sourceSequences(await target.messages("ANEW"))).toEqual([...upTo(20), ...upTo(10)]);
  });

  test("begin anew with a source that is made anew while they are made", async () => {
    await source.stream("RENEW", ["renew.>"]);
    await fill(source, "RENEW", "renew", 20, 20);
    await using _running = replicate({ stream: "RENEW" });
    await waitFor("copies", async () => (await target.count("RENEW")) === 20);
    await source.api("STREAM.DELETE.RENEW");
    await source.stream("RENEW", ["renew.>"]);
    await fill(source, "RENEW", "renew", 30, 20);
    await waitFor("copies", async () => (await target.count("RENEW")) === 50);
    expect(sourceSequences(await target.messages("RENEW"))).toEqual([...upTo(20), ...upTo(30)]);
  });

  test("of messages that were published together are made one after another", async () => {
    await source.stream("BATCH", ["batch.>"], { allow_atomic: true });
    const nats = await source.nats();
    for (const number of [1, 2, 3]) {
      const commit = number === 3 ? "Nats-Batch-Commit: 1\r\n" : "";
      const text = `NATS/1.0\r\nNats-Batch-Id: b\r\nNats-Batch-Sequence: ${number}\r\n${commit}X-Own: y\r\n\r\n`;
      await nats.request("batch.x", String(number), { headers: rawHeaders(text), timeout: 2_000 });
    }
    await target.stream("BATCH", ["batch.>"], { allow_atomic: true });
    await using _running = replicate({ stream: "BATCH" });
    await waitFor("copies", async () => (await target.count("BATCH")) === 3);
    const copies = await target.messages("BATCH");
    expect(copies.map(({ data }) => data)).toEqual(["1", "2", "3"]);
    expect(copies.map(({ headers: header }) => Object.keys(header))).toEqual(
      copies.map(() => ["Choria-SR-Source", "X-Own"]),
    );
  });

  test("begin with the first message of a source that is made anew, wherever the first one was to begin", async () => {
    await source.stream("NEWER", ["newer.>"]);
    await fill(source, "NEWER", "newer", 5, 20);
    await using _running = replicate({ stream: "NEWER", start_at_end: true });
    await waitFor("the consumer", () => source.api("CONSUMER.INFO.NEWER.SR_SITE1").catch(() => undefined));
    await store("NEWER", "newer.x", "after the end");
    await waitFor("the copy", async () => (await target.count("NEWER")) === 1);
    await source.api("STREAM.DELETE.NEWER");
    await source.stream("NEWER", ["newer.>"]);
    await fill(source, "NEWER", "newer", 3, 20);
    await waitFor("copies", async () => (await target.count("NEWER")) === 4);
    expect(sourceSequences(await target.messages("NEWER"))).toEqual([6, 1, 2, 3]);
  });

  test("go on behind the last of them where a consumer that began at the end was lost", async () => {
    await source.stream("ENDED", ["ended.>"]);
    {
      await using _running = replicate({ stream: "ENDED", start_at_end: true });
      await waitFor("the consumer", () => source.api("CONSUMER.INFO.ENDED.SR_SITE1").catch(() => undefined));
      await fill(source, "ENDED", "ended", 5, 20);
      await waitFor("copies", async () => (await target.count("ENDED")) === 5);
    }
    await source.api("CONSUMER.DELETE.ENDED.SR_SITE1");
    await fill(source, "ENDED", "ended", 5, 20);
    await using _running = replicate({ stream: "ENDED", start_at_end: true });
    await waitFor("copies", async () => (await target.count("ENDED")) === 10);
    expect(sourceSequences(await target.messages("ENDED"))).toEqual(upTo(10));
  });

  test("come once where the target stood still and then stored what it had been sent", async () => {
    await source.stream("STILL", ["still.>"]);
    await using running = replicate({ stream: "STILL" });
    await fill(source, "STILL", "still", 10, 20);
    await waitFor("copies", async () => (await target.count("STILL")) === 10);
    target.signal("SIGSTOP");
    await fill(source, "STILL", "still", 200, 20);
    await waitFor("the silence to be noticed", () =>
      running.logger.messages.includes("The target does not acknowledge what was sent"),
    );
    target.signal("SIGCONT");
    await waitFor("copies", async () => (await target.count("STILL")) >= 210, 20_000);
    expect(sourceSequences(await target.messages("STILL"))).toEqual(upTo(210));
  }, 30_000);

  test("find their place behind the messages of another replicator", async () => {
    await source.stream("SHARED", ["shared.>"]);
    await fill(source, "SHARED", "shared", 30, 20);
    {
      await using _running = replicate({ stream: "SHARED", name: "one" });
      await waitFor("copies", async () => (await target.count("SHARED")) === 30);
    }
    {
      await using _other = replicate({ stream: "SHARED", name: "two" });
      await waitFor("copies", async () => (await target.count("SHARED")) === 60);
    }
    await source.api("CONSUMER.DELETE.SHARED.SR_one");
    await fill(source, "SHARED", "shared", 5, 20);
    await using _running = replicate({ stream: "SHARED", name: "one" });
    await waitFor("copies", async () => (await target.count("SHARED")) === 65);
    const own = (await target.messages("SHARED")).filter(({ origin }) => origin.includes(" one "));
    expect(sourceSequences(own)).toEqual(upTo(35));
  });
});

describe("a message that the target refuses", () => {
  test("holds up those behind it, with a reason, and is stored in its turn once it can be", async () => {
    await source.stream("BIG", ["big.>"]);
    await target.stream("BIG", ["big.>"], { max_msg_size: 200 });
    for (const size of [10, 1_000, 20]) await store("BIG", "big.x", "x".repeat(size));
    await using running = replicate({ stream: "BIG" });
    const reason = await waitFor("the reason", () =>
      running.logger.messages.find((text) => text.startsWith("Handling msg 2 failed on try 1, backing off for ")),
    );
    expect(reason).toContain("message size exceeds maximum allowed (10054)");
    expect(await target.count("BIG")).toBe(1);
    const { config } = await target.api("STREAM.INFO.BIG");
    await target.api("STREAM.UPDATE.BIG", { ...(config as object), max_msg_size: -1 });
    await waitFor("copies", async () => (await target.count("BIG")) === 3);
    expect(sourceSequences(await target.messages("BIG"))).toEqual([1, 2, 3]);
    expect(await running.metrics.text()).toMatch(/replicator_handler_error_count\{.*worker="SITE1"\} [1-9]/);
  });

  test("is left out where that is configured, counted and logged", async () => {
    await source.stream("BAD", ["bad.>"]);
    await store("BAD", "bad.1", "x");
    await store("BAD", "bad.2", "x", "NATS/1.0\r\nNats-Expected-Stream: BAD\r\n\r\n");
    await store("BAD", "bad.3", "x");
    await using running = replicate({ stream: "BAD", target_stream: "BAD_COPY", refused: "skip" });
    await waitFor("copies", async () => (await target.count("BAD_COPY")) === 2);
    expect(sourceSequences(await target.messages("BAD_COPY"))).toEqual([1, 3]);
    const text = "Leaving out msg 2, which the target refuses: expected stream does not match (10060)";
    expect(running.logger.messages).toContain(text);
    expect(await running.metrics.text()).toContain(
      'choria_stream_replicator_replicator_refused_messages{stream="BAD",replicator="SITE1",worker="SITE1"} 1',
    );
  });

  test("and one that finds the stream full wait in order until there is room", async () => {
    await source.stream("FULL", ["full.>"]);
    await target.stream("FULL", ["full.>"], { discard: "new", max_msgs: 5 });
    await fill(source, "FULL", "full", 20, 20);
    await using running = replicate({ stream: "FULL" });
    await waitFor("the reason", () =>
      running.logger.messages.some((text) => text.includes("maximum messages exceeded")),
    );
    expect(sourceSequences(await target.messages("FULL"))).toEqual(upTo(5));
    const { config } = await target.api("STREAM.INFO.FULL");
    await target.api("STREAM.UPDATE.FULL", { ...(config as object), max_msgs: -1 });
    await waitFor("copies", async () => (await target.count("FULL")) === 20, 20_000);
    expect(sourceSequences(await target.messages("FULL"))).toEqual(upTo(20));
  }, 30_000);
});

describe("a target that nobody is to make", () => {
  test("takes messages wherever they end up", async () => {
    await source.stream("ELSE", ["else.>"]);
    await target.stream("ELSEWHERE", ["x.else.>"]);
    await fill(source, "ELSE", "else", 20, 20);
    await using _running = replicate({ stream: "ELSE", no_target_create: true, target_subject_prefix: "x" });
    await waitFor("copies", async () => (await target.count("ELSEWHERE")) === 20);
    expect(sourceSequences(await target.messages("ELSEWHERE"))).toEqual(upTo(20));
  });

  test("that nobody listens to is waited for", async () => {
    await source.stream("NOBODY", ["nobody.>"]);
    await fill(source, "NOBODY", "nobody", 3, 20);
    await using running = replicate({ stream: "NOBODY", no_target_create: true });
    await waitFor("the reason", () => running.logger.messages.some((text) => text.includes("no responders available")));
    await target.stream("LATE", ["nobody.>"]);
    await waitFor("copies", async () => (await target.count("LATE")) === 3);
  });
});

describe("copying without a trace in the source", () => {
  const settings = { stream: "TI", name: "pull1", target_stream: "TI_COPY", target_initiated: true };
  const more = { filter_subject: "ti.>", target_subject_prefix: "x" };

  test("goes on behind the last copy in the target, and after a purge from its time", async () => {
    await source.stream("TI", ["ti.>"]);
    await store("TI", "ti.1", "one", "NATS/1.0\r\nX-Custom: v\r\n\r\n");
    await store("TI", "ti.2", "");
    for (const [number, data] of ["three", "four"].entries()) {
      await using _running = replicate({ ...settings, ...more });
      await waitFor("copies", async () => (await target.count("TI_COPY")) === 2 + number);
      if (number === 0) await store("TI", "ti.3", data);
      await waitFor("copies", async () => (await target.count("TI_COPY")) === 3);
    }
    const copies = await target.messages("TI_COPY");
    expect(sourceSequences(copies)).toEqual([1, 2, 3]);
    expect(Object.keys(copies[0]?.headers ?? {})).toEqual(["Choria-SR-Source", "Nats-Msg-Id"]);
    await target.api("STREAM.PURGE.TI_COPY");
    await store("TI", "ti.5", "five");
    await using running = replicate({ ...settings, ...more });
    await waitFor("the copy", async () => (await target.count("TI_COPY")) === 1);
    expect(running.logger.messages.some((text) => text.startsWith("Detected a purge on TI_COPY"))).toBe(true);
  });

  test("begins anew with a source that is made anew, while it runs and while it does not", async () => {
    const anew = { stream: "TA", target_initiated: true, filter_subject: "ta.>" };
    const remake = async (count: number) => {
      await source.api("STREAM.DELETE.TA").catch(() => undefined);
      await source.stream("TA", ["ta.>"]);
      await fill(source, "TA", "ta", count, 20);
    };
    await remake(5);
    {
      await using _running = replicate(anew);
      await waitFor("copies", async () => (await target.count("TA")) === 5);
    }
    await remake(8);
    await using _running = replicate(anew);
    await waitFor("copies", async () => (await target.count("TA")) === 13);
    expect(sourceSequences(await target.messages("TA"))).toEqual([...upTo(5), ...upTo(8)]);
  });

  test("refuses a target whose last message is no copy", async () => {
    (await target.nats()).publish("x.ti.9", "foreign");
    await using running = replicate({ ...settings, ...more });
    await waitFor("the reason", () =>
      running.logger.messages.some((text) => text.includes("last message is not a stream replicator message")),
    );
  });
});

test("metrics have the original's names and labels", async () => {
  await source.stream("MET", ["met.>"]);
  await fill(source, "MET", "met", 3, 20);
  await using running = replicate({ stream: "MET", inspect_field: "sender", inspect_duration: "1h", monitor_port: 0 });
  await waitFor("copies", async () => (await target.count("MET")) === 3);
  await waitFor("the counts", async () => (await running.metrics.text()).includes("copied_bytes"));
  const text = await running.metrics.text();
  const labels = 'stream="MET",replicator="SITE1",worker="SITE1"';
  for (const [name, value] of [
    ["total_messages", 3],
    ["total_bytes", 60],
    ["copied_messages", 3],
    ["copied_bytes", 60],
    ["consumer_recreated", 1],
    ["stream_sequence", 3],
    ["processing_time_seconds_count", 3],
  ]) {
    expect(text).toContain(`choria_stream_replicator_replicator_${name}{${labels}} ${value}`);
  }
  expect(text).toContain(
    'choria_stream_replicator_limiter_messages_without_limit_field_count{limiter="memory",stream="SR_SITE1",replicator="SITE1"} 3',
  );
});
