/** Memory of every daemon of a network, at rest and in use. */
import { resolve } from "node:path";
import {
  Layout,
  type NetworkOptions,
  prepareNetwork,
  runningPid,
  serverIdentities,
  startNetwork,
  stopNetwork,
} from "../../lib/setup/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { connectFleet, loadConfig } from "../../mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { median, memoryOf, report } from "./report.ts";

const servers = 5;
const requests = 200;
/** What the original programs hold, in MB: resident, private. */
const originals: Readonly<Record<string, { idle?: [number, number]; busy?: [number, number] }>> = {
  server: { idle: [53, 13.4], busy: [72, 14.7] },
  aaa: { idle: [36, Number.NaN], busy: [57, Number.NaN] },
};

using folder = temporaryFolder();
const layout = new Layout(folder.file("state"));
const checkout = resolve(import.meta.dir, "../..");
const options: NetworkOptions = { layout, checkout, clock: systemClock, say: () => undefined };

async function measure(state: "idle" | "busy"): Promise<void> {
  for (const role of ["broker", "aaa", "provisioner"]) await show(role, state, [role]);
  await show(
    "server",
    state,
    serverIdentities(servers).map((identity) => `server-${identity}`),
  );
}

async function show(role: string, state: "idle" | "busy", names: string[]): Promise<void> {
  const sizes = await Promise.all(names.map((name) => memoryOf(runningPid(layout, name) ?? 0)));
  const [resident, own] = originals[role]?.[state] ?? [];
  const when = state === "idle" ? "at rest" : "in use";
  const peer = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? {} : { original: value });
  report({
    work: `${role}, ${when}, resident`,
    value: median(sizes.map((s) => s.resident)),
    unit: "MB",
    ...peer(resident),
  });
  report({ work: `${role}, ${when}, private`, value: median(sizes.map((s) => s.private)), unit: "MB", ...peer(own) });
}

async function login(): Promise<void> {
  const child = Bun.spawn(
    [process.execPath, "run", resolve(checkout, "cmd/choria.ts"), "login", "--username", "choria", "--password-stdin"],
    {
      env: { ...process.env, CHORIA_CONFIG: layout.config("client", "client.conf") },
      stdin: new Blob(["secret\n"]),
      stdout: "ignore",
    },
  );
  if ((await child.exited) !== 0) throw new Error("login failed");
}

async function use(): Promise<void> {
  await using fleet = await connectFleet(loadConfig(layout.config("client", "client.conf"), { kind: "client" }));
  for (let i = 0; i < requests; i++) {
    for await (const _reply of fleet.request("rpcutil", "ping", {}, { nodes: serverIdentities(servers) })) void _reply;
  }
}

try {
  const [broker = 0, stats = 0, aaa = 0, aaaMonitor = 0, provisionerMonitor = 0] = await Promise.all(
    Array.from({ length: 5 }, freePort),
  );
  const ports = await prepareNetwork(options, { broker, stats, aaa, aaaMonitor, provisionerMonitor });
  await startNetwork(options, ports, { servers });
  // Servers give back what starting took two seconds after it.
  await Bun.sleep(5_000);
  await measure("idle");
  await login();
  await use();
  await Bun.sleep(1_000);
  await measure("busy");
} finally {
  await stopNetwork(options);
}
