/**
 * Logins at the broker, over TLS, with the program in a process of its own: how many a second, what each costs, and
 * the memory of both processes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { formatConf } from "../../lib/config/mod.ts";
import { encodeBase64Url } from "../../lib/crypto/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { testBrokerSettings } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { canConnect } from "../support/nats.ts";
import { type Member, TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { RawNats } from "../support/raw_nats.ts";
import { waitFor } from "../support/wait.ts";
import { median, memoryOf, report } from "./report.ts";

const logins = 1_000;
const rounds = 3;
/** The original's figures for 1, 8 and 32 at a time, and of processor time for one login. */
const originals = {
  chain: { rates: [204, 521, 574], time: 2.6 },
  organization: { rates: [285, 677, 705], time: 2.1 },
};
const widths = [1, 8, 32];
const idleConnections = 1_000;
const originalMemory = { idle: 54.6, connected: 126.5 };

const organization = new TestOrganization();
using folder = temporaryFolder();
const port = await freePort();
const settings = { "plugin.choria.network.client_port": String(port), logfile: folder.file("broker.log") };
const conf = await testBrokerSettings(folder.file, { organization, settings });
writeFileSync(folder.file("broker.conf"), formatConf(Object.entries(conf)));
const program = resolve(import.meta.dir, "../../cmd/broker.ts");
const broker = Bun.spawn([process.execPath, "run", program, "--config", folder.file("broker.conf")], {
  stdio: ["ignore", "ignore", "inherit"],
});
const log = () => readFileSync(folder.file("broker.log"), "utf8");

try {
  await waitFor("the broker", async () => (await canConnect(port)) && log().includes("Broker is ready"));
  const nats: { pid: number } = JSON.parse(
    readFileSync(join(folder.file("streams/broker"), "nats-server.json"), "utf8"),
  );
  await reportMemory("at the start", nats.pid);
  const issuer = await organization.chainIssuer("aaa");
  await measure("chain issuer", originals.chain, nats.pid, () =>
    organization.client({ callerid: "up=x" }, { by: issuer }),
  );
  await measure("organization", originals.organization, nats.pid, () => organization.client({ callerid: "up=x" }));
  await measureIdle(nats.pid);
} finally {
  broker.kill("SIGTERM");
  await broker.exited;
}

async function measure(
  by: string,
  original: { rates: readonly number[]; time: number },
  natsPid: number,
  issue: () => Promise<Member>,
): Promise<void> {
  // Each login shows a token of its own: one that is remembered would be cheaper.
  for (const [index, width] of widths.entries()) {
    const rates: number[] = [];
    const before = [cpuMs(broker.pid), cpuMs(natsPid)];
    for (let round = 0; round < rounds; round++) {
      const members = await Promise.all(Array.from({ length: logins }, issue));
      const start = performance.now();
      await inParallel(members, width, async (member) => (await login(member))[Symbol.dispose]());
      rates.push((logins * 1_000) / (performance.now() - start));
    }
    const [ours = 0, theirs = 0] = [broker.pid, natsPid].map(
      (pid, i) => (cpuMs(pid) - (before[i] ?? 0)) / (logins * rounds),
    );
    const name = `logins, token by ${by}, ${width} at a time`;
    report({ work: name, value: median(rates), unit: "a second", original: original.rates[index] ?? 0 });
    if (width !== widths.at(-1)) continue;
    report({ work: "  processor time of each, the callout's", value: ours, unit: "ms" });
    report({ work: "  processor time of each, nats-server's", value: theirs, unit: "ms" });
    report({ work: "  processor time of each, both", value: ours + theirs, unit: "ms", original: original.time });
  }
}

async function measureIdle(natsPid: number): Promise<void> {
  const member = await organization.client({ callerid: "up=x" });
  const peers: RawNats[] = [];
  const start = performance.now();
  for (let i = 0; i < idleConnections; i++) peers.push(await login(member));
  const seconds = (performance.now() - start) / 1_000;
  report({ work: `${idleConnections} connections, one after another`, value: seconds, unit: "s", original: 3.4 });
  await reportMemory(`with ${idleConnections} connections`, natsPid, originalMemory.connected);
  for (const peer of peers) peer[Symbol.dispose]();
}

async function reportMemory(when: string, natsPid: number, original = originalMemory.idle): Promise<void> {
  const [ours, theirs] = await Promise.all([memoryOf(broker.pid), memoryOf(natsPid)]);
  report({ work: `memory ${when}, broker, resident`, value: ours.resident, unit: "MB" });
  report({ work: `memory ${when}, broker, private`, value: ours.private, unit: "MB" });
  report({ work: `memory ${when}, nats-server, resident`, value: theirs.resident, unit: "MB" });
  report({ work: `memory ${when}, nats-server, private`, value: theirs.private, unit: "MB" });
  report({ work: `memory ${when}, both, resident`, value: ours.resident + theirs.resident, unit: "MB", original });
}

async function login({ token, key }: Member): Promise<RawNats> {
  const peer = await RawNats.open(port);
  const sig = encodeBase64Url(key.sign(encodeUtf8(peer.nonce)));
  const said = await peer.connect({ auth_token: token, jwt: token, sig });
  if (said.at(-1) !== "PONG") throw new Error(`The broker said ${said.join()}`);
  return peer;
}

async function inParallel<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item);
    }),
  );
}

/** Processor time that a process has used, in milliseconds. Linux only. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\)\s+/s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
