import { test } from "bun:test";
import { resolve } from "node:path";
import { connect } from "@nats-io/transport-node";
import { askApi } from "../../lib/replicator/mod.ts";
import { Layout, type NetworkOptions, prepareNetwork, startNetwork, stopNetwork } from "../../lib/setup/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const checkout = resolve(import.meta.dir, "../..");

test("once somebody makes the stream, what nodes say of themselves arrives outside the network", async () => {
  using folder = temporaryFolder();
  const layout = new Layout(folder.path);
  const options: NetworkOptions = { layout, checkout, clock: systemClock, say: () => undefined };
  const [broker, stats, aaa, aaaMonitor, provisionerMonitor, nats, replicatorMonitor] = await freePorts();
  const ports = await prepareNetwork(options, {
    broker,
    stats,
    aaa,
    aaaMonitor,
    provisionerMonitor,
    nats,
    replicatorMonitor,
  });
  const choria = async (args: string[], input = "") => {
    const env = { ...process.env, HOME: folder.path, CHORIA_CONFIG: layout.config("client", "client.conf") };
    const command = [process.execPath, resolve(checkout, "cmd/choria.ts"), ...args];
    const child = Bun.spawn(command, { env, stdin: new Blob([input]), stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (code !== 0) throw new Error(`choria ${args.join(" ")} ended with ${code}:\n${out}${err}`);
  };
  try {
    await startNetwork(options, ports, { servers: 4 });
    await choria(["login", "--username", "streams", "--password-stdin"], "secret\n");
    await choria([
      "broker",
      "stream",
      "add",
      "CHORIA_REGISTRATION",
      "--subjects",
      "choria.node_metadata.>",
      "--defaults",
    ]);
    const outside = await connect({ servers: `127.0.0.1:${ports.nats}` });
    const subjects = async () => {
      const answer = await askApi(outside, "STREAM.INFO.CHORIA_REGISTRATION", { subjects_filter: ">" }).catch(
        () => ({}),
      );
      const { state } = answer as { state?: { subjects?: Record<string, number> } };
      return Object.keys(state?.subjects ?? {}).sort();
    };
    const isThere = (start: string) => async () => (await subjects()).some((subject) => subject.startsWith(start));
    await waitFor("what a server says", isThere("choria.node_metadata.server"), 90_000);
    await outside.close();
  } finally {
    await stopNetwork(options);
  }
}, 150_000);

async function freePorts(): Promise<[number, number, number, number, number, number, number]> {
  return [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
}
