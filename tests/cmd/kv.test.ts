import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { TestTerminal } from "../support/pty.ts";
import { waitFor } from "../support/wait.ts";
import { type StreamNetwork, streamNetwork } from "./streams_support.ts";
import { checkout } from "./support.ts";

// Every test runs the command line some dozen times, beside whatever else the machine does.
setDefaultTimeout(60_000);

let network: StreamNetwork;
const kv = (...args: string[]) => network.as("admin", ["kv", ...args]);
const governor = (...args: string[]) => network.as("admin", ["governor", ...args]);
const election = (...args: string[]) => network.as("admin", ["election", ...args]);

beforeAll(async () => {
  network = await streamNetwork();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

describe("choria kv", () => {
  test("makes a bucket, and leaves one that is there as it is", async () => {
    const block =
      "SETTINGS Key-Value Store\n\n      Bucket Name: SETTINGS\n          History: 5\n              TTL: 0s\n" +
      "  Max Bucket Size: unlimited\n   Max Value Size: unlimited\n Storage Replicas: 1\n       Direct Get: true\n";
    expect(await kv("add", "SETTINGS")).toEqual({ code: 0, out: block, err: "" });
    expect((await kv("add", "SETTINGS", "--history", "9")).out).toBe(block);
  });

  test("stores, shows and forgets values", async () => {
    expect((await kv("put", "SETTINGS", "colour", "blue")).out).toBe("blue\n");
    const piped = await network.as("admin", ["kv", "put", "SETTINGS", "colour", "--", "-"], { input: "green" });
    expect(piped).toEqual({ code: 0, out: "", err: "" });
    expect((await kv("get", "SETTINGS", "colour")).out).toMatch(
      /^SETTINGS > colour sequence 2 created @ \d\d \w{3} \d\d \d\d:\d\d UTC\n\ngreen\n$/,
    );
    expect((await kv("get", "SETTINGS", "colour", "--raw")).out).toBe("green");
    expect((await kv("create", "SETTINGS", "colour", "red")).err).toContain("wrong last sequence: 2: key exists");
    expect((await kv("update", "SETTINGS", "colour", "red", "2")).out).toBe("Updated colour, new revision 3\n");
    expect((await kv("update", "SETTINGS", "colour", "red", "2")).err).toContain("wrong last sequence: 3");
    expect((await kv("history", "SETTINGS", "colour")).out.match(/PUT/g)).toHaveLength(3);
    expect((await kv("keys", "SETTINGS")).out).toBe("colour\n");
    expect((await kv("ls")).out).toContain("│ SETTINGS");
    expect((await kv("watch", "SETTINGS", "--once")).out).toBe("red");
    expect((await kv("del", "SETTINGS", "colour")).err).toContain("Really remove the colour key from bucket SETTINGS");
    expect((await kv("del", "SETTINGS", "colour", "-f")).code).toBe(0);
    expect(await kv("get", "SETTINGS", "colour")).toMatchObject({ code: 1 });
    expect((await kv("purge", "SETTINGS", "colour", "-f")).code).toBe(0);
  });

  test("shows what is no text in base64, and cuts what is long", async () => {
    await network.as("admin", ["kv", "put", "SETTINGS", "long", "-"], { input: "x".repeat(500) });
    expect((await kv("get", "SETTINGS", "long")).out).toContain(
      "Showing first 80 characters, use --raw for full value",
    );
    await network.as("admin", ["kv", "put", "SETTINGS", "raw", "-"], { input: "\u0001\u0002" });
    expect((await kv("get", "SETTINGS", "raw")).out).toEndWith("\n\nAQI=\n");
  });

  test("gives a value to the last byte, but to terminals only what they show", async () => {
    await network.as("admin", ["kv", "put", "SETTINGS", "clear", "-"], { input: "a\u001b[2Jb\u001b]0;title\u0007c" });
    expect((await kv("get", "SETTINGS", "clear", "--raw")).out).toBe("a\u001b[2Jb\u001b]0;title\u0007c");
    for (const args of [
      ["get", "SETTINGS", "clear", "--raw"],
      ["watch", "SETTINGS", "clear", "--once"],
    ]) {
      await using terminal = new TestTerminal([`${checkout}/choria`, "kv", ...args], { env: network.env("admin") });
      await terminal.process.exited;
      await waitFor("the value to be shown", () => terminal.sent.includes("c"));
      expect(terminal.sent).toBe("a\ufffd[2Jb\ufffd]0;title\ufffdc");
    }
  });

  test("backs up, removes and restores a bucket", async () => {
    const target = network.file("settings");
    expect((await kv("backup", "SETTINGS", target, "--max-size", "1")).err).toBe(
      "choria: error: the backup is larger than 1 B: allow more by --max-size\n",
    );
    expect((await kv("backup", "SETTINGS", target)).out).toContain("backup of bucket SETTINGS in ");
    expect((await kv("restore", target)).err).toContain("bucket SETTINGS already exists");
    expect((await kv("del", "SETTINGS", "-f")).code).toBe(0);
    expect((await kv("restore", target)).out).toContain("Values Stored: ");
    expect((await kv("keys", "NONE")).err).toBe("choria: error: bucket NONE not found\n");
  });

  test("names the subject to those who may not write", async () => {
    const { code, err } = await network.as("streams", ["kv", "put", "SETTINGS", "a", "b"]);
    expect([code, err]).toEqual([1, "choria: error: The broker does not let up=streams publish to $KV.SETTINGS.a\n"]);
  });
});

describe("choria governor", () => {
  test("makes, shows, changes and removes a governor", async () => {
    expect((await governor("list")).out).toBe("No Governors found\n");
    const made = "Configuration:\n\n  Capacity: 2\n   Expires: 1m0s\n  Replicas: 1\n\n";
    expect((await governor("add", "GOV", "2", "1m")).out).toBe(made);
    expect((await governor("list")).out).toBe("Known Governors:\n\n\tGOV\n");
    const golden = JSON.parse(readFileSync(`${checkout}/tests/fixtures/cli/governor-ls.json`, "utf8"));
    expect(JSON.parse((await governor("ls", "-j")).out)).toEqual(golden);
    expect((await governor("add", "GOV", "3", "1m")).err).toContain("Update configuration for GOV?");
    expect((await governor("add", "GOV", "3", "1m", "-f")).out).toContain("  Capacity: 2 desired: 3\n");
    expect((await governor("view", "GOV")).out).toContain("       Capacity: 3\n");
    expect((await governor("evict", "GOV", "1", "-f")).out).toBe("No lease entries to remove\n");
    expect((await governor("view", "NONE")).err).toContain("unknown governor");
  });

  test("runs a program while it holds a slot, and ends as it ends", async () => {
    await governor("add", "ONE", "1", "1m");
    const seen = network.file("slots");
    const script = `./choria governor view ONE > ${seen}; exit 3`;
    expect((await governor("run", "ONE", "--", "sh", "-c", script)).code).toBe(3);
    expect(readFileSync(seen, "utf8")).toContain("Active Leases: 1\n");
    expect((await governor("view", "ONE")).out).toContain("Active Leases: 0\n");
    expect((await governor("run", "ONE", "--", "no-such-program")).err).toContain("there is no such program");
  });

  test("takes no slot for a program that is not there", async () => {
    const missing = await governor("run", "ONE", "--max-per-period", "--", "no-such-program");
    expect(missing).toMatchObject({
      code: 1,
      err: "choria: error: Cannot run no-such-program: there is no such program\n",
    });
    expect((await governor("view", "ONE")).out).toContain("Active Leases: 0\n");
  });

  test("does not run it when no slot becomes free in time", async () => {
    expect((await governor("run", "ONE", "--max-per-period", "--", "true")).code).toBe(0);
    const late = await governor("run", "ONE", "--max-wait", "100ms", "--interval", "50ms", "--", "echo", "never");
    expect(late).toMatchObject({ code: 1, out: "" });
    expect(late.err).toContain("could not get a execution slot");
    expect((await governor("reset", "ONE", "-f")).out).toBe("Removed 1 entries from ONE\n");
    expect((await governor("delete", "ONE", "-f")).code).toBe(0);
  });
});

describe("choria election", () => {
  test("runs a program once it is won, and shows and evicts the leader", async () => {
    const started = network.file("started");
    const script = `touch ${started}; while [ -e ${started} ]; do sleep 0.05; done; exit 4`;
    const running = election("run", "CRON", "--", "sh", "-c", script);
    await waitFor("the election to be won", () => existsSync(started), 20_000);
    const info = await election("info");
    expect(info.out).toContain("Election bucket information for CHORIA_LEADER_ELECTION\n\n       Created: ");
    expect(info.out).toMatch(/│ CRON +│ client\.example\.net │/);
    expect((await election("evict", "CRON", "-f")).out).toBe(
      "Evicted the leader from election CRON in bucket CHORIA_LEADER_ELECTION\n",
    );
    expect((await election("evict", ">", "-f")).err).toBe('choria: error: Cannot evict from ">": name one election\n');
    await Bun.file(started).delete();
    expect((await running).code).toBe(4);
  });

  test("is not stood in for what cannot be done when it is won", async () => {
    const missing = await election("run", "NOTHING", "--", "no-such-program");
    expect(missing).toMatchObject({
      code: 1,
      err: "choria: error: Cannot run no-such-program: there is no such program\n",
    });
    const file = network.file("nowhere/leader");
    expect((await election("file", file, "NOTHING")).err).toStartWith(`choria: error: Cannot write ${file}: `);
  });

  test("keeps a file while it is won", async () => {
    const file = network.file("leader");
    expect((await election("file", file, "--check")).code).toBe(1);
    let child: Bun.Subprocess | undefined;
    const onStart = (started: Bun.Subprocess) => {
      child = started;
    };
    const running = network.as("admin", ["election", "file", file, "LEAD"], { onStart });
    await waitFor("the file to be there", () => existsSync(file), 20_000);
    expect((await election("file", file, "--check")).code).toBe(0);
    child?.kill("SIGTERM");
    expect((await running).code).toBe(130);
    expect(existsSync(file)).toBe(false);
  });
});
