import { Command } from "commander";
import { parseChoice } from "./client/filters.ts";
import { completionScript, type Shell, shells } from "./completion/scripts.ts";

const examples = `
Examples:
  source <(choria completion bash)                                     in ~/.bashrc
  source <(choria completion zsh)                                      in ~/.zshrc
  choria completion fish > ~/.config/fish/completions/choria.fish

Names of agents, actions and inputs are completed from the DDLs on this machine: choria plugin doc fetches all there are.`;

/** `choria completion`: what a shell needs to complete words of the command line. */
export function command(): Command {
  return new Command("completion")
    .description("Write the script by which a shell completes commands, flags, agents, actions and inputs.")
    .argument("<shell>", shells.join(", "), parseChoice(shells))
    .addHelpText("after", examples)
    .action((shell: Shell) => void process.stdout.write(completionScript(shell)));
}
