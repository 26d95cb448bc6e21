import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { systemClock } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

type Options = Partial<Omit<TestMachineOptions, "definition">> & { interval?: number };

const statuses = ["OK", "WARNING", "CRITICAL", "UNKNOWN"];
const moves = Object.fromEntries(statuses.map((name) => [name, name]));

function checkMachine(properties: JsonObject, { interval = 60_000, ...options }: Options = {}): TestMachine {
  return new TestMachine({
    folder: tmpdir(),
    state: "UNKNOWN",
    name: "check_m",
    transitions: moves,
    random: () => 0,
    ...options,
    definition: { type: "nagios", name: "check", interval, stateMatch: statuses, properties },
  });
}

/** The document of the first check. */
async function checkOnce(machine: TestMachine): Promise<JsonObject> {
  await machine.start();
  machine.enter("FORCE_CHECK");
  await waitFor("the check", () => machine.announced.length > 0);
  return machine.announced[0] ?? {};
}

const exiting = (code: number, text = "") => `sh -c "echo '${text}'; exit ${code}"`;

describe("a nagios watcher", () => {
  test("says before its first check that there was none", async () => {
    using machine = checkMachine({ plugin: "true", annotations: { owner: "me", tier: 1 } });
    const watcher = await machine.load();
    expect(watcher.snapshot()).toEqual({
      fields: {
        plugin: "",
        status: "NOTCHECKED",
        status_code: 5,
        output: "",
        check_time: -62_135_596_800,
        perfdata: null,
        runtime: 0,
        history: [],
        annotations: { owner: "me", tier: "1" },
      },
      text: "check_m#check NOTCHECKED: ",
    });
  });

  test.each([
    [0, "OK"],
    [1, "WARNING"],
    [2, "CRITICAL"],
    [3, "UNKNOWN"],
    [6, "UNKNOWN"],
    [127, "UNKNOWN"],
  ])("takes exit code %d for %s, publishes it and fires it", async (code, status) => {
    using machine = checkMachine({ plugin: exiting(code, "text") });
    const { status: told, status_code: number, output } = await checkOnce(machine);
    expect([told, number, output]).toEqual([status, Math.min(code, 3), "text"]);
    await waitFor("the event", () => machine.events.length > 0);
    expect(machine.events).toEqual([status]);
  });

  test("publishes the whole document", async () => {
    using machine = checkMachine({ plugin: exiting(0, "OK - fine | a=1s;1;2 b=50%") });
    const { runtime, ...fields } = await checkOnce(machine);
    const perfdata = [
      { unit: "s", label: "a", value: 1 },
      { unit: "%", label: "b", value: 50 },
    ];
    expect(fields).toEqual({
      plugin: exiting(0, "OK - fine | a=1s;1;2 b=50%"),
      status: "OK",
      status_code: 0,
      output: "OK - fine | a=1s;1;2 b=50%",
      check_time: Date.UTC(2026, 0, 1) / 1_000,
      perfdata,
      history: [{ execute: "2026-01-01T00:00:00.000Z", status: 0, perfdata }],
      annotations: {},
    });
    expect(Number(runtime)).toBeGreaterThan(0);
    expect(Number(runtime)).toBeLessThan(10);
  });

  test.each([
    ["that cannot be started", "/nonexistent/check -w 5"],
    ["that dies", "sh -c 'kill -9 $$'"],
    ["with an open quote", "sh -c 'x"],
  ])("does not know what a plugin says %s", async (_, plugin) => {
    using machine = checkMachine({ plugin });
    const { status, output, history } = await checkOnce(machine);
    expect([status, output]).toEqual(["UNKNOWN", ""]);
    expect(history).toHaveLength(1);
  });

  test("gives a plugin a second, or the time it is given", async () => {
    using machine = checkMachine({ plugin: "sh -c 'echo begun; sleep 60'", timeout: "200ms" }, { clock: systemClock });
    const { status, output, runtime } = await checkOnce(machine);
    expect([status, output]).toEqual(["UNKNOWN", "begun"]);
    expect(Number(runtime)).toBeLessThan(1);
  });

  test.each([4, 5])("lets a plugin that ends with %d change nothing", async (code) => {
    using machine = checkMachine({ plugin: exiting(code, "four") });
    const watcher = await machine.start();
    machine.enter("FORCE_CHECK");
    await waitFor("the check", () => watcher.snapshot().fields.output === "four");
    const { status, history } = watcher.snapshot().fields;
    expect([status, history, machine.announced, machine.events]).toEqual(["NOTCHECKED", [], [], []]);
  });

  test("checks at a random time of the first interval, and then at each", async () => {
    using machine = checkMachine({ plugin: "true" }, { random: () => 0.5 });
    await machine.start();
    await machine.clock.advance(29_999);
    expect(machine.announced).toEqual([]);
    await machine.clock.advance(1);
    await waitFor("the first", () => machine.announced.length === 1);
    await machine.clock.advance(60_000);
    await waitFor("the second", () => machine.announced.length === 2);
  });

  test("does not check in other states, and raises no alarm there", async () => {
    using machine = checkMachine({ builtin: "nope" });
    const watcher = await machine.start();
    await machine.clock.advance(0);
    await waitFor("the check", () => machine.announced.length === 1);
    machine.enter("MAINTENANCE");
    expect(watcher.snapshot().fields).toMatchObject({ status: "OK", status_code: 0 });
    await machine.clock.advance(600_000);
    expect(machine.announced).toHaveLength(1);
    machine.enter("CRITICAL");
    expect(watcher.snapshot().fields).toMatchObject({ status: "CRITICAL", status_code: 2 });
    expect(machine.announced[0]?.history).toHaveLength(1);
  });

  test("checks at once when it is forced to, whatever its states, and leaves out the check that follows too soon", async () => {
    using machine = checkMachine({ builtin: "heartbeat" });
    await machine.start();
    await machine.clock.advance(0);
    await waitFor("the first", () => machine.events.length === 1);
    await machine.clock.advance(58_000);
    machine.enter("FORCE_CHECK");
    await waitFor("the forced", () => machine.events.length === 2);
    expect(machine.state).toBe("OK");
    await machine.clock.advance(2_000);
    expect(machine.announced).toHaveLength(2);
    await machine.clock.advance(60_000);
    await waitFor("the next", () => machine.announced.length === 3);
  });

  test("goes on checking where the clock is set back", async () => {
    using machine = checkMachine({ builtin: "heartbeat" });
    await machine.start();
    await machine.clock.advance(0);
    await waitFor("the first", () => machine.events.length === 1);
    machine.clock.setBack(3_600_000);
    await machine.clock.advance(60_000);
    await waitFor("the next", () => machine.announced.length === 2);
  });

  test("remembers fifteen checks", async () => {
    using machine = checkMachine({ builtin: "heartbeat" });
    await machine.start();
    for (let count = 1; count <= 20; count++) {
      await machine.clock.advance(count === 1 ? 0 : 60_000);
      await waitFor("a check", () => machine.announced.length === count);
    }
    const history = machine.last?.history as JsonObject[];
    expect(history.map(({ execute }) => execute)).toEqual(
      Array.from({ length: 15 }, (_, index) => new Date(Date.UTC(2026, 0, 1, 0, index + 5)).toISOString()),
    );
  });

  test("cuts what a plugin prints to what can be published", async () => {
    using machine = checkMachine({ plugin: `sh -c 'head -c 500000 /dev/zero | tr "\\\\0" x; echo "|a=1"'` });
    const { output, perfdata } = await checkOnce(machine);
    expect(String(output)).toHaveLength(32_768);
    expect(perfdata).toEqual([{ unit: "", label: "a", value: 1 }]);
  });

  test("does not know what a plugin says that floods", async () => {
    using machine = checkMachine({ plugin: "yes", timeout: "1m" });
    expect((await checkOnce(machine)).status).toBe("UNKNOWN");
  });

  test("takes commands from templates, with what the overrides have for the machine", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("o.json"), JSON.stringify({ check_m: { args: "-w 1 <b>", n: { x: 7 } }, other: {} }));
    using machine = checkMachine(
      {
        plugin:
          '/bin/echo {{ o "args" "deflt" }} {{o "nope.x" 5}} {{ o "n.x" 0 }} {{ o `none` "a b" }} {{ if o "n" "" }}{{ o "n" "" }}{{ end }}',
      },
      { settings: { overridesFile: folder.file("o.json") } },
    );
    const { plugin, output } = await checkOnce(machine);
    expect(plugin).toBe("/bin/echo -w 1 &lt;b&gt; 5 7 a b {&#34;x&#34;:7}");
    expect(output).toBe("-w 1 &lt;b&gt; 5 7 a b {&#34;x&#34;:7}");
  });

  test("does not know where a template or the overrides cannot be read", async () => {
    using broken = checkMachine({ plugin: "/bin/echo {{ nope }}" });
    expect(await checkOnce(broken)).toMatchObject({ status: "UNKNOWN", output: expect.stringContaining("nope") });
    using missing = checkMachine(
      { plugin: '/bin/echo {{ o "a" 1 }}' },
      { settings: { overridesFile: "/nonexistent" } },
    );
    expect((await checkOnce(missing)).status).toBe("UNKNOWN");
  });

  test.each([
    [{}, "could not set properties: plugin or builtin is required"],
    [{ plugin: "x", builtin: "y" }, "could not set properties: cannot set plugin and builtin"],
    [{ builtin: "goss" }, "could not set properties: gossfile property is required for the goss builtin check"],
    [{ builtin: "choria_status" }, "could not set properties: last_message property is required"],
    [{ plugin: "x", annotations: "y" }, "could not set properties: annotations has to be a table of values"],
  ])("refuses %p", async (properties, error) => {
    await expect(checkMachine(properties).load()).rejects.toThrow(error);
  });

  test("refuses an interval that is too small", async () => {
    await expect(checkMachine({ plugin: "x" }, { interval: 499 }).load()).rejects.toThrow(
      "interval 499ms is too small",
    );
  });
});

