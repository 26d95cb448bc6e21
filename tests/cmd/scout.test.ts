import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { Connection } from "../../lib/connector/mod.ts";
import { scoutAgent } from "../../lib/scout/mod.ts";
import { encodeUtf8, silentLogger } from "../../lib/std/mod.ts";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import recorded from "../fixtures/scout/events.json" with { type: "json" };
import { recordedGoss } from "../scout/support/goss.ts";
import { TestMachines } from "../scout/support/machines.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestTerminal } from "../support/pty.ts";
import { waitFor } from "../support/wait.ts";
import { choria, writeClientConfig } from "./support.ts";

let network: TestNetwork;
let config: string;
let publisher: Connection;
const folder = temporaryFolder();
const machines = [new TestMachines(), new TestMachines()];

beforeAll(async () => {
  const permissions = { fleet_management: true, events_viewer: true, org_admin: true };
  network = await testNetwork(0, { tls: true, permissions, nats: `jetstream { store_dir: "${folder.path}" }` });
  for (const [at, own] of machines.entries()) {
    const agents = [scoutAgent({ machines: own, goss: recordedGoss, logger: silentLogger })];
    await network.addNode(`n${at + 1}.example.net`, { agents });
  }
  publisher = await network.connect();
  const manager = await jetstreamManager(publisher.nats);
  await manager.streams.add({ name: "CHORIA_MACHINE", subjects: ["choria.machine.>"] });
  config = await writeClientConfig(network, "client.conf");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const scout = (...args: string[]) => choria(["scout", "--config", config, ...args]);
const withoutTimes = (text: string) =>
  text.replace(/\d+ +\d+s \[=+\] 100%/g, "BAR").replace(/in [\d.]+m?s\n/g, "in TIME\n");

/** What a recorded machine published, as if it were now. */
function publish(subject: string, data: object): void {
  const found = recorded.find((event) => event.subject === subject);
  const timestamp = Math.floor(Date.now() / 1_000);
  const body = { ...found?.body, data: { ...found?.body.data, timestamp, ...data } };
  publisher.publish(subject, encodeUtf8(JSON.stringify(body)));
}

const perfdata = [{ label: "a", value: 1, unit: "s" }];
const check = (identity: string, machine: string, status: string) =>
  publish("choria.machine.watcher.nagios.state", {
    identity,
    machine,
    status,
    output: `${status}: seen | a=1s`,
    perfdata,
  });
const transition = (identity: string, machine: string, from: string, to: string) =>
  publish("choria.machine.transition", { identity, machine, transition: to, from_state: from, to_state: to });

/** Publish again and again until somebody has seen it: subscriptions take their time. */
function keepPublishing(): Disposable {
  const work = () => {
    check("n1.example.net", "check_disk", "OK");
    check("n2.example.net", "check_load", "CRITICAL");
    transition("n2.example.net", "check_load", "OK", "CRITICAL");
    publisher.publish("choria.machine.transition", encodeUtf8("{}"));
  };
  const timer = setInterval(work, 100);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

describe("choria scout status", () => {
  test("shows the checks of a node, and asks nobody else", async () => {
    const { code, out, err } = await scout("status", "n1.example.net");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/│ +Scout status history +│/);
    expect(out).toMatch(/│ Name +│ State +│ Last Check +│ History +│/);
    expect(out).toMatch(/│ check_2 +│ CRITICAL │ \S+ +│ CR CR +│/);
    expect(out).toMatch(/│ check_choria +│ OK +│ \S+ +│ OK OK +│/);
    expect(withoutTimes(out)).toEndWith("\n\nFinished processing 1 / 1 hosts in TIME\n");
  });

  test("writes what the node said as JSON", async () => {
    const { code, out } = await scout("status", "n1.example.net", "--json");
    const { agent, action, replies } = JSON.parse(out);
    expect({ code, agent, action }).toEqual({ code: 0, agent: "scout", action: "checks" });
    expect(replies[0].data.checks).toHaveLength(5);
  });

  test("fails for a node that does not answer", async () => {
    const { code, err } = await scout("status", "nope.example.net");
    expect({ code, err }).toEqual({ code: 1, err: "choria: error: no response received from nope.example.net\n" });
  });
});

describe("choria scout trigger, maintenance and resume", () => {
  test("say how many checks they reached", async () => {
    const { code, out } = await scout("trigger");
    expect(code).toBe(0);
    expect(out).toStartWith("Discovering nodes .... 2\n");
    expect(withoutTimes(out)).toEndWith(
      "\n\nTriggered 10 checks on 2 nodes\n\nFinished processing 2 / 2 hosts in TIME\n",
    );
    expect((await scout("maintenance", "-I", "n1.example.net")).out).toContain(
      "Placed 5 checks into maintenance mode on 1 nodes\n",
    );
    expect((await scout("resume")).out).toContain("Placed 0 checks into normal check mode on 2 nodes\n");
    expect(machines[0]?.fired.slice(-1)).toEqual(["check_hb MAINTENANCE"]);
  });

  test("show nodes on which something failed, and end with 2", async () => {
    const { code, out } = await scout("trigger", "--check", "check_0", "--check", "nope", "-I", "n2.example.net");
    expect(code).toBe(2);
    expect(out).toMatch(/│ +Scout check trigger +│/);
    expect(out).toMatch(/│ Name +│ Triggered +│ Skipped +│ Failed +│ Message +│/);
    expect(out).toContain(
      "│ n2.example.net │ check_0   │         │ nope   │ Some checks could not be transitioned to FORCE_CHECK │",
    );
  });

  test("show every node, and all figures, when asked to", async () => {
    const { out } = await scout("trigger", "-v", "--check", "check_0", "-I", "n1.example.net");
    expect(out).toContain("│ n1.example.net │ check_0   │         │        │ OK      │");
    expect(out).toContain("Pass / Fail: 1 / 0");
  });

  test("write nothing but JSON when asked to", async () => {
    const { out } = await scout("trigger", "--json", "--check", "check_1");
    expect(JSON.parse(out).replies[0].data).toEqual({ transitioned: ["check_1"], failed: [], skipped: [] });
  });
});

describe("choria scout validate", () => {
  const rules = folder.file("goss.yaml");
  const totals = /\nNodes: 2, Failed: 2, Skipped: 0, Success: 2, Duration: \S+\n$/;

  beforeAll(async () => {
    await Bun.write(rules, "file: {}\n");
  });

  test("names the tests that failed, node by node, and ends with 2", async () => {
    const { code, out } = await scout("validate", rules);
    expect(code).toBe(2);
    expect(out).toContain(
      "n1.example.net\n\n    X File: /nope: exists: Expected false to equal true\n\nn2.example.net\n",
    );
    expect(out).not.toContain("/etc/passwd");
    expect(out).toMatch(totals);
  });

  test("names other tests when asked to, in a table too", async () => {
    expect((await scout("validate", rules, "--display", "ok")).out).toContain("    ✓ File: /etc/passwd: exists: ");
    const { out } = await scout("validate", rules, "--display", "all", "--table");
    expect(out).toMatch(/│ n1\.example\.net │ ✓ File: \/etc\/passwd: .+│\n│ +│ X File: \/nope: /);
    expect((await scout("validate", rules, "--display", "none")).out).toMatch(totals);
  });

  test("tells why a node could not", async () => {
    const { code, out } = await scout("validate", "/nonexistent/rules.yaml", "--remote-rules");
    expect(code).toBe(2);
    expect(out).toContain("n1.example.net\n\n    Could not validate: it cannot be read\n");
    expect(out).toMatch(/\nNodes: 2, Failed: 0, Skipped: 0, Success: 0, Duration: \S+\n$/);
  });

  test("writes what the nodes said as JSON", async () => {
    const { replies } = JSON.parse((await scout("validate", rules, "--json")).out);
    expect(replies.map(({ data }: { data: { tests: number } }) => data.tests)).toEqual([2, 2]);
  });

  test("takes rules from a bucket", async () => {
    const bucket = await new Kvm(jetstream(publisher.nats)).create("RULES");
    await bucket.put("web", "file: {}");
    expect((await scout("validate", "RULES.web", "--kv-rules")).out).toMatch(totals);
    expect((await scout("validate", "RULES.db", "--kv-rules")).err).toContain("The bucket RULES has no key db");
    expect((await scout("validate", "NONE.db", "--kv-rules")).err).toContain("Cannot read the bucket NONE: stream not");
    expect((await scout("validate", "nowhere.yaml")).err).toContain("Cannot read nowhere.yaml: ENOENT");
    expect((await scout("validate", "nobucket", "--kv-rules")).err).toContain("invalid kv bucket and key");
    expect((await scout("validate", rules, "--local", "--kv-rules")).err).toContain("out of reach with --local");
  });
});

/** The first lines of a command that goes on until it is interrupted. */
async function firstLines(count: number, ...args: string[]): Promise<string[]> {
  let out = "";
  const child = Bun.spawn(["./choria", "scout", "watch", "--config", config, ...args], {
    cwd: `${import.meta.dir}/../..`,
    env: { PATH: process.env.PATH, HOME: "/nonexistent" },
    stdout: "pipe",
    stderr: "pipe",
  });
  for await (const part of child.stdout) {
    out += new TextDecoder().decode(part);
    if (out.split("\n").length > count) child.kill("SIGINT");
  }
  expect(await child.exited).toBe(130);
  return out.split("\n").slice(0, count);
}

describe("choria scout watch", () => {
  test("writes a line an event where its output is no terminal", async () => {
    using _publishing = keepPublishing();
    const lines = await firstLines(6);
    const text = lines.join("\n").replace(/\d\d:\d\d:\d\d/g, "TIME");
    expect(text).toContain("TIME OK   n1.example.net check_disk: OK: seen");
    expect(text).toContain("TIME CRIT n2.example.net check_load: CRITICAL: seen");
    expect(text).toContain("TIME n2.example.net       OK => CRITICAL check_load");
  });

  test("leaves out what its flags leave out", async () => {
    using _publishing = keepPublishing();
    const lines = await firstLines(4, "--no-ok", "--ignore-machine-transition", "check_load", "--perf");
    expect(new Set(lines.map((line) => line.replace(/^\d\d:\d\d:\d\d /, "")))).toEqual(
      new Set(["CRIT n2.example.net check_load: CRITICAL: seen", "    a = 1 s"]),
    );
  });

  test("writes the documents themselves when asked to", async () => {
    using _publishing = keepPublishing();
    const [first = ""] = await firstLines(1, "--json", "--identity", "n2", "--check", "load");
    expect(JSON.parse(first)).toMatchObject({ specversion: "1.0", data: { identity: "n2.example.net" } });
  });

  test("begins with the past when asked to", async () => {
    check("old.example.net", "check_past", "WARNING");
    await publisher.flush();
    const [first] = await firstLines(1, "--history", "30m", "--check", "check_past");
    expect(first).toEndWith("WARN old.example.net check_past: WARNING: seen");
  });

  test("refuses more past than there is", async () => {
    expect((await scout("watch", "--history", "2h")).err).toContain("maximum history that can be fetched is 1 hour");
  });

  test("is a screen of panes on a terminal, which keys filter, scroll and end", async () => {
    using _publishing = keepPublishing();
    await using terminal = new TestTerminal(["./choria", "scout", "watch", "--config", config]);
    await waitFor("a check", () => terminal.screen.includes("OK   n1.example.net check_disk: OK: seen"));
    expect(terminal.sent).toContain("\u{1b}[?1049h");
    for (const title of ["─ Checks ─", "─ Transitions ─", "─ Observed Status ─"])
      expect(terminal.screen).toContain(title);
    expect(terminal.screen).toMatch(/IDENTITIES: 2 OK: 1 WARNING: 0 CRITICAL: 1 UNKNOWN: 0/);
    expect(terminal.lines).toHaveLength(24);
    expect(terminal.lines.slice(1, 23).map((line) => [line.length, line.at(-1)])).toEqual(
      terminal.lines.slice(1, 23).map((line) => [80, /[╮│╯]/.exec(line.at(-1) ?? "")?.[0]]),
    );
    terminal.press("/load");
    await waitFor("the filter", () => terminal.screen.includes("filter: load"));
    await waitFor("its effect", () => !terminal.screen.includes("check_disk"));
    terminal.press("\u{1b}");
    await waitFor("everything again", () => terminal.screen.includes("check_disk"));
    terminal.press("o");
    await waitFor("checks that are not OK", () => terminal.screen.includes("without OK"));
    expect(terminal.screen).not.toContain("check_disk");
    terminal.resize(120, 40);
    await waitFor("the other size", () => terminal.lines.length === 40 && terminal.lines[1]?.length === 120);
    terminal.press("q");
    expect(await terminal.process.exited).toBe(0);
    await waitFor("the terminal as it was", () => terminal.sent.endsWith("\u{1b}[?25h\u{1b}[?1049l"));
  });

  test("gives the terminal back when it is told to end, and when ^C is pressed", async () => {
    for (const [end, code] of [
      [(terminal: TestTerminal) => terminal.process.kill("SIGTERM"), 130],
      [(terminal: TestTerminal) => terminal.press("\u{3}"), 0],
    ] as const) {
      await using terminal = new TestTerminal(["./choria", "scout", "watch", "--config", config]);
      await waitFor("the screen", () => terminal.screen.includes("Observed Status"));
      end(terminal);
      expect(await terminal.process.exited).toBe(code);
      await waitFor("the terminal as it was", () => terminal.sent.endsWith("\u{1b}[?25h\u{1b}[?1049l"));
    }
  });
});
