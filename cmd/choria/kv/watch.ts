import { Command } from "commander";
import { withStreams } from "../broker/session.ts";
import { span } from "../broker/stream/flags.ts";
import type { ClientFlags } from "../client/open.ts";
import { keyed, open } from "./open.ts";
import { changeText, historyTable, writeValue } from "./show.ts";

/** `choria kv keys`. */
export function keysCommand(): Command {
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

/** `choria kv history`. */
export function historyCommand(): Command {
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

/** `choria kv watch`. */
export function watchCommand(): Command {
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
        signal.throwIfAborted();
        signal.addEventListener("abort", () => changes.stop(), { once: true });
        let isFound = false;
        try {
          for await (const entry of changes) {
            isFound = true;
            if (flags.once && entry.operation !== "PUT") continue;
            if (flags.once) writeValue(entry.value, session);
            else terminal.out.write(`${changeText(entry)}\n`);
            if (flags.once) break;
          }
        } finally {
          clearTimeout(timer);
        }
        signal.throwIfAborted();
        if (flags.once && !isFound) throw new Error(`no value of ${bucket} > ${key} was received in time`);
      }),
    );
}
