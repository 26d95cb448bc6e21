import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import type { StreamInfo } from "@nats-io/jetstream";
import { changesText } from "../../cmd/choria/broker/changes.ts";
import { ago, infoText } from "../../cmd/choria/broker/stream/info.ts";
import { matches } from "../../cmd/choria/broker/stream/list.ts";
import { gapsOf } from "../../cmd/choria/broker/stream/look.ts";
import { askForStream, noQuestions, type Questions } from "../../cmd/choria/broker/stream/questions.ts";
import { newStream } from "../../lib/streams/mod.ts";
import { waitFor } from "../support/wait.ts";
import { type StreamNetwork, streamNetwork } from "./streams_support.ts";
import { checkout } from "./support.ts";

// Every test runs the command line some dozen times, beside whatever else the machine does.
setDefaultTimeout(60_000);

const vector = (name: string) => JSON.parse(readFileSync(`${checkout}/tests/fixtures/cli/${name}`, "utf8"));
const golden: StreamInfo = vector("broker-stream-info.json");

/** Somebody who answers some questions, accepts every other default, and notes what was asked. */
function person(answers: Record<string, string>): { questions: Questions; asked: [string, unknown][] } {
  const asked: [string, unknown][] = [];
  const answer = async <T>(message: string, fallback: T): Promise<T | string> => {
    asked.push([message, fallback]);
    return answers[message] ?? fallback;
  };
  return {
    asked,
    questions: {
      text: async (message, fallback, check) => {
        const said = await answer(message, fallback);
        const problem = check(said);
        if (problem !== undefined) throw new Error(problem);
        return said;
      },
      choose: (message, _choices, fallback) => answer(message, fallback),
      confirm: async (message, fallback) => (await answer(message, fallback)) === true,
    },
  };
}

describe("the questions about a new stream", () => {
  test("come in the order and with the defaults that people know", async () => {
    const { questions, asked } = person({
      Subjects: "choria.node_metadata.>",
      "Per Subject Messages Limit": "5",
      "Message TTL": "1d",
    });
    const settings = await askForStream({}, questions);
    expect(asked).toEqual([
      ["Subjects", ""],
      ["Storage", "file"],
      ["Replication", "1"],
      ["Retention Policy", "Limits"],
      ["Discard Policy", "Old"],
      ["Stream Messages Limit", "-1"],
      ["Per Subject Messages Limit", "-1"],
      ["Total Stream Size", "-1"],
      ["Message TTL", "-1"],
      ["Max Message Size", "-1"],
      ["Duplicate tracking time window", "2m0s"],
      ["Allow message Roll-ups", false],
      ["Allow message deletion", true],
      ["Allow purging subjects or the entire stream", true],
    ]);
    expect(newStream("CHORIA_REGISTRATION", settings)).toMatchObject({
      subjects: ["choria.node_metadata.>"],
      max_msgs_per_subject: 5,
      max_age: 86_400e9,
      duplicate_window: 120e9,
      deny_delete: false,
      deny_purge: false,
    });
  });

  test("leave out what is known already, and remember duplicates no longer than messages live", async () => {
    const { questions, asked } = person({});
    await askForStream({ subjects: ["a"], storage: "memory", maxAge: 30_000, retention: "interest" }, questions);
    const labels = asked.map(([label]) => label);
    for (const label of ["Subjects", "Storage", "Message TTL", "Retention Policy"]) expect(labels).not.toContain(label);
    expect(asked).toContainEqual(["Duplicate tracking time window", "30s"]);
  });

  test("refuse answers that mean nothing", async () => {
    for (const answers of [
      { Subjects: " , " },
      { Replication: "many" },
      { "Total Stream Size": "1Q" },
      { "Message TTL": "x" },
    ]) {
      const all: Record<string, string> = { Subjects: "a", ...answers };
      await expect(askForStream({}, person(all).questions)).rejects.toThrow();
    }
  });

  test("are not asked where defaults are accepted, except for what has none", async () => {
    expect(await askForStream({ subjects: ["a"] }, noQuestions)).toMatchObject({ maxMessages: -1, storage: "file" });
    await expect(askForStream({}, noQuestions)).rejects.toThrow("Subjects: at least one subject is needed");
  });
});

