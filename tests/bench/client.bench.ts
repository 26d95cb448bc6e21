/**
 * The command line and the client library, against emulated nodes, our broker and our AAA service: each command is a
 * process of its own, started as users start it.
 */
import { join } from "node:path";
import { connectFleet, type Fleet } from "../../lib/client/mod.ts";
import { loadConfig } from "../../lib/config/mod.ts";
import { writeSeedFile } from "../../lib/crypto/mod.ts";
import { install } from "../aaa/_installation.ts";
import { choria, type Run } from "../cmd/support.ts";
import { startTestBroker } from "../support/broker.ts";
import { canConnect } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { median, report } from "./report.ts";

const runs = Number(process.env.CLIENT_RUNS ?? 7);
const checkout = join(import.meta.dir, "../..");

/** The middle of several runs, in milliseconds. */
async function time(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return median(times);
}

async function command(args: string[], env: Record<string, string> = {}): Promise<Run> {
  const done = await choria(args, { env });
  if (done.code !== 0) throw new Error(`choria ${args.join(" ")} ended with ${done.code}: ${done.err}`);
  return done;
}

function start(program: string, args: string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  return Bun.spawn([process.execPath, join(checkout, "cmd", program), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const organization = new TestOrganization();
await using broker = await startTestBroker({ organization });
using set = await install({ broker: broker.address, organization });
const { file } = set;

const trust = [
  "plugin.security.issuer.names = choria",
  `plugin.security.issuer.choria.public = ${organization.issuer.publicKey}`,
  `plugin.choria.middleware_hosts = ${broker.address}`,
];
await Bun.write(file("nodes.conf"), ["collectives = choria", "rpcauthorization = 0", ...trust].join("\n"));
writeSeedFile(file("issuer.seed"), organization.issuer);
await Bun.write(
  file("client.conf"),
  [
    ...trust,
    "identity = client.example.net",
    "plugin.choria.discovery.broadcast.windowed_timeout = true",
    "plugin.choria.security.request_signer.service = true",
    `plugin.login.aaasvc.login.url = https://127.0.0.1:${set.config.port}/choria/v1/login`,
    `plugin.security.choria.token_file = ${file("user.jwt")}`,
    `plugin.security.choria.seed_file = ${file("user.key")}`,
  ].join("\n"),
);
const env = { CHORIA_CONFIG: file("client.conf") };

const aaa = start("aaa.ts", ["run", "--config", file("aaa.conf")]);
const nodes: Bun.Subprocess[] = [];
let fleet: Fleet | undefined;

/** Have so many emulated nodes on the network. */
async function emulate(count: number, prefix: string): Promise<void> {
  const flags = ["--count", String(count), "--name-prefix", prefix, "--report-interval", "1"];
  const child = start("emulator.ts", [...flags, "--config", file("nodes.conf"), "--issuer", file("issuer.seed")]);
  nodes.push(child);
  for await (const chunk of child.stdout) {
    if (Buffer.from(chunk).includes(`"provisioned":${count}`)) return;
  }
}

try {
  report({ work: "choria --help", value: await time(() => command(["--help"])), unit: "ms", original: 44 });
  report({ work: "choria req --help", value: await time(() => command(["req", "--help"])), unit: "ms" });
  await waitFor("the AAA service", () => canConnect(set.config.port));
  const login = ["login", "--username", "choria", "--password-stdin"];
  const { err, code } = await choria(login, { env, input: "secret" });
  if (code !== 0) throw new Error(`The login failed: ${err}`);
  const view = await time(() => command(["jwt", "view", file("user.jwt")]));
  report({ work: "choria jwt view FILE", value: view, unit: "ms", original: 45 });

  await emulate(10, "a");
  await waitFor("the signing service", async () => (await choria(["ping"], { env })).code === 0, 30_000);
  const ping = await time(() => command(["ping"], env));
  report({ work: "choria ping, 10 nodes", value: ping, unit: "ms", original: 2_060 });
  const expecting = await time(() => command(["ping", "--expect", "10"], env));
  report({ work: "choria ping --expect 10, 10 nodes", value: expecting, unit: "ms", original: 118 });

  await emulate(100, "b");
  const big = await time(() => command(["ping"], env));
  report({ work: "choria ping, 110 nodes", value: big, unit: "ms", original: 2_060 });
  const { out } = await command(["ping", "--json"], env);
  const { replies, statistics } = JSON.parse(out) as { replies: unknown[]; statistics: { avg_ms: number } };
  report({ work: `  mean reply of ${replies.length}`, value: statistics.avg_ms, unit: "ms", original: 330 });
  const req = await time(() => command(["req", "rpcutil", "ping", "--np"], env));
  report({
    work: "choria req rpcutil ping, 110 nodes, signed by the AAA service",
    value: req,
    unit: "ms",
    original: 1_125,
  });
  const to = ["req", "rpcutil", "ping", "--np", "-I", "a1.emulated.local"];
  const one = await time(() => command(to, env));
  report({ work: "  addressed to one of them", value: one, unit: "ms", original: 92 });

  fleet = await connectFleet(loadConfig(file("client.conf"), { kind: "client" }));
  const call = fleet;
  const filter = { identities: ["a1.emulated.local"] };
  const open = await time(() => call.request("rpcutil", "ping", {}, { filter }).all());
  report({ work: "one request over an open connection, signed by the AAA service", value: open, unit: "ms" });

  await emulate(890, "c");
  const thousand = await time(() => command(["req", "rpcutil", "ping", "--np"], env));
  report({ work: "choria req rpcutil ping, 1,000 nodes, signed by the AAA service", value: thousand, unit: "ms" });
  const names = await Array.fromAsync(call.discover());
  report({ work: "  nodes that were found", value: names.length, unit: "nodes" });
  let answers = 0;
  const all = await time(async () => {
    answers = (await call.request("rpcutil", "ping", {}, { nodes: names }).all()).filter(({ ok }) => ok).length;
  });
  report({ work: "1,000 nodes over an open connection, known by name", value: all, unit: "ms" });
  report({ work: "  that answered well", value: answers, unit: "nodes" });
} finally {
  await fleet?.close();
  for (const child of [...nodes, aaa]) child.kill();
  await Promise.all([...nodes, aaa].map((child) => child.exited));
}
