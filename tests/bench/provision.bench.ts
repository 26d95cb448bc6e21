import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../lib/connector/mod.ts";
import { connectBroker } from "../../lib/connector/mod.ts";
import { eventSubject } from "../../lib/lifecycle/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { type ProvisioningNetwork, sampleHelper, startProvisioningNetwork } from "../support/provisioning.ts";
import { waitFor } from "../support/wait.ts";
import { report } from "./report.ts";

/** How many nodes wait; bounded, so that a measurement takes seconds. */
const count = Number(process.env.PROVISION_NODES ?? 1_000);
/** The original provisions 100 nodes in 10.5 s on the same two cores. */
const originalPerMinute = (100 / 10.5) * 60;
const root = join(import.meta.dir, "../..");

type Child = Bun.Subprocess<"ignore", "pipe", "inherit">;

function start(script: string, args: string[], env: Record<string, string> = {}): Child {
  return Bun.spawn([process.execPath, "run", join(root, "cmd", script), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
}

/** Emulated nodes in a process of their own, all waiting. */
async function startNodes(network: ProvisioningNetwork): Promise<AsyncDisposable> {
  writeFileSync(network.file("provisioning.jwt"), network.provisioningToken);
  const flags = { count, "connections-per-second": 50, "nodes-per-connection": 20, "report-interval": 3_600 };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const child = start("emulator.ts", ["--jwt", network.file("provisioning.jwt"), ...args]);
  await child.stdout.getReader().read();
  return stopper(child);
}

function stopper(child: Child): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** Counts nodes as they say that they are provisioned. */
async function watch(network: ProvisioningNetwork): Promise<{ connection: Connection; seen: Set<string> }> {
  const observer = await network.organization.client({ callerid: "up=observer", permissions: { org_admin: true } });
  const connection = await connectBroker({
    servers: [network.broker.address],
    name: "observer",
    login: () => ({ token: observer.token, key: observer.key }),
    inboxPrefix: "choria.reply.observer",
    logger: silentLogger,
  });
  const seen = new Set<string>();
  connection.subscribe(eventSubject("provisioned", "provision_mode_server"), (message) => {
    seen.add((message.json() as { subject: string }).subject);
  });
  await connection.flush();
  return { connection, seen };
}

async function measure(work: string, helper: string): Promise<void> {
  await using network = await startProvisioningNetwork();
  await using _nodes = await startNodes(network);
  const { connection, seen } = await watch(network);
  const files = network.writeProvisionerFiles(
    `${helper}\nlogfile: ${network.file("provisioner.log")}\nloglevel: error`,
  );
  const started = performance.now();
  await using _provisioner = stopper(
    start("provisioner.ts", ["--config", files.config, "--choria-config", files.choria], {
      CHORIA_HELPER_SETTINGS: network.file("helper.json"),
    }),
  );
  await waitFor("all nodes to be provisioned", () => seen.size >= count, 300_000);
  const perMinute = count / ((performance.now() - started) / 60_000);
  report({ work, value: perMinute, unit: "nodes a minute", original: originalPerMinute });
  await connection.close();
}

await measure(`provision ${count} nodes, helper as a module`, `helper: ${sampleHelper}\nhelper_module: true`);
await measure(`provision ${count} nodes, helper as a program`, `helper: ${sampleHelper}`);
process.exit(0);
