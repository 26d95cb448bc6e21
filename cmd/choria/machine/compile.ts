import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { plugin } from "bun";
import { Command } from "commander";
import { compileMachine, defineMachine, type MachineSpec } from "../../../lib/machine/mod.ts";
import { errorText, isObject, writeFileAtomic } from "../../../lib/std/mod.ts";

const examples = `
Examples:
  choria machine compile traffic_light.ts
  choria machine compile traffic_light.ts machines/traffic_light

Types are not checked here: an editor does that, and tsc --noEmit.`;

/** `choria machine compile`: a machine written in TypeScript as `machine.yaml`. */
export function compileCommand(): Command {
  return new Command("compile")
    .description("Make the machine.yaml of a machine that is written in TypeScript.")
    .argument("<file>", "module whose default export is the machine; it is run")
    .argument("[folder]", "folder for machine.yaml; standard output by default")
    .addHelpText("after", examples)
    .action(async (file: string, folder?: string) => {
      const text = compileMachine(await loadMachine(file));
      if (folder === undefined) process.stdout.write(text);
      else writeFileAtomic(join(folder, "machine.yaml"), text, { makeFolders: true });
    });
}

async function loadMachine(file: string): Promise<MachineSpec> {
  let exported: unknown;
  try {
    // The file may lie where no package of that name is to be found.
    plugin({ name: "choria", setup: ({ module }) => void module("choria", library) });
    exported = (await import(pathToFileURL(resolve(file)).href)).default;
  } catch (error) {
    throw new Error(`Cannot run ${file}: ${errorText(error)}`, { cause: error });
  }
  if (isMachine(exported)) return exported;
  throw new Error(`Cannot compile ${file}: write \`export default defineMachine({ … })\``);
}

function library(): { exports: Record<string, unknown>; loader: "object" } {
  return { exports: { defineMachine }, loader: "object" };
}

function isMachine(value: unknown): value is MachineSpec {
  return isObject(value) && isObject(value.transitions) && isObject(value.watchers);
}
