import { Command } from "commander";
import { encodeUtf8 } from "../../../lib/std/mod.ts";
import { bucketStreamName } from "../../../lib/streams/mod.ts";
import { confirmed, type StreamSession, withStreams } from "../broker/session.ts";
import { whole } from "../broker/stream/flags.ts";
import type { ClientFlags } from "../client/open.ts";
import { keyed, open } from "./open.ts";
import { entryText, writeValue } from "./show.ts";

/** `choria kv put`. */
export function putCommand(): Command {
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

/** `choria kv create`. */
export function createCommand(): Command {
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

/** `choria kv update`. */
export function updateCommand(): Command {
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

async function payloadOf(text: string): Promise<Uint8Array> {
  return text === "-" ? Bun.stdin.bytes() : encodeUtf8(text);
}

/** Say what was stored, unless it came from elsewhere and may be long. */
function echo({ terminal }: StreamSession, text: string): void {
  if (text !== "-") terminal.out.write(`${text}\n`);
}

/** Somebody else has stored a value; the broker says which revision it has. */
function conflict(error: unknown, reason?: string): unknown {
  const isConflict = error instanceof Error && error.message.includes("wrong last sequence");
  return isConflict && reason !== undefined ? new Error(`${error.message}: ${reason}`, { cause: error }) : error;
}

/** `choria kv get`. */
export function getCommand(): Command {
  return keyed("get", "Show the value of a key.")
    .option("--raw", "show nothing but the value")
    .addHelpText("after", "\nExample:\n  choria kv get SETTINGS colour --raw")
    .action((bucket: string, key: string, flags: ClientFlags & { raw?: true }) =>
      withStreams(flags, async (session) => {
        const entry = await (await open(session, bucket)).get(key);
        if (entry === null || entry.operation !== "PUT") throw new Error(`key not found: ${bucket} > ${key}`);
        if (flags.raw) writeValue(entry.value, session);
        else session.terminal.out.write(entryText(entry, session.terminal.columns));
      }),
    );
}

interface ForceFlags extends ClientFlags {
  force?: true;
}

/** `choria kv del`. */
export function deleteCommand(): Command {
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

/** `choria kv purge`. */
export function purgeCommand(): Command {
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
