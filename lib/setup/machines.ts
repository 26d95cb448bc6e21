import { mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { writeFileAtomic } from "../std/mod.ts";

/** Machines of the checkout that every server of a network has. */
const sampleMachines = ["facts", "check_choria"];

/**
 * Give the sample machines to the servers that have their machines in the folder `store`: each has a folder of its own
 * there, as machines keep data beside their manifest. Manifests that differ are replaced, which has the servers load
 * them anew.
 */
export function installMachines(store: string, checkout: string): void {
  for (const name of sampleMachines) {
    const manifest = readFileSync(join(checkout, "machines", name, "machine.yaml"), "utf8");
    const target = join(store, name, "machine.yaml");
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    if (textOf(target) !== manifest) writeFileAtomic(target, manifest, { mode: 0o600 });
  }
}

/** The PATH of a server, which its machines have too: they call the command line, which lies in the checkout. */
export function machinePath(checkout: string): Record<string, string> {
  return { PATH: [process.env.PATH ?? "", dirname(process.execPath), checkout].filter(Boolean).join(delimiter) };
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
