import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { checkout, choria, run, writeClientConfig } from "./support.ts";

let network: TestNetwork;
let config: string;

beforeAll(async () => {
  network = await testNetwork(3, { tls: true });
  config = await writeClientConfig(network, "client.conf");
});

afterAll(async () => {
  await network[Symbol.asyncDispose]();
});

const req = (...args: string[]) => choria(["req", "--config", config, ...args]);
const fact = ["rpcutil", "get_fact", "fact=memory.size"];
const names = ["n1.example.net", "n2.example.net", "n3.example.net"];
const withoutTimes = (text: string) => text.replace(/\d+(\.\d+)?m?s\b/g, "TIME").replace(/ {2,}TIME \[/g, "  TIME [");

/** Call an action with a terminal of 120 columns in front. */
function onTerminal(args: string[]) {
  let written = "";
  const child = Bun.spawn(["./choria", "req", "--config", config, ...args], {
    cwd: checkout,
    env: { PATH: process.env.PATH, HOME: "/nonexistent", TERM: "xterm" },
    terminal: {
      cols: 120,
      rows: 40,
      data(_terminal, data) {
        written += Buffer.from(data).toString();
      },
    },
  });
  return { child, raw: () => written, screen: () => Bun.stripANSI(written) };
}

describe("choria req", () => {
  test("shows progress, outputs by their labels, summaries and the figures", async () => {
    const { code, out, err } = await req(...fact, "--sort");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(withoutTimes(out)).toMatchSnapshot();
  });

  test("without a progress bar is quieter", async () => {
    const { out } = await req("rpcutil", "ping", "--np", "-I", "n1.example.net");
    expect(withoutTimes(out)).toMatchSnapshot();
  });

  test("writes JSON of the known shape and nothing else", async () => {
    const { code, out, err } = await req(...fact, "--json", "--sort");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const known = JSON.parse(readFileSync(`${checkout}/tests/fixtures/cli/req-rpcutil-get_fact.json`, "utf8"));
    const found = JSON.parse(out);
    expect(Object.keys(found)).toEqual(Object.keys(known));
    expect(Object.keys(found.request_stats)).toEqual(Object.keys(known.request_stats));
    expect(Object.keys(found.replies[0])).toEqual(Object.keys(known.replies[0]));
    expect(found.summaries).toEqual(known.summaries);
    expect(found.replies.map(({ data }: { data: unknown }) => data)).toEqual(
      known.replies.map(({ data }: { data: unknown }) => data),
    );
    expect(found.replies[0].time_utc).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  });

  test("writes JSON lines as things happen", async () => {
    const { out } = await req(...fact, "--jsonl");
    const kinds = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).k);
    const known = ["discovery", "discovery", "result", "result", "result", "summaries", "stats"];
    expect(kinds).toEqual(known);
    const failed = await req("rpcutil", "nope", "--jsonl");
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.out)).toMatchObject({ k: "error" });
  });

  test("writes names, tables and files", async () => {
    const [senders, list, table, filed] = await Promise.all([
      req("rpcutil", "ping", "--senders", "--sort"),
      req("rpcutil", "ping", "--senders", "-j", "--sort"),
      req(...fact, "--table", "--sort", "--np"),
      req(...fact, "--json", "-o", network.file("results.json")),
    ]);
    expect(senders.out).toBe(`${names.join("\n")}\n`);
    expect(JSON.parse(list.out)).toEqual(names);
    expect(table.out).toMatchSnapshot();
    expect(filed.out).toBe("");
    expect(JSON.parse(readFileSync(network.file("results.json"), "utf8")).replies).toHaveLength(3);
  });

  test("takes its nodes from a file or from the results of another request", async () => {
    await Bun.write(network.file("nodes"), "n1.example.net\nn3.example.net\n");
    const filed = await req("rpcutil", "ping", "--senders", "--sort", "--nodes", network.file("nodes"));
    expect(filed.out).toBe("n1.example.net\nn3.example.net\n");
    const by = (args: string) => `./choria req --config ${config} rpcutil ping ${args}`;
    const piped = await run(["sh", "-c", `${by("-j -I n2.example.net")} | ${by("--senders")}`]);
    expect(piped).toEqual({ code: 0, out: "n2.example.net\n", err: "" });
    const empty = await run(["sh", "-c", `true | ${by("--senders")} | wc -l`]);
    expect(empty.out.trim()).toBe("3");
  });

  test("in batches, limited, and with replies sent elsewhere", async () => {
    const batches = await req("rpcutil", "ping", "--batch", "2", "--batch-sleep", "0.05", "--senders");
    expect(batches.out.trim().split("\n")).toHaveLength(3);
    const limited = await req("rpcutil", "ping", "--limit", "34%", "--senders");
    expect(limited.out.trim().split("\n")).toHaveLength(1);
    const elsewhere = await req("rpcutil", "ping", "--reply-to", "some.where");
    expect(elsewhere).toEqual({ code: 0, out: expect.stringMatching(/^[0-9A-Za-z]{27}\n$/), err: "" });
  });

  test("ends with 2 when a node fails or does not answer, unless told otherwise", async () => {
    const failing = await req("rpcutil", "get_fact", "fact=nope", "--np", "-I", "n1.example.net");
    expect(failing.code).toBe(2);
    expect(failing.out).toContain("    no fact nope\n");
    const absent = await req("rpcutil", "ping", "--np", "-I", "n1.example.net", "-I", "gone.example.net");
    expect(absent.code).toBe(2);
    expect(absent.out).toEndWith("\nNo Responses from: 1\n\n    gone.example.net\n");
    expect((await req("rpcutil", "get_fact", "fact=nope", "--exit-zero")).code).toBe(0);
  });

  test("ends with 1 and one line on errors", async () => {
    const failures: [string[], string][] = [
      [["nope", "x"], "could not resolve nope DDL in any resolver: looked in built in"],
      [["rpcutil", "get_fact"], "input 'fact' is required"],
      [["rpcutil", "ping", "x"], "expected KEY=VALUE got 'x'"],
      [["rpcutil", "ping", "x=1"], "input 'x' has not been declared"],
      [
        ["rpcutil", "ping", "-T", "mars"],
        "cannot set collective to 'mars', it is not on the list of known collectives",
      ],
      [["rpcutil", "ping", "-F", "x"], "could not parse filters: could not parse fact x"],
      [["rpcutil", "ping", "--limit", "0"], "no targets left after applying target limits of '0'"],
      [["rpcutil", "ping", "-C", "none", "--discovery-timeout", "0.2"], "did not discover any nodes"],
      [["rpcutil", "ping", "--dm", "flatfile"], "could not determine file to use as discovery source"],
      [["choria_registry", "names"], "expected 1 response received 0: nobody hosts the service choria_registry"],
    ];
    for (const [args, reason] of failures) {
      const { code, err } = await req(...args);
      expect(code).toBe(1);
      expect(err).toStartWith(`choria: error: ${reason}`);
      expect(err.trimEnd().split("\n")).toHaveLength(1);
    }
  }, 20_000);

  test("tells of replies that it does not believe", async () => {
    await using stranger = await network.addNode("n9.example.net", { organization: new TestOrganization() });
    network.nodes.pop();
    await Bun.write(network.file("stranger"), stranger.identity);
    const { code, out } = await req("rpcutil", "ping", "--np", "--nodes", network.file("stranger"));
    expect(code).toBe(2);
    expect(out).toContain('Responses that were not accepted: 1\n\n    Reply of "n9.example.net" is not accepted');
  }, 10_000);

  test("interrupted shows what there is and ends with 130", async () => {
    await using slow = await network.addNode("slow.example.net", {
      actions: { ping: (_data, { signal }) => new Promise((resolve) => signal.addEventListener("abort", resolve)) },
    });
    network.nodes.pop();
    const { child, screen } = onTerminal(["rpcutil", "ping", "-I", "n1.example.net", "-I", slow.identity]);
    await waitFor("the first answer", () => screen().includes("1 / 2"));
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    await waitFor("the figures", () => screen().includes("Finished processing 1 / 2 hosts in "));
    expect(screen()).toContain(`No Responses from: 1\r\n\r\n    ${slow.identity}\r\n`);
  }, 10_000);

  test("whose reader goes away ends quietly", async () => {
    const { code, err } = await run(["sh", "-c", `./choria req --config ${config} rpcutil ping -v | head -n 1`]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  test("logs details to standard error where asked to, and never a secret", async () => {
    const { out, err } = await req("rpcutil", "ping", "--senders", "--debug");
    expect(out.trim().split("\n")).toHaveLength(3);
    expect(err).toContain("level=debug");
    expect(err).not.toContain(network.client.token);
    expect(err).not.toContain(network.client.key.seed);
    expect(existsSync(network.file("client.seed"))).toBe(true);
  });

  test("draws its bar on a terminal", async () => {
    const { child, screen, raw } = onTerminal(["rpcutil", "ping"]);
    expect(await child.exited).toBe(0);
    await waitFor("the last line", () => screen().includes("hosts in"));
    expect(screen()).toContain(`3 / 3    0s [${"=".repeat(78)}] 100%`);
    expect(raw()).toContain("\u001b[32m3\u001b[0m / \u001b[32m3\u001b[0m hosts in");
  });
});