describe("builtin checks", () => {
  test("heartbeat gives the time", async () => {
    using machine = checkMachine({ builtin: "heartbeat" });
    const { plugin, status, output } = await checkOnce(machine);
    expect([plugin, status, output]).toEqual(["heartbeat", "OK", String(Date.UTC(2026, 0, 1) / 1_000)]);
  });

  test("one that does not exist is unknown", async () => {
    using machine = checkMachine({ builtin: "nope" });
    const { plugin, status, output } = await checkOnce(machine);
    expect([plugin, status, output]).toEqual(["nope", "UNKNOWN", ""]);
  });

  describe("choria_status", () => {
    const now = Date.UTC(2026, 0, 1);
    const unset = "0001-01-01T00:00:00Z";
    const stats = { total: 1, valid: 2, invalid: 3, passed: 4, filtered: 5, replies: 6, ttlexpired: 7, events: 8 };
    const healthy = {
      identity: "n1",
      uptime: 10,
      connected_server: "nats://broker:4222",
      last_message: 0,
      provisioning_mode: false,
      stats,
      certificate_expires: unset,
      token_expires: "2026-01-11T00:00:00Z",
    };

    async function statusCheck(change: JsonObject, properties: JsonObject = {}, ageSeconds = 1): Promise<JsonObject> {
      using folder = temporaryFolder();
      const path = folder.file("status.json");
      writeFileSync(path, JSON.stringify({ ...healthy, ...change }));
      utimesSync(path, now / 1_000 - ageSeconds, now / 1_000 - ageSeconds);
      using machine = checkMachine(
        { builtin: "choria_status", last_message: "1h", ...properties },
        { settings: { statusFile: path, statusInterval: 30_000 } },
      );
      const { status, output } = await checkOnce(machine);
      return { status, output: String(output).replace(path, "FILE") };
    }

    test("a server that is well is OK, with its figures", async () => {
      const figures =
        "uptime=10;; filtered_msgs=5;; invalid_msgs=3;; passed_msgs=4;; replies_msgs=6;; total_msgs=1;; " +
        "ttlexpired_msgs=7;; last_msg=0;; cert_expire_seconds=9223372036854775807;; token_expire_seconds=864000;; events=8;;";
      expect(await statusCheck({})).toEqual({ status: "OK", output: `OK: FILE|${figures}` });
    });

    test.each([
      [{}, {}, 91, "older than 1m30s"],
      [
        { certificate_expires: "2026-01-02T00:00:00Z" },
        { pubcert_expire: "48h" },
        1,
        "certificate expires 2026-01-02 00:00:00 +0000 UTC (24h0m0s)",
      ],
      [{}, { token_expire: "241h" }, 1, "token expires 2026-01-11 00:00:00 +0000 UTC (240h0m0s)"],
      [{ last_message: now / 1_000 - 3_601 }, {}, 1, "last message at 2025-12-31 22:59:59 +0000 UTC"],
      [{ uptime: 4_000 }, {}, 1, "last message at 1970-01-01 00:00:00 +0000 UTC"],
      [{ connected_server: "" }, {}, 1, "Not connected to any server"],
    ])("%p with %p, %d s old, is critical", async (change, properties, age, text) => {
      const { status, output } = await statusCheck(change, properties, age);
      expect(status).toBe("CRITICAL");
      expect(String(output)).toStartWith(`CRITICAL: ${text}|uptime=`);
    });

    test.each([
      [{ token_expires: unset }, { token_expire: "24h", pubcert_expire: "24h" }],
      [{}, { token_expire: "239h" }],
      [{ last_message: now / 1_000 - 3_599, uptime: 90_000 }, {}],
    ])("%p with %p is well", async (change, properties) => {
      expect((await statusCheck(change, properties)).status).toBe("OK");
    });

    test("a file that is not set is unknown, and one that cannot be read critical", async () => {
      using unsetFile = checkMachine({ builtin: "choria_status", last_message: "1h" });
      expect(await checkOnce(unsetFile)).toMatchObject({ status: "UNKNOWN", output: "Status file not configured" });
      using missing = checkMachine(
        { builtin: "choria_status", last_message: "1h" },
        { settings: { statusFile: "/nonexistent" } },
      );
      const { status, output } = await checkOnce(missing);
      expect(status).toBe("CRITICAL");
      expect(String(output)).toStartWith("Status file error: ");
    });
  });

  describe("goss", () => {
    /** A goss of the test's own, which prints what goss 0.4.9 prints. */
    async function gossCheck(script: string, settings: TestMachineOptions["settings"] = {}): Promise<JsonObject> {
      using folder = temporaryFolder();
      mkdirSync(folder.file("bin"));
      writeFileSync(folder.file("bin/goss"), `#!/bin/sh\n${script}\n`);
      chmodSync(folder.file("bin/goss"), 0o755);
      writeFileSync(folder.file("goss.yaml"), "file: {}\n");
      const path = process.env.PATH;
      process.env.PATH = `${folder.file("bin")}:${path}`;
      try {
        using machine = checkMachine(
          { builtin: "goss", gossfile: "goss.yaml" },
          { folder: folder.path, ...(settings === undefined ? {} : { settings }) },
        );
        return await checkOnce(machine);
      } finally {
        process.env.PATH = path;
      }
    }
    const summary = (failed: number) =>
      JSON.stringify({
        results: [],
        summary: {
          "failed-count": failed,
          "skipped-count": 0,
          "summary-line": "…",
          "test-count": 2,
          "total-duration": 77_000,
        },
      });

    test("counts tests that fail", async () => {
      expect(await gossCheck(`echo '${summary(1)}'; exit 1`)).toMatchObject({
        status: "CRITICAL",
        output: "CRITICAL: Count: 2, Failed: 1, Duration: 0.000s|checks=2;; failed=1;; runtime=0.000077s",
        perfdata: [
          { unit: "", label: "checks", value: 2 },
          { unit: "", label: "failed", value: 1 },
          { unit: "s", label: "runtime", value: 0.000077 },
        ],
      });
      expect(await gossCheck(`echo '${summary(0)}'`)).toMatchObject({
        status: "OK",
        output: "OK: Count: 2, Failed: 0, Duration: 0.000s|checks=2;; failed=0;; runtime=0.000077s",
      });
    });

    test("is given the rules that stand in the machine's folder", async () => {
      const { output } = await gossCheck('cat "$2" >&2; exit 78');
      expect(output).toBe("UNKNOWN: goss validate failed: file: {}");
    });

    test("does not know where goss fails, and says why", async () => {
      expect(await gossCheck("echo 'Error: found 0 tests, source: STDIN' >&2; exit 78")).toMatchObject({
        status: "UNKNOWN",
        output: "UNKNOWN: goss validate failed: found 0 tests, source: STDIN",
      });
      expect(await gossCheck("echo '[]'")).toMatchObject({ status: "UNKNOWN" });
    });

    test("does not know where there is no goss, and says so", async () => {
      const path = process.env.PATH;
      process.env.PATH = "/nonexistent";
      try {
        using machine = checkMachine({ builtin: "goss", gossfile: "/x.yaml" });
        expect((await checkOnce(machine)).output).toBe(
          "UNKNOWN: goss validate failed: the program goss is not on the PATH of the server",
        );
      } finally {
        process.env.PATH = path;
      }
    });
  });
});

