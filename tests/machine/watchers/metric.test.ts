import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { answerDevice } from "../../../lib/machine/mod.ts";
import { graphiteLines } from "../../../lib/machine/watchers/_graphite.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

const now = Date.UTC(2026, 0, 1) / 1_000;

function metricMachine(properties: JsonObject, options: Partial<TestMachineOptions> = {}): TestMachine {
  return new TestMachine({
    folder: tmpdir(),
    random: () => 0,
    ...options,
    definition: {
      name: "js on",
      failTransition: "bad",
      ...options.definition,
      type: "metric",
      properties: { interval: "10s", ...properties },
    },
  });
}

const printing = (text: string) => `printf '%s' '${text}'`;

/** What the first measurement published, with the run time apart. */
async function measure(machine: TestMachine): Promise<{ document: JsonObject; runtime: number }> {
  await machine.start();
  await machine.clock.advance(0);
  await waitFor("the measurement", () => machine.announced.length > 0);
  const [first = {}] = machine.announced;
  const { labels, metrics, time } = first.metrics as Record<string, JsonObject>;
  const { choria_runtime_seconds: runtime, ...rest } = metrics ?? {};
  return { document: { labels, metrics: rest, time }, runtime: Number(runtime) };
}

/** A host that takes figures, or only the connection. */
async function graphiteHost(answers: boolean): Promise<{ port: number; text: () => string; [Symbol.dispose](): void }> {
  let text = "";
  const sockets: Socket[] = [];
  const server: Server = createServer({ allowHalfOpen: !answers }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    if (answers) socket.on("data", (data) => (text += data.toString()));
    else socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const dispose = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, text: () => text, [Symbol.dispose]: dispose };
}

