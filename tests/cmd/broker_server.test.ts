import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { roundTrip } from "../../cmd/choria/broker/server/check.ts";
import { CheckOutcome, formatOutcome } from "../../cmd/choria/broker/server/check_result.ts";
import { cpuReport, healthReport, memoryReport } from "../../cmd/choria/broker/server/health.ts";
import { jetstreamReport } from "../../cmd/choria/broker/server/jetstream.ts";
import { gatewaysReport, leafnodesReport, routesReport } from "../../cmd/choria/broker/server/links.ts";
import { compactNames } from "../../cmd/choria/broker/server/names.ts";
import { Fields } from "../../lib/monitor/mod.ts";
import { type StreamNetwork, streamNetwork } from "./streams_support.ts";
import { checkout, run } from "./support.ts";

// Every test runs the command line some dozen times, beside whatever else the machine does.
setDefaultTimeout(60_000);

let network: StreamNetwork;
const server = (...args: string[]) => network.as("admin", ["broker", "server", ...args]);
const vector = (name: string) => JSON.parse(readFileSync(`${checkout}/tests/fixtures/cli/${name}`, "utf8"));

beforeAll(async () => {
  network = await streamNetwork();
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

/** Paths to the values of a document with their types; what only some brokers tell is left out. */
function shape(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return [`${path}: list`];
  if (typeof value !== "object" || value === null) return [`${path}: ${typeof value}`];
  return Object.entries(value).flatMap(([key, one]) => shape(one, `${path}.${key}`));
}

describe("choria broker server", () => {
  test("lists the brokers as the original does", async () => {
    const { code, out, err } = await server("list");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const text of [
      "Server Overview",
      "│ CPU % │",
      "Cluster Overview",
      "│ Outgoing Gateways │",
      "│ broker.test │",
    ]) {
      expect(out).toContain(text.replace("broker.test", "broker"));
    }
    const [own] = JSON.parse((await server("list", "--json")).out);
    const [golden] = vector("broker-server-list.json");
    const known = new Set(shape(own));
    const optional = /feature_flags|cluster|\.limits|domain/;
    expect(shape(golden).filter((one) => !optional.test(one) && !known.has(one))).toEqual([]);
  });

  test("reports connections as the original does", async () => {
    const { out } = await server("report", "connections");
    expect(out).toMatch(/Top \d+ Connections out of \d+ by subs/);
    expect(out).toContain("Connections per server");
    expect((await server("rep", "conns", "--top", "1")).out).toContain("Top 1 Connections out of ");
    const own: object[] = JSON.parse((await server("report", "connections", "--account", "system", "-j")).out);
    expect(own).toHaveLength(1);
    const golden: object[] = vector("broker-server-report-connections.json");
    const known = new Set(shape(own[0]));
    const optional = /feature_flags|cluster|last_activity|name_tag|subscriptions_list|lang|authorized_user|rtt/;
    expect(shape(golden[0]).filter((one) => !optional.test(one) && !known.has(one))).toEqual([]);
  });

  const reports: [name: string, title: string][] = [
    ["accounts", "Accounts Overview"],
    ["jetstream", "JetStream Summary"],
    ["routes", "Cluster Report"],
    ["gateways", "Super Cluster Report"],
    ["leafnodes", "Leafnode Report"],
    ["health", "Health Report"],
    ["cpu", "CPU Usage"],
    ["mem", "Memory Usage"],
  ];
  test.each(reports)("reports %s", async (name, title) => {
    const { code, out, err } = await server("report", name, "1");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain(title);
  });

  test("counts calls of the API, and those that failed, as the guide shows", async () => {
    const { out } = await server("report", "jetstream");
    expect(out).toMatch(/API Req +│ API Err +│ Pending/);
  });

  test("shows one broker, pings all, and passes on what they answer", async () => {
    expect((await server("info", "broker.test")).out).toStartWith("Server information for broker.test (N");
    expect((await server("info", "nobody")).err).toContain('There is no broker "nobody". There are broker.test');
    expect((await server("ping", "1")).out).toMatch(
      /^broker\.test +rtt=[\d.]+ms\n\n---- ping statistics ----\n1 replies/,
    );
    const asked = await server("request", "jetstream", "--body", '{"streams": true}');
    expect(JSON.parse(asked.out).data.streams).toBeGreaterThan(0);
    for (const what of ["secrets", "constructor"]) {
      expect((await server("request", what)).err).toContain(`got '${what}'`);
    }
  });

  test("checks for monitoring systems", async () => {
    expect((await server("check", "connection")).out).toStartWith("OK Connection OK:connected to ");
    expect((await server("check", "server")).out).toStartWith("OK ");
    expect((await server("check", "jetstream")).out).toStartWith("OK JetStream | memory=");
    const few = await server("check", "stream", "--stream", "CHORIA_MACHINE", "--msgs-critical", "1");
    expect(few).toMatchObject({ code: 2 });
    expect(few.out).toStartWith("CRITICAL CHORIA_MACHINE Crit:0 messages");
    expect(await server("check", "kv", "--bucket", "NONE")).toMatchObject({ code: 2 });
    const json = await server("check", "--format", "json", "kv", "--bucket", "CHORIA_LEADER_ELECTION");
    expect(JSON.parse(json.out)).toMatchObject({ status: "OK", check_suite: "kv" });
  });

  test("says of a check that was interrupted that nothing is known to be well", async () => {
    using mute = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
    const config = readFileSync(network.env("admin").CHORIA_CONFIG ?? "", "utf8");
    const file = network.file("mute.conf");
    await Bun.write(file, config.replace(network.broker.address, `nats://127.0.0.1:${mute.port}`));
    let child: Bun.Subprocess | undefined;
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    mute.reload({ socket: { open: () => resolve(), data() {} } });
    const checking = run([`${checkout}/choria`, "broker", "server", "check", "connection", "--choria-config", file], {
      env: network.env("admin"),
      onStart: (started) => {
        child = started;
      },
    });
    await reached;
    child?.kill("SIGTERM");
    const { code, out } = await checking;
    expect([code, out]).toEqual([2, "CRITICAL Connection Crit:Check failed: interrupted\n"]);
  });

  test("says what is missing to those who may not", async () => {
    const { code, err } = await network.as("streams", ["broker", "server", "list"]);
    expect(code).toBe(1);
    expect(err).toContain("refuses the login of up=streams");
    expect(err).toContain("the system account takes tokens that are org_admin or system_user");
    const file = network.file("plain.conf");
    const lines = readFileSync(network.file("admin.conf"), "utf8").split("\n");
    await Bun.write(file, lines.filter((line) => !line.includes("system.password")).join("\n"));
    const plain = await network.as("admin", ["broker", "server", "list", "--choria-config", file]);
    expect(plain.err).toBe(
      'choria: error: the "broker server list" command needs system username and password set using plugin.choria.network.system.*\n',
    );
  });
});

describe("the outcome of a check", () => {
  const outcome = () => {
    const made = new CheckOutcome("EVENTS");
    made.measure({ name: "lag", value: 7, unit: "s", warning: 5, critical: 10, help: "How late" });
    return made;
  };

  test("is the worst that was found", () => {
    const made = outcome();
    expect([made.code, made.status]).toEqual([1, "WARNING"]);
    made.measure({ name: "age", value: 10, critical: 10, help: "How old" });
    expect([made.code, made.status]).toEqual([2, "CRITICAL"]);
  });

  test("turns thresholds round where the critical one is the smaller", () => {
    const made = new CheckOutcome("X");
    made.measure({ name: "messages", value: 50, warning: 20, critical: 10, help: "" });
    expect(made.code).toBe(0);
    made.measure({ name: "messages", value: 15, warning: 20, critical: 10, help: "" });
    expect(made.code).toBe(1);
    made.measure({ name: "messages", value: 10, warning: 20, critical: 10, help: "" });
    expect(made.code).toBe(2);
  });

  test("is written in four formats", () => {
    expect(formatOutcome(outcome(), "stream", "nagios")).toBe("WARNING EVENTS Warn:lag 7s | lag=7s;5;10");
    expect(JSON.parse(formatOutcome(outcome(), "stream", "json"))).toEqual({
      status: "WARNING",
      check_suite: "stream",
      check_name: "EVENTS",
      warning: ["lag 7s"],
      perf_data: [{ name: "lag", value: 7, warning: 5, critical: 10, unit: "s" }],
    });
    const prometheus = formatOutcome(outcome(), "stream", "prometheus");
    expect(prometheus).toContain('nats_server_check_stream_lag{item="EVENTS"} 7\n');
    expect(prometheus).toEndWith('nats_server_check_stream_status_code{item="EVENTS",status="WARNING"} 1');
    expect(formatOutcome(outcome(), "stream", "text")).toStartWith("EVENTS: WARNING\n");
  });
});

test("a message that does not come back is not waited for for ever", async () => {
  let isHeard = true;
  const subscription = { unsubscribe: () => (isHeard = false) };
  const connection = { newInbox: () => "inbox", subscribe: () => subscription, publish() {} };
  const lost = roundTrip(connection as unknown as Parameters<typeof roundTrip>[0], 20);
  await expect(lost).rejects.toThrow("no message to itself came back within 0.02 s");
  expect(isHeard).toBe(false);
});

test("names are shortened by the domain that all share, addresses never", () => {
  const short = compactNames(["a.example.net", "b.example.net", "10.0.0.1"]);
  expect(["a.example.net", "10.0.0.1"].map(short)).toEqual(["a", "10.0.0.1"]);
  expect(compactNames(["a.example.net", "b.example.org"])("a.example.net")).toBe("a.example.net");
  expect(compactNames(["a.example.net"], false)("a.example.net")).toBe("a.example.net");
});

test("reports can be made of whatever brokers answer", () => {
  const known = ["routes", "leafs", "errors", "outbound_gateways", "inbound_gateways", "connection", "accounts"];
  const more = [
    "meta_cluster",
    "replicas",
    "account_details",
    "cpu",
    "mem",
    "name",
    "status",
    "api",
    "active",
    "leader",
  ];
  const key = fc.constantFrom(...known, ...more);
  const { document } = fc.letrec((tie) => ({
    document: fc.dictionary(key, tie("value"), { maxKeys: 6 }),
    value: fc.oneof(
      { depthSize: "small" },
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("document"),
    ),
  }));
  const reports = [
    cpuReport,
    memoryReport,
    healthReport,
    jetstreamReport,
    gatewaysReport,
    leafnodesReport,
    routesReport,
  ];
  fc.assert(
    fc.property(document, document, (server, data) => {
      const answer = { document: {}, server: new Fields(server), data: new Fields(data), rtt: 1 };
      for (const { show } of reports) expect(typeof show([answer], {})).toBe("string");
    }),
    { numRuns: 200 },
  );
});