describe("Prometheus' text file", () => {
  const name = "choria_machine_nagios_watcher_status.prom";

  test("holds the checks of a node, and forgets those whose machine is deleted", async () => {
    using folder = temporaryFolder();
    const settings = { textfileFolder: folder.path };
    using first = checkMachine({ builtin: "heartbeat" }, { settings, name: "check_a", random: () => 0.5 });
    const watcher = await first.start();
    const text = async () => {
      await first.clock.advance(500);
      return readFileSync(folder.file(name), "utf8");
    };
    expect(await text()).toContain('choria_machine_nagios_watcher_status{name="check_a",status="UNKNOWN"} 3\n');
    first.enter("FORCE_CHECK");
    await waitFor("the check", () => first.events.length === 1);
    const start = Date.UTC(2026, 0, 1) / 1_000;
    expect(
      await text(),
    ).toBe(`# HELP choria_machine_nagios_start_time Time the Choria Machine subsystem started in unix seconds
# TYPE choria_machine_nagios_start_time gauge
choria_machine_nagios_start_time ${start}
# HELP choria_machine_nagios_watcher_status Choria Nagios Check Status
# TYPE choria_machine_nagios_watcher_status gauge
choria_machine_nagios_watcher_status{name="check_a",status="OK"} 0
# HELP choria_machine_nagios_watcher_last_run_seconds Choria Nagios Check Time
# TYPE choria_machine_nagios_watcher_last_run_seconds gauge
choria_machine_nagios_watcher_last_run_seconds{name="check_a"} ${start}
# HELP choria_machine_nagios_watcher_checks_count Choria Nagios Check Count
# TYPE choria_machine_nagios_watcher_checks_count counter
choria_machine_nagios_watcher_checks_count{name="check_a"} 3
`);
    await watcher.deleted?.();
    expect(await text()).not.toContain("check_a");
  });

  test("is not written where its folder is missing", async () => {
    using machine = checkMachine({ builtin: "heartbeat" }, { settings: { textfileFolder: "/nonexistent/prom" } });
    await checkOnce(machine);
    await machine.clock.advance(500);
    expect(machine.logger.lines.filter(({ level }) => level === "error")).toEqual([]);
  });
});