describe("a metric watcher", () => {
  test("publishes the figures of a JSON document, with its own labels first", async () => {
    const output = '{"labels":{"x":"y","dc":"AMS"},"metrics":{"v":1.5,"w":2},"time":5}';
    using machine = metricMachine({ command: printing(output), labels: { dc: "LON,1" } });
    const { document, runtime } = await measure(machine);
    expect(document).toEqual({
      labels: { x: "y", dc: "LON,1", format: "choria" },
      metrics: { v: 1.5, w: 2 },
      time: now,
    });
    expect(runtime).toBeGreaterThan(0);
    expect(machine.events).toEqual([]);
  });

  test("publishes the figures of a Nagios plugin", async () => {
    using machine = metricMachine({ command: printing("OK: fine|t=1s;; u=2") });
    expect((await measure(machine)).document).toEqual({
      labels: { format: "nagios" },
      metrics: { t: 1, u: 2 },
      time: now,
    });
  });

  test("publishes its run time alone where there are no figures", async () => {
    using machine = metricMachine({ command: "echo hello" });
    expect((await measure(machine)).document).toEqual({ labels: { format: "nagios" }, metrics: {}, time: now });
    expect(machine.events).toEqual([]);
  });

  test.each([
    ["broken JSON", '{"metrics":'],
    ["figures that are texts", '{"metrics":{"a":"1"}}'],
    ["labels that are no texts", '{"labels":{"a":1},"metrics":{}}'],
    ["metrics that are a list", '{"metrics":[1]}'],
  ])("publishes and fails where the command prints %s", async (_, output) => {
    using machine = metricMachine({ command: printing(output), store: true });
    expect((await measure(machine)).document).toEqual({ labels: {}, metrics: {}, time: 0 });
    await waitFor("the event", () => machine.events.length === 1);
    expect(machine.events).toEqual(["bad"]);
    expect(machine.data.all).toEqual({});
  });

  test.each([
    ["fails", "sh -c 'echo {}; exit 1'"],
    ["is not there", "/nonexistent/command"],
    ["floods", "yes"],
  ])("says nothing of a command that %s", async (_, command) => {
    using machine = metricMachine({ command });
    await machine.start();
    await machine.clock.advance(0);
    await waitFor("the complaint", () => machine.logger.lines.some(({ level }) => level === "error"));
    expect([machine.announced, machine.events]).toEqual([[], []]);
  });

  test("measures first at a random time, then at each interval and when the machine changes its state", async () => {
    using machine = metricMachine({ command: printing("|a=1") }, { random: () => 0.5 });
    await machine.start();
    await machine.clock.advance(4_999);
    expect(machine.announced).toEqual([]);
    await machine.clock.advance(1);
    await waitFor("the first", () => machine.announced.length === 1);
    await machine.clock.advance(10_000);
    await waitFor("the second", () => machine.announced.length === 2);
    machine.enter("OTHER");
    await waitFor("the third", () => machine.announced.length === 3);
  });

  test("measures nothing in other states", async () => {
    using machine = metricMachine(
      { command: printing("|a=1") },
      { definition: { type: "metric", stateMatch: ["ON"] } },
    );
    await machine.start();
    await machine.clock.advance(60_000);
    expect(machine.announced).toEqual([]);
  });

  test("keeps what it measured in the machine's data beside that of others", async () => {
    const others = { other: { labels: {}, metrics: { a: 1 }, time: 1 } };
    using machine = metricMachine({ command: printing("|t=1"), store: 1 }, { data: { metric: others } });
    await measure(machine);
    expect(machine.data.get("metric")).toEqual({
      ...others,
      "js on": { labels: { format: "nagios" }, metrics: { t: 1 }, time: now },
    });
  });

  test("can be read over HTTP where the manifest says so", async () => {
    for (const http of [true, false]) {
      using machine = metricMachine({ command: printing("|t=1"), http });
      const watcher = await machine.start();
      await machine.clock.advance(0);
      await waitFor("the measurement", () => machine.announced.length > 0);
      const request = { method: "GET", path: "/choria/machine/metric/v1/m/js%20on", body: "" };
      const { status, body } = await answerDevice(request, (_, name) => (name === "js on" ? watcher : undefined));
      expect(status).toBe(http ? 200 : 400);
      if (http) expect(JSON.parse(body)).toMatchObject({ labels: { format: "nagios" }, metrics: { t: 1 }, time: now });
    }
  });

  test("has a line for people", async () => {
    using machine = metricMachine({ command: printing("|t=1 u=2.25") });
    const watcher = await machine.start();
    expect(watcher.snapshot().text).toBe("m#js on metrics: choria_runtime_seconds=0.000");
    await machine.clock.advance(0);
    await waitFor("the measurement", () => machine.announced.length > 0);
    expect(watcher.snapshot().text).toMatch(/^m#js on metrics: t=1.000, u=2.250, choria_runtime_seconds=0\.\d{3}$/);
  });

  test("needs a command", async () => {
    await expect(metricMachine({}).load()).rejects.toThrow("could not set properties: command is required");
  });
});

describe("figures for Prometheus", () => {
  const file = "choria_machine_metrics_watcher_status.prom";

  test("stand in one file, with names and labels that it can read", async () => {
    using folder = temporaryFolder();
    const settings = { textfileFolder: folder.path };
    const output = '{"labels":{"x-y":"Y \\"z\\""},"metrics":{"v":1.5,"w/s":2}}';
    using machine = metricMachine({ command: printing(output), labels: { dc: "LON,1" } }, { settings });
    await measure(machine);
    await machine.clock.advance(500);
    const text = readFileSync(folder.file(file), "utf8").replace(/(seconds\{.*\}) .*/, "$1 0");
    const labels = '{dc="lon_1",format="choria",x_y="y__z_"}';
    const lines = ["v", "w_s", "choria_runtime_seconds"].map((metric) => {
      const name = `choria_machine_metric_watcher_js_on_${metric}`;
      const value = { v: "1.500000", w_s: "2.000000" }[metric] ?? "0";
      return `# HELP ${name} Choria Metric\n# TYPE ${name} gauge\n${name}${labels} ${value}\n`;
    });
    expect(text).toBe(lines.join(""));
  });

  test("are gone when they are old, or the machine is deleted", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("broken"), "");
    const settings = { textfileFolder: folder.path };
    using first = metricMachine(
      { command: `sh -c '[ -e broken ] && echo "|t=1"; rm broken'` },
      {
        settings,
        folder: folder.path,
      },
    );
    const { node } = first.context.machine;
    using second = metricMachine({ command: printing("|u=1") }, { name: "n", clock: node.clock, settings });
    // Both machines are those of one node.
    Object.defineProperty(second.context.machine, "node", { value: node });
    await measure(first);
    const watcher = await second.start();
    const text = () => readFileSync(folder.file(file), "utf8");
    for (let count = 1; count <= 7; count++) {
      await first.clock.advance(count === 1 ? 0 : 9_500);
      await waitFor("a measurement", () => second.announced.length === count);
      await first.clock.advance(500);
      expect(text().includes("js_on_t")).toBe(count <= 5);
    }
    await watcher.deleted?.();
    await first.clock.advance(500);
    expect(text()).toBe("");
  });

  test("stay out where the manifest says so", async () => {
    using folder = temporaryFolder();
    const settings = { textfileFolder: folder.path };
    using machine = metricMachine({ command: printing("|t=1"), skip_prometheus: true }, { settings });
    await measure(machine);
    await machine.clock.advance(500);
    expect(await Bun.file(folder.file(file)).exists()).toBe(false);
  });
});

describe("figures for Graphite", () => {
  test("are sent with the watcher's name, or a prefix of the manifest's", async () => {
    using host = await graphiteHost(true);
    const graphite = { graphite_host: "127.0.0.1", graphite_port: host.port };
    using machine = metricMachine({ command: printing("|t=1.5"), ...graphite });
    const { runtime } = await measure(machine);
    expect(host.text()).toBe(`choria.js-on.t 1.500000 ${now}\nchoria.js-on.runtime ${runtime.toFixed(6)} ${now}\n`);
    expect(graphiteLines({ "a b\n": 1 }, { prefix: "p", time: 5 })).toBe("p.a_b_ 1.000000 5\n");
  });

  test("do not hold up the watcher where the host never answers or is not there", async () => {
    using host = await graphiteHost(false);
    for (const port of [host.port, 1, "none"]) {
      const graphite = { graphite_host: "127.0.0.1", graphite_port: port };
      using machine = metricMachine({ command: printing("|t=1"), ...graphite });
      const started = performance.now();
      await measure(machine);
      expect(performance.now() - started).toBeLessThan(4_000);
      expect(machine.logger.messages).toContain("Figures could not be passed on");
    }
  });
});