describe("what is shown of a stream", () => {
  test("is what the original shows", () => {
    const text = infoText(golden);
    expect(text).toStartWith("Information for Stream CHORIA_EVENTS created ");
    for (const line of [
      "                     Subjects: choria.lifecycle.>",
      "                      Storage: File",
      "\nOptions:\n\n                    Retention: Limits",
      "             Duplicate Window: 2m0s",
      "                  Maximum Age: 1d0h0m0s",
      "\nCluster Information:\n\n                         Name: CHORIA\n                       Leader: broker.choria.local\n",
      "           Required API Level: 0 hosted at level 4",
      "                        Bytes: 1.9 KiB",
      "             Active Consumers: 0\n           Number of Subjects: 2\n",
    ]) {
      expect(text).toContain(line);
    }
  });

  test("tells how long ago something was", () => {
    const now = Date.parse("2026-11-22T12:00:00Z");
    expect(ago("2026-11-22T11:59:43.64Z", now)).toBe("16.36s");
    expect([ago("0001-01-01T00:00:00Z", now), ago(undefined, now)]).toEqual(["never", "never"]);
  });

  test("names changes line by line", () => {
    const changes = [
      { key: "max_msgs", before: "-1", after: "100" },
      { key: "sealed", before: undefined, after: "true" },
    ];
    expect(changesText(changes)).toBe(
      "Differences (-old +new):\n  - max_msgs: -1\n  + max_msgs: 100\n  + sealed: true\n\n",
    );
  });

  test("has gaps where sequences are missing", () => {
    expect(gapsOf([3, 4, 5, 9, 11, 12])).toEqual([
      [3, 5],
      [9, 9],
      [11, 12],
    ]);
    expect(gapsOf([])).toEqual([]);
  });

  test("is found by what it is like", () => {
    const now = Date.parse(golden.state.last_ts) + 3_600_000;
    const found = (flags: Parameters<typeof matches>[1]) => matches(golden, flags, now);
    expect([found({}), found({ idle: 3_500_000 }), found({ idle: 3_700_000 })]).toEqual([true, true, false]);
    expect([found({ empty: true }), found({ consumers: 1 }), found({ replicas: 1 })]).toEqual([false, true, false]);
    expect([found({ subject: ["choria.lifecycle.>"] }), found({ subject: ["x"] })]).toEqual([true, false]);
  });
});

