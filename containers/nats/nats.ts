/**
 * A small stand-in for the `nats` command line: shows the streams of a NATS server that asks for no login. Whoever wants
 * the whole program lays it over `/usr/local/bin/nats`.
 */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Command } from "commander";
import { infoText } from "../../cmd/choria/broker/stream/info.ts";
import { streamsTable } from "../../cmd/choria/broker/stream/list.ts";
import { errorText } from "../../lib/std/mod.ts";

const nats = new Command("nats")
  .description("Look at the streams of a NATS server: a small stand-in for the NATS project's program.")
  .option("-s, --server <url>", "address of the server", process.env.NATS_URL ?? "127.0.0.1:4222")
  .enablePositionalOptions();
const stream = nats.command("stream").alias("s").alias("str").description("Look at streams");

stream
  .command("list")
  .alias("ls")
  .description("List the streams, the smallest first")
  .action(() => withStreams(listStreams));
stream
  .command("info")
  .argument("<stream>")
  .description("Show what a stream is and holds")
  .action((name: string) => withStreams(async (manager) => infoText(await manager.streams.info(name))));

async function listStreams(manager: JetStreamManager): Promise<string> {
  const streams = await Array.fromAsync(manager.streams.list());
  return streams.length === 0 ? "No Streams defined" : streamsTable(streams, Date.now());
}

async function withStreams(work: (manager: JetStreamManager) => Promise<string>): Promise<void> {
  const connection = await connect({ servers: nats.opts<{ server: string }>().server, timeout: 5_000 });
  try {
    console.log(await work(await jetstreamManager(connection, { checkAPI: false, timeout: 5_000 })));
  } finally {
    await connection.close();
  }
}

try {
  await nats.parseAsync();
} catch (error) {
  console.error(`nats: error: ${errorText(error)}`);
  process.exitCode = 1;
}
