import { Command } from "commander";
import { addClientFlags } from "./client/open.ts";
import { takeConfigFor } from "./client/parent.ts";
import { addCommand, backupCommand, listCommand, restoreCommand, statusCommand } from "./kv/buckets.ts";
import { createCommand, deleteCommand, getCommand, purgeCommand, putCommand, updateCommand } from "./kv/values.ts";
import { historyCommand, keysCommand, watchCommand } from "./kv/watch.ts";

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
