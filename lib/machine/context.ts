import type { Logger } from "../std/mod.ts";
import { renderMachineTemplate } from "./template.ts";
import type { WatchedMachine, WatcherContext, WatcherDefinition } from "./watcher.ts";

/** What a machine does for its watchers. */
export interface MachineControls {
  readonly signal: AbortSignal;
  readonly logger: Logger;
  fire(event: string): Promise<void>;
  announce(): void;
  /** State of another machine of the node; undefined where there is none of that name. */
  stateOf(machine: string): string | undefined;
}

/** What a watcher of a machine gets to work with. */
export function createContext(
  machine: WatchedMachine,
  definition: WatcherDefinition,
  controls: MachineControls,
): WatcherContext {
  const { signal, logger, fire, announce, stateOf } = controls;
  return {
    definition,
    machine,
    logger,
    signal,
    isActive: () => isActive(machine, definition, stateOf),
    announce,
    fire,
    succeed: () => fire(definition.successTransition),
    fail: () => fire(definition.failTransition),
    render: async (template) => {
      // Most commands have no template, and then nobody has to read the facts.
      if (!template.includes("{{")) return template;
      return renderMachineTemplate(template, { facts: await machine.node.facts(), data: machine.data.all });
    },
  };
}

function isActive(
  machine: WatchedMachine,
  { stateMatch, foreignStates }: WatcherDefinition,
  stateOf: MachineControls["stateOf"],
): boolean {
  if (stateMatch.length > 0 && !stateMatch.includes(machine.state)) return false;
  return foreignStates.every((foreign) => stateOf(foreign.machine) === foreign.state);
}
