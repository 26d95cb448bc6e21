import { Command } from "commander";
import { takeConfigFor } from "./client/parent.ts";
import { statusCommand } from "./scout/status.ts";
import { steerCommands } from "./scout/steer.ts";
import { validateCommand } from "./scout/validate.ts";
import { watchCommand } from "./scout/watch.ts";

/** `choria scout`: the health checks of the fleet. */
export function command(): Command {
  const scout = new Command("scout").description("Look at the health checks of the fleet, and steer them.");
  for (const part of [statusCommand(), ...steerCommands(), watchCommand(), validateCommand()]) scout.addCommand(part);
  return takeConfigFor(scout);
}
