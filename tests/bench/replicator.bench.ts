/** Messages a second from one nats-server to another, both on disk, and what the replicator's process takes for it. */
import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fill, StreamServer } from "../replicator/support.ts";
import { temporaryFolder } from "../support/folder.ts";
import { waitFor } from "../support/wait.ts";
import { report } from "./report.ts";

const count = 50_000;
const size = 1_024;
const program = resolve(import.meta.dir, "../../cmd/replicator.ts");

interface Mode {
  work: string;
  stream: Record<string, unknown>;
  /** Copies that the target holds in the end. */
  copies: number;
  original: { rate: number; cpu: number; memory: number };
}

const sampled = { inspect_field: "sender", inspect_duration: "1h" };
const modes: Mode[] = [
  { work: "Copy 1 KB", stream: {}, copies: count, original: { rate: 2_113, cpu: 10.55, memory: 23 } },
  {
    work: "Sample 1,000 values",
    stream: sampled,
    copies: 1_000,
    original: { rate: 5_036, cpu: 5.31, memory: 23 },
  },
  {
    work: "Sample 1,000 values and tell peers",
    stream: { ...sampled, advisory: { subject: "advisories.%v" } },
    copies: 1_000,
    original: { rate: 5_310, cpu: 5.51, memory: 23 },
  },
  {
    work: "Copy 1 KB, target-initiated",
    stream: { target_initiated: true, filter_subject: "orders.>" },
    copies: count,
    original: { rate: 4_508, cpu: 6.13, memory: 58 },
  },
];

for (const mode of modes) await measure(mode);

async function measure({ work, stream, copies, original }: Mode): Promise<void> {
  using folder = temporaryFolder();
  for (const side of ["source", "target"]) mkdirSync(folder.file(side));
  await using source = await StreamServer.start(folder.file("source"));
  await using target = await StreamServer.start(folder.file("target"));
  await source.stream("ORDERS", ["orders.>"]);
  const body = (number: number) => `{"sender":"s${number % 1_000}","pad":"`;
  await fill(source, "ORDERS", "orders", count, (number) => `${body(number).padEnd(size - 2, "x")}"}`);
  const entry = { stream: "ORDERS", source_url: source.url, target_url: target.url, ...stream };
  const config = { name: "BENCH", loglevel: "warn", state_store: folder.file("state"), streams: [entry] };
  await Bun.write(folder.file("sr.yaml"), JSON.stringify(config));
  const child = Bun.spawn([process.execPath, program, "--config", folder.file("sr.yaml")], { stderr: "inherit" });
  await waitFor("the first copy", async () => (await target.count("ORDERS")) > 0);
  const begin = performance.now();
  const isDone = async () => {
    if (stream.target_initiated === true) return (await target.count("ORDERS")) === copies;
    const info = await source.api("CONSUMER.INFO.ORDERS.SR_BENCH");
    return info.num_pending === 0 && info.num_ack_pending === 0;
  };
  await waitFor("all", isDone, 120_000);
  const seconds = (performance.now() - begin) / 1_000;
  if ((await target.count("ORDERS")) !== copies) throw new Error(`${await target.count("ORDERS")} copies`);
  const memory = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1_024;
  child.kill("SIGTERM");
  await child.exited;
  report({ work, value: count / seconds, unit: "a second", original: original.rate });
  const cpu = Number(child.resourceUsage()?.cpuTime.total ?? 0n) / 1e6;
  report({ work: `${work}: processor time`, value: cpu, unit: "s", original: original.cpu });
  report({ work: `${work}: most memory`, value: memory, unit: "MB", original: original.memory });
}
