import { Command } from "commander";
import { addCommand, copyCommand, editCommand } from "./stream/add.ts";
import { backupCommand, restoreCommand } from "./stream/backup.ts";
import { findCommand, listCommand, reportCommand } from "./stream/list.ts";
import { gapsCommand, infoCommand, stateCommand, subjectsCommand } from "./stream/look.ts";
import { getCommand, removeMessageCommand, viewCommand } from "./stream/messages.ts";
import { purgeCommand, removeCommand, sealCommand } from "./stream/remove.ts";

const examples = `
Examples:
  choria broker stream add CHORIA_REGISTRATION --subjects 'choria.node_metadata.>'
  choria broker stream ls
  choria broker stream view CHORIA_REGISTRATION
  choria broker stream backup CHORIA_REGISTRATION /var/backups/registration

Needs a token that may administer streams, or that of an administrator of the organization.`;

/** `choria broker stream`: the streams of the organization. */
export function streamCommand(): Command {
  const stream = new Command("stream")
    .aliases(["str", "st", "ms", "s"])
    .description("Make, change, look into, back up and remove streams.")
    .option("-a, --all", "list those of buckets and libraries too")
    .addHelpText("after", examples);
  const parts = [
    addCommand(),
    listCommand(),
    reportCommand(),
    findCommand(),
    infoCommand(),
    stateCommand(),
    subjectsCommand(),
    gapsCommand(),
    editCommand(),
    copyCommand(),
    getCommand(),
    viewCommand(),
    removeMessageCommand(),
    purgeCommand(),
    removeCommand(),
    sealCommand(),
    backupCommand(),
    restoreCommand(),
  ];
  for (const part of parts) stream.addCommand(part);
  return stream;
}
