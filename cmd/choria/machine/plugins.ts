import { Command } from "commander";
import { archiveCommand } from "./plugins_archive.ts";
import { addCommand, rmCommand } from "./plugins_list.ts";
import { matcherCommand } from "./plugins_matcher.ts";
import { packCommand, verifyCommand } from "./plugins_pack.ts";

const examples = `
How a folder comes to the nodes:
  choria machine plugins archive check_disk --output check_disk-1.0.0.tgz
  choria machine plugins add check_disk https://plugins.example.net/check_disk-1.0.0.tgz CHECKSUM VERIFY
  choria machine plugins pack plugins.json signer.seed | choria kv put CHORIA_PLUGINS plugins -- -`;

/** `choria machine plugins`: what is listed for nodes to fetch, and how it is packed and signed. */
export function pluginsCommand(): Command {
  const plugins = new Command("plugins")
    .description("Pack, list and sign the machines and agents that nodes fetch by themselves.")
    .addHelpText("after", examples);
  const parts = [addCommand(), archiveCommand(), matcherCommand(), packCommand(), rmCommand(), verifyCommand()];
  for (const part of parts) plugins.addCommand(part);
  return plugins;
}
