import { JetStreamApiError, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Command } from "commander";
import { formatTable } from "../../lib/cli/mod.ts";
import { encodeUtf8, formatBytes, formatCount } from "../../lib/std/mod.ts";
import {
  backupStream,
  bucketStreamName,
  newBucket,
  openStore,
  readBackup,
  restoreStream,
} from "../../lib/streams/mod.ts";
import { confirmed, type StreamSession, withStreams } from "./broker/session.ts";
import { size, span, toggle, whole } from "./broker/stream/flags.ts";
import { addClientFlags, type ClientFlags } from "./client/open.ts";
import { takeConfigFor } from "./client/parent.ts";
import { bucketText, changeText, entryText, historyTable } from "./kv/show.ts";

const examples = `
Examples:
  choria kv add SETTINGS --history 5
  choria kv put SETTINGS colour blue
  echo green | choria kv put SETTINGS colour -
  choria kv get SETTINGS colour --raw
  choria kv watch SETTINGS`;

/** `choria kv`: values under keys, kept in streams. */
export function command(): Command {
  const kv = new Command("kv").description("Keep values under keys, in buckets.").addHelpText("after", examples);
  const parts = [
    addCommand(),
    putCommand(),
    getCommand(),
    createCommand(),
    updateCommand(),
    deleteCommand(),
    purgeCommand(),
    listCommand(),
    keysCommand(),
    historyCommand(),
    watchCommand(),
    statusCommand(),
    backupCommand(),
    restoreCommand(),
  ];
  for (const part of parts) kv.addCommand(addClientFlags(part));
  return takeConfigFor(kv);
}

interface AddFlags extends ClientFlags {
  history: number;
  ttl?: number;
  replicas: number;
  maxValueSize?: number;
  maxBucketSize?: number;
  direct?: boolean;
}

function addCommand(): Command {
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

const streamNotFound = 10_059;

async function find(manager: JetStreamManager, bucket: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(bucketStreamName(bucket));
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return undefined;
    throw error;
  }
}

async function open({ fleet, manager }: StreamSession, bucket: string): Promise<KV> {
  if ((await find(manager, bucket)) === undefined) throw new Error(`bucket ${bucket} not found`);
  return openStore(fleet.connection, bucket);
}

async function payloadOf(text: string): Promise<Uint8Array> {
  return text === "-" ? Bun.stdin.bytes() : encodeUtf8(text);
}

/** Say what was stored, unless it came from elsewhere and may be long. */
function echo({ terminal }: StreamSession, text: string): void {
  if (text !== "-") terminal.out.write(`${text}\n`);
}

function keyed(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument("<bucket>", "name of the bucket")
    .argument("<key>", "which key");
}

function putCommand(): Command {
  return keyed("put", "Store a value under a key.")
    .argument("<value>", "the value; - for standard input")
    .addHelpText("after", "\nExamples:\n  choria kv put SETTINGS colour blue\n  date | choria kv put SETTINGS date -")
    .action((bucket: string, key: string, value: string, flags: ClientFlags) =>
      withStreams(flags, async (session) => {
        const store = await open(session, bucket);
        await store.put(key, await payloadOf(value));
        echo(session, value);
      }),
    );
}

function createCommand(): Command {
  return keyed("create", "Store a value under a key that has none.")
    .argument("<value>", "the value; - for standard input")
    .addHelpText("after", "\nExample:\n  choria kv create SETTINGS colour blue")
    .action((bucket: string, key: string, value: string, flags: ClientFlags) =>
      withStreams(flags, async (session) => {
        const store = await open(session, bucket);
        await store.create(key, await payloadOf(value)).catch((error) => {
          throw conflict(error, "key exists");
        });
        echo(session, value);
      }),
    );
}

function updateCommand(): Command {
  return keyed("update", "Store a value under a key, where nobody else has stored one since.")
    .argument("<value>", "the value; - for standard input")
    .argument("[revision]", "revision of the value that it replaces; 0 for none", whole, 0)
    .addHelpText("after", "\nExample:\n  choria kv update SETTINGS colour red 12")
    .action((bucket: string, key: string, value: string, revision: number, flags: ClientFlags) =>
      withStreams(flags, async (session) => {
        const store = await open(session, bucket);
        const next = await store.update(key, await payloadOf(value), revision).catch((error) => {
          throw conflict(error);
        });
        session.terminal.out.write(`Updated ${key}, new revision ${next}\n`);
      }),
    );
}

/** Somebody else has stored a value; the broker says which revision it has. */
function conflict(error: unknown, reason?: string): unknown {
  const isConflict = error instanceof Error && error.message.includes("wrong last sequence");
  return isConflict && reason !== undefined ? new Error(`${error.message}: ${reason}`, { cause: error }) : error;
}

