import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { errorText } from "../../../lib/std/mod.ts";

/** The manifest in a folder, or the file itself. @throws {Error} `cannot read DIR/machine.yaml` */
export function readManifest(place: string): string {
  const path = statSync(place, { throwIfNoEntry: false })?.isFile() ? place : join(place, "machine.yaml");
  try {
    return readFileSync(resolve(path), "utf8");
  } catch (error) {
    throw new Error(`cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
}
