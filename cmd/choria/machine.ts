import { Command } from "commander";
import { takeConfigFor } from "./client/parent.ts";
import { compileCommand } from "./machine/compile.ts";
import { graphCommand } from "./machine/graph.ts";
import { pluginsCommand } from "./machine/plugins.ts";
import { runCommand } from "./machine/run.ts";
import { validateCommand } from "./machine/validate.ts";
import { watchCommand } from "./machine/watch.ts";

/** `choria machine`: autonomous agents. */
export function command(): Command {
  const machine = new Command("machine").description("Write, try out and watch autonomous agents.");
  const parts = [runCommand(), validateCommand(), graphCommand(), watchCommand(), compileCommand(), pluginsCommand()];
  for (const part of parts) machine.addCommand(part);
  return takeConfigFor(machine);
}
