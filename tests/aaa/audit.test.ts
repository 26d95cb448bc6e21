import { describe, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { jetstreamManager } from "@nats-io/jetstream";
import {
  type Auditor,
  type AuditRecord,
  AuditTrail,
  jetstreamAuditor,
  logfileAuditor,
  noMetrics,
} from "../../lib/aaa/mod.ts";
import { connectBroker } from "../../lib/connector/mod.ts";
import { silentLogger, systemClock } from "../../lib/std/mod.ts";
import jetstreamVectors from "../fixtures/aaa/audit_jetstream.json";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { startNats } from "../support/nats.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";
import { fixture } from "./_vectors.ts";

const print = () => {
  throw new Error("Nothing is to be printed");
};

describe("logfileAuditor()", () => {
  const captured = readFileSync(fixture("audit_logfile.jsonl"), "utf8").trim().split("\n");

  test("writes the very lines of the original", () => {
    using folder = temporaryFolder();
    const file = folder.file("audit.json");
    const auditor = logfileAuditor({ file, site: "compose", print });
    for (const line of captured) auditor.record(recordOf(line));
    expect(readFileSync(file, "utf8").trim().split("\n")).toEqual(captured);
  });

  test("makes a file that only its owner can read, and goes on with one that is there", () => {
    using folder = temporaryFolder();
    const file = folder.file("audit.json");
    logfileAuditor({ file, site: "x", print });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    appendFileSync(file, "before\n");
    logfileAuditor({ file, site: "x", print }).record(recordOf(captured[0] ?? ""));
    expect(readFileSync(file, "utf8")).toStartWith("before\n{");
  });

  test("goes on in a new file when the old one was moved away", () => {
    using folder = temporaryFolder();
    const file = folder.file("audit.json");
    const auditor = logfileAuditor({ file, site: "x", print });
    auditor.record(recordOf(captured[0] ?? ""));
    renameSync(file, `${file}.1`);
    auditor.record(recordOf(captured[1] ?? ""));
    expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(1);
  });

  test("writes text to the terminal where no file is configured", () => {
    const lines: string[] = [];
    const auditor = logfileAuditor({ file: "", site: "x", print: (line) => lines.push(line) });
    auditor.record({ action: "deny", caller: "up=bob", request: '{"a":1}', time: 0 });
    expect(lines).toEqual([
      'time="1970-01-01T00:00:00Z" level=info msg="{\\"a\\":1}" action=deny auditor=logfile caller="up=bob" site="x"\n',
    ]);
  });

  test("says at once that its file cannot be written", () => {
    expect(() => logfileAuditor({ file: "/nowhere/audit.json", site: "x", print })).toThrow("ENOENT");
  });
});

describe("AuditTrail", () => {
  const broken: Auditor = {
    name: "broken",
    record() {
      throw new Error("full");
    },
    async [Symbol.asyncDispose]() {},
  };

  test("lets no auditor that fails keep others from their record", () => {
    const kept: AuditRecord[] = [];
    const good: Auditor = { ...broken, name: "good", record: (record) => void kept.push(record) };
    const logger = new RecordingLogger();
    const failed: string[] = [];
    const metrics = { ...noMetrics, auditorError: (name: string) => void failed.push(name) };
    new AuditTrail([broken, good], { logger, metrics }).record({
      action: "allow",
      caller: "a",
      request: "{}",
      time: 0,
    });
    expect(kept).toHaveLength(1);
    expect(failed).toEqual(["broken"]);
    expect(logger.lines).toMatchObject([{ level: "error", fields: { auditor: "broken", reason: "full" } }]);
  });

  test("notices a file that cannot be written any more", () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("logs"));
    const auditor = logfileAuditor({ file: folder.file("logs/audit.json"), site: "x", print });
    renameSync(folder.file("logs"), folder.file("gone"));
    const logger = new RecordingLogger();
    new AuditTrail([auditor], { logger, metrics: noMetrics }).record({
      action: "allow",
      caller: "a",
      request: "{}",
      time: 0,
    });
    expect(logger.messages).toEqual(["An audit record was not kept"]);
  });
});

describe("jetstreamAuditor()", () => {
  const subject = "choria.submission.in.audit";
  const options = (port: number) => ({
    servers: [`nats://127.0.0.1:${port}`],
    subject,
    site: "compose",
    login: () => ({}),
    inboxPrefix: "choria.reply.audit",
    tls: false as const,
    clock: systemClock,
    logger: silentLogger,
    metrics: noMetrics,
  });
  const recordsOf = () =>
    jetstreamVectors.map(({ headers_and_payload }): [AuditRecord, string] => {
      const { callerid, action, time } = JSON.parse(headers_and_payload);
      const request = headers_and_payload.slice(headers_and_payload.indexOf('"request":') + 10, -1);
      return [{ action, caller: callerid, request, time: time * 1_000 }, headers_and_payload];
    });

  async function withStream(port: number) {
    const connection = await connectBroker({ ...options(port), name: "test", servers: [`127.0.0.1:${port}`] });
    const manager = await jetstreamManager(connection.nats);
    await manager.streams.add({ name: "AUDIT", subjects: [subject] });
    const stored = async () => {
      const { state } = await manager.streams.info("AUDIT");
      const texts: string[] = [];
      for (let at = 1; at <= state.messages; at++) {
        const message = await manager.streams.getMessage("AUDIT", { seq: at });
        texts.push(message?.string() ?? "");
      }
      return texts;
    };
    return { connection, manager, stored };
  }

  test("stores the very documents of the original", async () => {
    using folder = temporaryFolder();
    await using nats = await startNats(`jetstream { store_dir: "${folder.path}" }`);
    const { connection, stored } = await withStream(nats.port);
    await using _closing = connection;
    const records = recordsOf();

    {
      await using auditor = jetstreamAuditor(options(nats.port));
      for (const [record] of records) auditor.record(record);
    }

    // Several travel at a time, so the stream may hold them in another order.
    expect((await stored()).sort()).toEqual(records.map(([, text]) => text).sort());
  });

  test("keeps what it is told before there is a stream, and before there is a server", async () => {
    using folder = temporaryFolder();
    const port = await freePort();
    const logger = new RecordingLogger();
    await using auditor = jetstreamAuditor({ ...options(port), logger });
    const [first] = recordsOf();
    if (first === undefined) throw new Error("There are no vectors");
    auditor.record(first[0]);

    await using _nats = await startNats(`jetstream { store_dir: "${folder.path}" }`, { port });
    await waitFor("a try without a stream", () => logger.messages.includes("An audit record is not stored yet"));
    const { connection, manager, stored } = await withStream(port);
    await using _closing = connection;

    await waitFor(
      "the record to be stored",
      async () => (await manager.streams.info("AUDIT")).state.messages > 0,
      20_000,
    );
    expect(await stored()).toEqual([first[1]]);
  }, 30_000);

  test("turns records away, aloud, when too many wait", async () => {
    const auditor = jetstreamAuditor({ ...options(await freePort()), maxWaiting: 2 });
    await using trail = new AuditTrail([auditor], { logger: silentLogger, metrics: noMetrics });
    const [first] = recordsOf();
    if (first === undefined) throw new Error("There are no vectors");
    auditor.record(first[0]);
    auditor.record(first[0]);
    expect(() => auditor.record(first[0])).toThrow("2 records wait already");
    trail.record(first[0]);
  });
});

function recordOf(line: string): AuditRecord {
  const { action, caller, msg, time } = JSON.parse(line);
  return { action, caller, request: msg, time: Date.parse(time) };
}