describe("choria broker stream", () => {
  let network: StreamNetwork;
  const stream = (...args: string[]) => network.as("streams", ["broker", "stream", ...args]);

  beforeAll(async () => {
    network = await streamNetwork();
  });

  afterAll(async () => {
    await network[Symbol.asyncDispose]();
  });

  test("makes, shows, changes and removes a stream", async () => {
    const added = await network.as("streams", ["broker", "s", "add", "SUBMIT", "--subjects", "in.>", "--defaults"]);
    expect(added).toMatchObject({ code: 0, err: "" });
    expect(added.out).toStartWith("Stream SUBMIT was created\n\nInformation for Stream SUBMIT created ");
    expect((await stream("add", "SUBMIT", "--subjects", "in.>", "--defaults", "--max-msgs", "9")).err).toContain(
      "could not create Stream: stream name already in use",
    );
    const dry = await stream("edit", "SUBMIT", "--max-msgs", "100", "--dry-run");
    expect(dry).toMatchObject({ code: 1, out: "Differences (-old +new):\n  - max_msgs: -1\n  + max_msgs: 100\n\n" });
    expect((await stream("edit", "SUBMIT", "--max-msgs", "100", "-f")).out).toContain("Maximum Messages: 100\n");
    expect((await stream("edit", "SUBMIT", "--max-msgs", "100", "-f")).out).toBe("No difference in configuration\n");
    const copied = await stream("copy", "SUBMIT", "OTHER", "--subjects", "other.>");
    expect(copied.out).toStartWith("Stream OTHER was created\n");
    expect((await stream("ls", "-n")).out.split("\n")).toContain("OTHER");
    expect((await stream("rm", "OTHER")).err).toContain("use -f to go on unasked");
    expect(await stream("rm", "OTHER", "-f")).toEqual({ code: 0, out: "", err: "" });
    expect((await stream("info", "OTHER")).err).toBe('choria: error: stream "OTHER" does not exist\n');
  });

  test("writes JSON with the fields of the original", async () => {
    const names: string[] = JSON.parse((await stream("ls", "-j")).out);
    expect(names).toContain("CHORIA_EVENTS");
    expect(names.every((name) => typeof name === "string" && !name.startsWith("KV_"))).toBe(true);
    expect(JSON.parse((await stream("ls", "-a", "-j")).out)).toContain("KV_CHORIA_LEADER_ELECTION");
    const info = JSON.parse((await stream("info", "CHORIA_EVENTS", "-j")).out);
    expect(Object.keys(info)).toEqual(Object.keys(golden));
    for (const part of ["config", "state"] as const) {
      const types = (value: object) => Object.fromEntries(Object.entries(value).map(([key, one]) => [key, typeof one]));
      const own = types(info[part]);
      for (const [key, type] of Object.entries(types(golden[part]))) {
        if (key !== "num_subjects") expect({ key, type: own[key] }).toEqual({ key, type });
      }
    }
  });

  test("shows messages, page by page and one by one", async () => {
    const stored = (subject: string, text: string) => network.as("admin", ["tool", "pubsub", "publish", subject, text]);
    await stored("in.hello", "Hello");
    await stored("in.bye", "Bye");
    const got = await stream("get", "SUBMIT", "1");
    expect(got.out).toMatch(
      /^Item: SUBMIT#1 received \d{4}-\d\d-\d\d [\d:.]+ \+0000 UTC \([\d.ms]+\) on Subject in\.hello\n\nHello\n\n$/,
    );
    const document = JSON.parse((await stream("get", "SUBMIT", "-S", "in.bye", "-j")).out);
    expect(document).toMatchObject({ subject: "in.bye", seq: 2, data: btoa("Bye") });
    expect((await stream("get", "SUBMIT", "7")).err).toContain("no message found (10037)");
    expect((await stream("view", "SUBMIT", "--raw")).out).toBe("Hello\nBye\n");
    expect((await stream("view", "SUBMIT", "--id", "2")).out).toContain("[2] Subject: in.bye Received: ");
    expect((await stream("view", "SUBMIT", "26")).err).toContain("1 to 25 messages");
    expect(JSON.parse((await stream("subjects", "SUBMIT", "-j")).out)).toEqual({ "in.bye": 1, "in.hello": 1 });
    expect((await stream("rmm", "SUBMIT", "1", "-f")).code).toBe(0);
    expect((await stream("purge", "SUBMIT", "--keep", "-1", "-f")).err).toContain("expected a whole number, got '-1'");
    expect((await stream("purge", "SUBMIT", "-f")).out).toStartWith("Purged 1 messages from SUBMIT\n\nState for");
  });

  test("backs up and restores", async () => {
    const target = network.file("backup");
    const backup = await stream("backup", "SUBMIT", target);
    expect(backup).toMatchObject({ code: 0, err: "" });
    expect(backup.out).toMatch(
      /^Starting backup of Stream "SUBMIT" with .*\n\nReceived .* in 1 chunks for stream "SUBMIT"/,
    );
    expect((await stream("backup", "SUBMIT", target)).err).toContain("there is something of that name");
    expect((await stream("restore", target)).err).toContain('Stream "SUBMIT" already exist');
    await stream("rm", "SUBMIT", "-f");
    expect((await stream("restore", target)).out).toContain('Restored stream "SUBMIT" in ');
  });

  test("refuses who may not, names the subject, and leaves nothing behind", async () => {
    const target = network.file("events");
    const refused = await network.as("choria", ["broker", "s", "backup", "CHORIA_EVENTS", target]);
    expect(refused).toEqual({
      code: 1,
      out: "",
      err:
        "choria: error: The broker does not let up=choria publish to $JS.API.STREAM.INFO.CHORIA_EVENTS, " +
        "which needs a token with streams_admin or org_admin\n",
    });
    const listing = await network.as("choria", ["broker", "stream", "ls"]);
    expect(listing.err).toEndWith("$JS.API.STREAM.LIST, which needs a token with streams_admin or org_admin\n");
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(network.file(".")).filter((name) => name.startsWith(".events"))).toEqual([]);
    expect((await network.as("admin", ["broker", "s", "backup", "CHORIA_EVENTS", target])).code).toBe(0);
    expect(readdirSync(target).sort()).toEqual(["backup.json", "stream.tar.s2"]);
  });

  test("takes a configuration from a file, and writes one", async () => {
    const file = network.file("orders.json");
    const said = ["add", "ORDERS", "--subjects", "orders.>", "--max-age", "30d", "--defaults"];
    expect(await stream(...said, "--output", file)).toEqual({ code: 0, out: "", err: "" });
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ name: "ORDERS", max_age: 30 * 86_400e9 });
    expect((await stream("add", "--config", file, "--validate")).out).toBe("The configuration of ORDERS is valid\n");
    const added = await stream("add", "RETURNS", "--config", file, "--subjects", "returns.>", "--json");
    expect(JSON.parse(added.out).config).toMatchObject({ name: "RETURNS", subjects: ["returns.>"] });
    expect((await stream("add", "a.b", "--subjects", "x", "--defaults")).err).toContain('"a.b" is no name');
    expect((await stream("add", "X")).err).toContain('Cannot ask for "Subjects" without a terminal');
  });

  test("makes and uses consumers", async () => {
    const consumer = (...args: string[]) => network.as("streams", ["broker", "consumer", ...args]);
    await network.as("admin", ["tool", "pubsub", "publish", "returns.1", "a shoe"]);
    const added = await consumer("add", "RETURNS", "DESK", "--pull", "--defaults");
    expect(added.out).toContain("Pull Mode: true\n");
    expect(JSON.parse((await consumer("ls", "RETURNS", "-j")).out)).toEqual(["DESK"]);
    const next = await consumer("next", "RETURNS", "DESK");
    expect(next.out).toMatch(/^\[[\d:]{8}\] subj: returns\.1 \/ tries: 1 \/ cons seq: 1 \/ str seq: 1 \/ pending: 0\n/);
    expect(next.out).toEndWith("a shoe\n\nAcknowledged message\n\n");
    expect((await consumer("next", "RETURNS", "DESK", "--wait", "1s")).err).toContain("no message received");
    expect((await consumer("pause", "RETURNS", "DESK", "1h", "-f")).out).toStartWith("Paused RETURNS > DESK until ");
    expect((await consumer("resume", "RETURNS", "DESK", "-f")).out).toContain("was resumed while previously paused");
    expect((await consumer("report", "RETURNS")).out).toContain("Consumer report for RETURNS with 1 consumers");
    expect((await consumer("rm", "RETURNS", "DESK", "-f")).code).toBe(0);
    expect((await consumer("info", "RETURNS", "DESK")).err).toContain("consumer not found (10014)");
  });

  test("stops waiting for a message at once when it is interrupted", async () => {
    expect((await stream("add", "SILENT", "--subjects", "silent", "--defaults")).code).toBe(0);
    await network.as("admin", ["broker", "consumer", "add", "SILENT", "EAR", "--pull", "--defaults"]);
    let child: Bun.Subprocess | undefined;
    const onStart = (started: Bun.Subprocess) => {
      child = started;
    };
    const asked = network.as("admin", ["broker", "consumer", "next", "SILENT", "EAR", "--wait", "1h"], { onStart });
    await waitFor("the wait", async () => {
      const { out } = await network.as("admin", ["broker", "consumer", "info", "SILENT", "EAR", "-j"]);
      return JSON.parse(out).num_waiting > 0;
    });
    child?.kill("SIGTERM");
    expect((await asked).code).toBe(130);
  });

  test("has names of streams completed", async () => {
    const completed = async (...words: string[]) => (await network.as("streams", ["complete", "--", ...words])).out;
    expect(await completed("broker", "s", "info", "CHORIA_E")).toBe("CHORIA_EVENTS\t\n:4\n");
    expect(await completed("broker", "consumer", "add", "CHORIA_E")).toBe("CHORIA_EVENTS\t\n:4\n");
    expect(await completed("kv", "status", "")).toBe("CHORIA_LEADER_ELECTION\t\n:4\n");
    expect(await completed("broker", "stream", "add", "CHORIA_E")).not.toContain("CHORIA_EVENTS");
    expect((await network.as("choria", ["complete", "--", "broker", "s", "info", ""])).out).toBe(":4\n");
  });

  test("shows a login what it may, and what its account stores where it may know", async () => {
    const of = async (user: "streams" | "choria") => (await network.as(user, ["broker", "account", "info"])).out;
    const own = await of("streams");
    expect(own).toContain("User: up=streams\n");
    expect(own).toContain("Allow: $JS.>\n");
    expect(own).toContain("\nAccount Usage:\n");
    const other = await of("choria");
    expect(other).toContain("User: up=choria\n");
    expect(other).not.toContain("Account Usage");
  });

  test("gives the nats command a login of its own, for its owner alone", async () => {
    const file = network.file("client.nk");
    const { out } = await network.as("streams", ["broker", "credentials", file]);
    expect(readFileSync(file, "utf8")).toMatch(/^SU[A-Z2-7]{56}\n$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(out).toStartWith(`nats --server tls://${network.broker.address} --inbox-prefix choria.reply.`);
    expect(out).not.toContain(readFileSync(file, "utf8").trim());
  });
});
