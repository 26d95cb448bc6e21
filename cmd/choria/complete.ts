import { Command } from "commander";
import { completeWords } from "./completion/complete.ts";

/** `choria complete -- WORDS`: asked by shells for what the last word may become; see `choria completion`. */
export function command(): Command {
  return new Command("complete")
    .description("Tell a shell what the last of these words may become.")
    .argument("[words...]", "the words after choria, the last as far as it is typed")
    .addHelpText("after", '\nExample:\n  choria complete -- req rpcutil ""')
    .action(async (words: string[]) => {
      const { items, directive } = await completeWords(words);
      const lines = items.map(({ value, description = "" }) => `${value}\t${description.replace(/\s+/g, " ")}\n`);
      process.stdout.write(`${lines.join("")}:${directive}\n`);
    });
}
