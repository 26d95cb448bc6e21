import { Command } from "commander";
import { formatTable } from "../../../lib/cli/mod.ts";
import { formatBytes, formatCount } from "../../../lib/std/mod.ts";
import { backupStream, bucketStreamName, newBucket, readBackup, restoreStream } from "../../../lib/streams/mod.ts";
import { withStreams } from "../broker/session.ts";
import { addBackupLimit, limitHint } from "../broker/stream/backup.ts";
import { size, span, toggle, whole } from "../broker/stream/flags.ts";
import type { ClientFlags } from "../client/open.ts";
import { find } from "./open.ts";
import { bucketText } from "./show.ts";

interface AddFlags extends ClientFlags {
  history: number;
  ttl?: number;
  replicas: number;
  maxValueSize?: number;
  maxBucketSize?: number;
  direct?: boolean;
}

/** `choria kv add`. */
export function addCommand(): Command {
  const add = new Command("add").description("Make a bucket; one that is there is left as it is.");
  add
    .argument("<bucket>", "name of the bucket")
    .option("--history <count>", "how many values of a key are kept", whole, 5)
    .option("--ttl <duration>", "how long values are kept; for ever by default", span)
    .option("--replicas <count>", "how many brokers keep a copy", whole, 1)
    .option("--max-value-size <size>", "most bytes of a value", size)
    .option("--max-bucket-size <size>", "most bytes of all values", size);
  return toggle(add, "direct", "let any replica answer who reads")
    .addHelpText("after", "\nExample:\n  choria kv add SETTINGS --history 10 --ttl 30d")
    .action((bucket: string, flags: AddFlags) =>
      withStreams(flags, async ({ manager, terminal }) => {
        const { history, replicas, ttl, maxValueSize, maxBucketSize: maxBytes, direct } = flags;
        const definition = newBucket(bucket, {
          history,
          replicas,
          ...(ttl === undefined ? {} : { ttl }),
          ...(maxValueSize === undefined ? {} : { maxValueSize }),
          ...(maxBytes === undefined ? {} : { maxBytes }),
          ...(direct === undefined ? {} : { direct }),
        });
        const info = (await find(manager, bucket)) ?? (await manager.streams.add(definition));
        terminal.out.write(bucketText(bucket, info, false));
      }),
    );
}

/** `choria kv list`. */
export function listCommand(): Command {
  return new Command("list")
    .alias("ls")
    .description("List the buckets.")
    .addHelpText("after", "\nExample:\n  choria kv list")
    .action((flags: ClientFlags) =>
      withStreams(flags, async ({ manager, terminal }) => {
        const streams = await Array.fromAsync(manager.streams.list());
        const rows = streams
          .filter(({ config }) => config.name.startsWith("KV_"))
          .map(({ config, state }) => [
            config.name.slice("KV_".length),
            formatCount(config.max_msgs_per_subject),
            formatCount(state.messages),
          ])
          .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
        if (rows.length === 0) terminal.out.write("No Key-Value stores found\n");
        else terminal.out.write(`${formatTable({ head: ["Bucket", "History", "Values"], rows })}\n`);
      }),
    );
}

/** `choria kv status`. */
export function statusCommand(): Command {
  return new Command("status")
    .alias("info")
    .description("Show what a bucket is like.")
    .argument("<bucket>", "name of the bucket")
    .addHelpText("after", "\nExample:\n  choria kv status SETTINGS")
    .action((bucket: string, flags: ClientFlags) =>
      withStreams(flags, async ({ manager, terminal }) => {
        const info = await find(manager, bucket);
        if (info === undefined) throw new Error(`bucket ${bucket} not found`);
        terminal.out.write(bucketText(bucket, info, true));
      }),
    );
}

/** `choria kv backup`. */
export function backupCommand(): Command {
  return addBackupLimit(new Command("backup"))
    .description("Copy a bucket into a folder.")
    .argument("<bucket>", "name of the bucket")
    .argument("<target>", "folder, which is made")
    .addHelpText("after", "\nExample:\n  choria kv backup SETTINGS /var/backups/settings")
    .action((bucket: string, folder: string, flags: ClientFlags & { maxSize: number }) =>
      withStreams(flags, async ({ fleet, terminal, signal }) => {
        const options = { maxBytes: flags.maxSize, signal };
        const { bytes } = await limitHint(backupStream(fleet.connection, bucketStreamName(bucket), folder, options));
        terminal.out.write(`Created ${formatBytes(bytes)} backup of bucket ${bucket} in ${folder}\n`);
      }),
    );
}

/** `choria kv restore`. */
export function restoreCommand(): Command {
  return new Command("restore")
    .description("Make a bucket from a backup.")
    .argument("<source>", "folder of the backup")
    .addHelpText("after", "\nExample:\n  choria kv restore /var/backups/settings")
    .action((folder: string, flags: ClientFlags) => {
      const backup = readBackup(folder);
      const { name } = backup.config;
      if (!name.startsWith("KV_")) throw new Error(`The backup in ${folder} is of the stream ${name}, not of a bucket`);
      const bucket = name.slice("KV_".length);
      return withStreams(flags, async ({ fleet, manager, terminal, signal }) => {
        if ((await find(manager, bucket)) !== undefined) throw new Error(`bucket ${bucket} already exists`);
        await restoreStream(fleet.connection, backup, { signal });
        terminal.out.write(bucketText(bucket, await manager.streams.info(name), true));
      });
    });
}