function getCommand(): Command {
  return keyed("get", "Show the value of a key.")
    .option("--raw", "show nothing but the value")
    .addHelpText("after", "\nExample:\n  choria kv get SETTINGS colour --raw")
    .action((bucket: string, key: string, flags: ClientFlags & { raw?: true }) =>
      withStreams(flags, async (session) => {
        const entry = await (await open(session, bucket)).get(key);
        if (entry === null || entry.operation !== "PUT") throw new Error(`key not found: ${bucket} > ${key}`);
        if (flags.raw) process.stdout.write(entry.value);
        else session.terminal.out.write(entryText(entry, session.terminal.columns));
      }),
    );
}

interface ForceFlags extends ClientFlags {
  force?: true;
}

function deleteCommand(): Command {
  return new Command("del")
    .alias("rm")
    .description("Delete a key, whose earlier values stay; or a bucket with all it holds.")
    .argument("<bucket>", "name of the bucket")
    .argument("[key]", "which key; the bucket where there is none")
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExamples:\n  choria kv del SETTINGS colour\n  choria kv del SETTINGS -f")
    .action((bucket: string, key: string | undefined, flags: ForceFlags) =>
      withStreams(flags, async (session) => {
        const store = await open(session, bucket);
        const thing = key === undefined ? `the ${bucket} bucket` : `the ${key} key from bucket ${bucket}`;
        if (!(await confirmed(`Really remove ${thing}`, flags.force))) return skip(session);
        if (key === undefined) await session.manager.streams.delete(bucketStreamName(bucket));
        else await store.delete(key);
      }),
    );
}

function purgeCommand(): Command {
  return keyed("purge", "Delete a key with its earlier values.")
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria kv purge SETTINGS colour -f")
    .action((bucket: string, key: string, flags: ForceFlags) =>
      withStreams(flags, async (session) => {
        const store = await open(session, bucket);
        if (!(await confirmed(`Really remove the ${bucket} > ${key}`, flags.force))) return skip(session);
        await store.purge(key);
      }),
    );
}

function skip({ terminal }: StreamSession): void {
  terminal.out.write("Skipping\n");
}

function listCommand(): Command {
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

function keysCommand(): Command {
  return new Command("keys")
    .description("List the keys of a bucket.")
    .argument("<bucket>", "name of the bucket")
    .addHelpText("after", "\nExample:\n  choria kv keys SETTINGS")
    .action((bucket: string, flags: ClientFlags) =>
      withStreams(flags, async (session) => {
        const keys = await Array.fromAsync(await (await open(session, bucket)).keys());
        session.terminal.out.write(
          keys
            .sort()
            .map((key) => `${key}\n`)
            .join(""),
        );
      }),
    );
}

function historyCommand(): Command {
  return keyed("history", "Show the values that a key has had.")
    .addHelpText("after", "\nExample:\n  choria kv history SETTINGS colour")
    .action((bucket: string, key: string, flags: ClientFlags) =>
      withStreams(flags, async (session) => {
        const entries = await Array.fromAsync(await (await open(session, bucket)).history({ key }));
        if (entries.length === 0) throw new Error(`key not found: ${bucket} > ${key}`);
        session.terminal.out.write(`${historyTable(entries)}\n`);
      }),
    );
}

interface WatchFlags extends ClientFlags {
  once?: true;
  timeout?: number;
}

function watchCommand(): Command {
  return new Command("watch")
    .description("Show the values of a bucket or key, and each change, until interrupted.")
    .argument("<bucket>", "name of the bucket")
    .argument("[key]", "which key, or which of them with * and >", ">")
    .option("--once", "end after the first value, which is shown alone")
    .option("--timeout <duration>", "end after this time", span)
    .addHelpText("after", "\nExample:\n  choria kv watch SETTINGS 'colour.>'")
    .action((bucket: string, key: string, flags: WatchFlags) =>
      withStreams(flags, async (session) => {
        const { terminal, signal } = session;
        const changes = await (await open(session, bucket)).watch({ key });
        const timer = flags.timeout === undefined ? undefined : setTimeout(() => changes.stop(), flags.timeout);
        signal.addEventListener("abort", () => changes.stop(), { once: true });
        let isFound = false;
        for await (const entry of changes) {
          isFound = true;
          if (flags.once && entry.operation !== "PUT") continue;
          if (flags.once) process.stdout.write(entry.value);
          else terminal.out.write(`${changeText(entry)}\n`);
          if (flags.once) break;
        }
        clearTimeout(timer);
        signal.throwIfAborted();
        if (flags.once && !isFound) throw new Error(`no value of ${bucket} > ${key} was received in time`);
      }),
    );
}

function statusCommand(): Command {
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

function backupCommand(): Command {
  return new Command("backup")
    .description("Copy a bucket into a folder.")
    .argument("<bucket>", "name of the bucket")
    .argument("<target>", "folder, which is made")
    .addHelpText("after", "\nExample:\n  choria kv backup SETTINGS /var/backups/settings")
    .action((bucket: string, folder: string, flags: ClientFlags) =>
      withStreams(flags, async ({ fleet, terminal, signal }) => {
        const { bytes } = await backupStream(fleet.connection, bucketStreamName(bucket), folder, { signal });
        terminal.out.write(`Created ${formatBytes(bytes)} backup of bucket ${bucket} in ${folder}\n`);
      }),
    );
}

function restoreCommand(): Command {
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
