import { readdirSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isFile } from "../std/mod.ts";

/** Names that belong to agents of the server itself. */
export const refusedNames: ReadonlySet<string> = new Set([
  "rpcutil",
  "choria_util",
  "choria_provision",
  "choria_registry",
  "discovery",
  "scout",
]);

/** A DDL of an agent on disk. */
export interface DdlFile {
  path: string;
  /** File name without its extension. */
  name: string;
  /** When it was last changed, in milliseconds since the epoch. */
  changedAt: number;
  /** Length in bytes. */
  size: number;
  /** Differs after every change. */
  stamp: string;
}

/** Where agents are in each folder of `plugin.choria.agent_provider.mcorpc.libdir`. */
const places = [join("mcollective", "agent"), "agent"];

/**
 * The DDLs of agents in some folders: `NAME.json`, or `NAME.json` in a folder of that name, in `mcollective/agent` and
 * in `agent` of each. Folders that are not there hold none. Of two of one path the first counts.
 */
export function findDdlFiles(folders: readonly string[]): DdlFile[] {
  const found = new Map<string, DdlFile>();
  for (const folder of folders.flatMap((folder) => places.map((place) => join(folder, place)))) {
    for (const entry of entriesOf(folder)) {
      const file = ddlFile(join(folder, entry));
      if (file !== undefined && !found.has(file.path)) found.set(file.path, file);
    }
  }
  return [...found.values()];
}

/**
 * The program of an agent, beside its DDL: `NAME`, `NAME/NAME-linux_amd64` (or whatever the machine is), or `NAME.ts`.
 *
 * @returns undefined when there is none.
 */
export function findProgram(ddlPath: string, name: string): string | undefined {
  const folder = dirname(ddlPath);
  return [join(folder, name), join(folder, name, `${name}-${platform()}`), join(folder, `${name}.ts`)].find(isFile);
}

/** Changes whenever a file is replaced or written to; empty while there is none. */
export function stampOf(path: string | undefined): string {
  const stats = path === undefined ? undefined : statsOf(path);
  return stats === undefined ? "" : stampFrom(stats);
}

function ddlFile(path: string): DdlFile | undefined {
  const name = basename(path, ".json");
  const ddlPath = path.endsWith(".json") ? path : join(path, `${name}.json`);
  const stats = name === "tmp" ? undefined : statsOf(ddlPath);
  if (!stats?.isFile()) return undefined;
  return { path: ddlPath, name, changedAt: stats.mtimeMs, size: stats.size, stamp: stampFrom(stats) };
}

function stampFrom({ mtimeMs, ctimeMs, size, ino }: Stats): string {
  return [mtimeMs, ctimeMs, size, ino].join(":");
}

function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // A file where a folder is looked for, or a folder that may not be entered.
    return undefined;
  }
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** Operating system and processor as Go names them. */
function platform(): string {
  const processors: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
  const system = process.platform === "win32" ? "windows" : process.platform;
  return `${system}_${processors[process.arch] ?? process.arch}`;
}
