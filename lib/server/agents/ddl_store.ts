import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentDdl } from "../../ddl/mod.ts";

/** Where DDLs are in a store; of two of one name the last counts. */
const places = ["agent", join("choria", "agent"), join("mcollective", "agent")];

/** How deep folders are gone into, against links that lead back. */
const maxDepth = 6;

/** A folder of DDLs as agents are deployed: `NAME.json` at any depth below one of its places, but not where they are unpacked. */
export class DdlStore {
  readonly #folder: string;

  /** @param folder A folder that is not there is an empty store. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The names of all, sorted. */
  names(): string[] {
    return [...this.#files().keys()].sort();
  }

  /**
   * The DDL of a name, as it is now.
   *
   * @returns undefined when there is none.
   * @throws {DdlError} when it cannot be used.
   */
  async read(name: string): Promise<AgentDdl | undefined> {
    const path = this.#files().get(name);
    if (path === undefined) return undefined;
    const { parseDdl } = await import("../../ddl/mod.ts");
    return parseDdl(readFileSync(path, "utf8"), path);
  }

  #files(): Map<string, string> {
    const found = new Map<string, string>();
    for (const place of places) collect(join(this.#folder, place), found, maxDepth);
    return found;
  }
}

function collect(folder: string, found: Map<string, string>, depth: number): void {
  for (const entry of entriesOf(folder)) {
    const path = join(folder, entry.name);
    const name = entry.name.replace(/\.json$/, "");
    if (entry.isDirectory() && depth > 0 && entry.name !== "tmp") collect(path, found, depth - 1);
    else if (name !== entry.name && /^[a-z0-9_]+$/.test(name)) found.set(name, path);
  }
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
