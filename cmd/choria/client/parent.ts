import type { Command } from "commander";

/** Let a command that has sub-commands take `--config` for them, which is where the original takes it. */
export function takeConfigFor(parent: Command): Command {
  return parent
    .option("--config <file>", "configuration of the sub-commands that work with one")
    .hook("preAction", (_parent, leaf) => {
      const { config } = parent.opts<{ config?: string }>();
      if (config !== undefined && leaf.opts().config === undefined) leaf.setOptionValue("config", config);
    });
}
