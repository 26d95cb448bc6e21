import { mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { writeFileAtomic } from "../std/mod.ts";
import type { Layout } from "./layout.ts";

/** Machines of the checkout that every server of a network has. */
const sampleMachines = ["facts", "check_choria"];

/**
 * Give a server the sample machines: each has a folder of its own there, as machines keep data beside their manifest.
 * Manifests that differ are replaced, which has the server load them anew.
 */
export function installMachines(layout: Layout, checkout: string, identity: string): void {
  for (const name of sampleMachines) {
    const manifest = readFileSync(join(checkout, "machines", name, "machine.yaml"), "utf8");
    const target = layout.server(identity, `machine/${name}/machine.yaml`);
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
