import type { StreamConfig } from "@nats-io/jetstream";
import { Command, Option } from "commander";
import { startProgress } from "../../../../lib/cli/mod.ts";
import { formatBytes, formatSpan } from "../../../../lib/std/mod.ts";
import {
  BackupLimitError,
  backupStream,
  defaultBackupLimit,
  readBackup,
  restoreStream,
  settingsDocument,
} from "../../../../lib/streams/mod.ts";
import { gather } from "../../client/filters.ts";
import { readDefinition } from "../definition.ts";
import { addBrokerFlags, type BrokerFlags, type StreamSession, withBrokerStreams } from "../session.ts";
import { size, whole } from "./flags.ts";
import { infoText } from "./info.ts";

interface BackupFlags extends BrokerFlags {
  progress: boolean;
  consumers: boolean;
  check?: true;
  chunkSize?: number;
  maxSize: number;
}

/** `choria broker stream backup`. */
export function backupCommand(): Command {
  const backup = new Command("backup").alias("snapshot").description("Copy a stream into a folder.");
  backup.argument("<stream>", "name of the stream").argument("<target>", "folder, which is made");
  return addBrokerFlags(addBackupLimit(backup))
    .option("--no-progress", "draw no progress bar")
    .option("--check", "have the broker check the stream first")
    .option("--consumers", "keep the positions of consumers too", true)
    .option("--no-consumers", "do not keep the positions of consumers")
    .option("--chunk-size <size>", "bytes that the broker sends at a time", size)
    .addHelpText("after", "\nExample:\n  choria broker stream backup CHORIA_EVENTS /var/backups/events")
    .action((stream: string, folder: string, flags: BackupFlags) => {
      return withBrokerStreams(flags, (session) => backUp(stream, folder, flags, session));
    });
}

/** Add the flag for the most bytes that a backup may have. */
export function addBackupLimit(command: Command): Command {
  return command.addOption(
    new Option("--max-size <size>", "most bytes that the backup may have")
      .argParser(size)
      .default(defaultBackupLimit, formatBytes(defaultBackupLimit)),
  );
}

/** Whoever finds a backup too large is told of the flag. */
export async function limitHint<T>(backup: Promise<T>): Promise<T> {
  return backup.catch((error) => {
    if (!(error instanceof BackupLimitError)) throw error;
    throw new Error(`${error.message}: allow more by --max-size`, { cause: error });
  });
}

async function backUp(stream: string, folder: string, flags: BackupFlags, session: StreamSession): Promise<void> {
  const { fleet, terminal, signal } = session;
  const start = performance.now();
  // Tells whether there is such a stream before anything is made.
  const { state } = await session.manager.streams.info(stream);
  terminal.out.write(`Starting backup of Stream "${stream}" with ${formatBytes(state.bytes)}\n`);
  const bar = flags.progress && terminal.isInteractive ? startProgress(terminal, state.bytes, Date.now) : undefined;
  const onProgress = (received: number) => bar?.update(Math.min(received, state.bytes));
  const { consumers, check = false, chunkSize, maxSize: maxBytes } = flags;
  const options = { consumers, check, maxBytes, onProgress, signal, ...(chunkSize === undefined ? {} : { chunkSize }) };
  try {
    const report = await limitHint(backupStream(fleet.connection, stream, folder, options));
    bar?.stop();
    const took = formatSpan(performance.now() - start);
    const data = `${formatBytes(report.bytes)} compressed data in ${report.chunks} chunks`;
    const plain = formatBytes(report.state.bytes);
    terminal.out.write(`\nReceived ${data} for stream "${stream}" in ${took}, ${plain} uncompressed\n`);
  } finally {
    bar?.stop();
  }
}

interface RestoreFlags extends BrokerFlags {
  progress: boolean;
  config?: string;
  cluster?: string;
  tag: string[];
  replicas?: number;
}

/** `choria broker stream restore`. */
export function restoreCommand(): Command {
  const restore = new Command("restore").description("Make a stream from a backup.");
  return addBrokerFlags(restore.argument("<folder>", "folder of the backup"))
    .option("--no-progress", "draw no progress bar")
    .option("--config <file>", "settings in place of those of the backup, in JSON; another name makes another stream")
    .option("--cluster <name>", "keep it in a cluster")
    .option("--tag <tag>", "keep it on brokers with a tag; may be repeated", gather, [])
    .option("--replicas <count>", "how many brokers keep a copy", whole)
    .addHelpText("after", "\nExample:\n  choria broker stream restore /var/backups/events")
    .action((folder: string, flags: RestoreFlags) => {
      const backup = readBackup(folder);
      return withBrokerStreams(flags, async ({ fleet, manager, terminal, signal }) => {
        const { cluster, tag: tags, replicas } = flags;
        const placed = settingsDocument({
          tags,
          ...(cluster === undefined ? {} : { cluster }),
          ...(replicas === undefined ? {} : { replicas }),
        });
        const changes = {
          ...(flags.config === undefined ? {} : readDefinition<StreamConfig>(flags.config)),
          ...placed,
        };
        const name = changes.name ?? backup.config.name;
        for await (const known of manager.streams.names()) {
          if (known === name) throw new Error(`Stream "${name}" already exist`);
        }
        terminal.out.write(`Starting restore of Stream "${name}" from file "${folder}"\n\n`);
        const start = performance.now();
        const bar =
          flags.progress && terminal.isInteractive ? startProgress(terminal, backup.size, Date.now) : undefined;
        try {
          const onProgress = (sent: number) => bar?.update(sent);
          await restoreStream(fleet.connection, backup, { changes, signal, onProgress });
        } finally {
          bar?.stop();
        }
        terminal.out.write(`Restored stream "${name}" in ${formatSpan(performance.now() - start)}\n\n`);
        terminal.out.write(infoText(await manager.streams.info(name)));
      });
    });
}
