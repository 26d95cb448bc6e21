import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isFile } from "../std/mod.ts";
import { builtinDdl } from "./builtin.ts";
import type { AgentDdl } from "./ddl.ts";
import { DdlError, parseDdl } from "./decode.ts";

/** Somewhere that DDLs are found. */
export interface DdlResolver {
  /** For people: where this looks. */
  readonly name: string;
  /**
   * The DDL of an agent; undefined when there is none here.
   * @throws {DdlError} when there is one that cannot be used.
   */
  resolve(agent: string): Promise<AgentDdl | undefined>;
}

/** The agents that Choria itself brings. */
export const builtinResolver: DdlResolver = {
  name: "built in",
  resolve: async (agent) => builtinDdl(agent),
};

/** DDLs in folders: `<folder>/choria/agent/<agent>.json`, `<folder>/mcollective/agent/…` or `<folder>/<agent>.json`. */
export function folderResolver(folders: readonly string[]): DdlResolver {
  return {
    name: folders.join(":"),
    async resolve(agent) {
      if (!isAgentName(agent)) return undefined;
      const path = placesIn(folders)
        .map((place) => join(place, `${agent}.json`))
        .find(isFile);
      return path === undefined ? undefined : parseDdl(readFileSync(path, "utf8"), path);
    },
  };
}

/** Names of the agents whose DDLs {@link folderResolver} finds in folders, sorted. */
export function folderAgents(folders: readonly string[]): string[] {
  const names = placesIn(folders).flatMap(jsonFiles).filter(isAgentName);
  return [...new Set(names)].sort();
}

function placesIn(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => [join(folder, "choria", "agent"), join(folder, "mcollective", "agent"), folder]);
}

function jsonFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith(".json"))
      .map((file) => basename(file, ".json"));
  } catch {
    // Folders that are configured need not be there.
    return [];
  }
}

/**
 * The DDL of an agent from the first resolver that has it.
 * @throws {DdlError} `could not resolve X DDL in any resolver`, and what went wrong where something did.
 */
export async function resolveDdl(agent: string, resolvers: readonly DdlResolver[]): Promise<AgentDdl> {
  if (!isAgentName(agent)) throw new DdlError(`could not resolve ${agent} DDL: it is not the name of an agent`);
  for (const resolver of resolvers) {
    const ddl = await resolver.resolve(agent);
    if (ddl !== undefined) return ddl;
  }
  const looked = resolvers.map(({ name }) => name).filter((name) => name !== "");
  throw new DdlError(`could not resolve ${agent} DDL in any resolver: looked in ${looked.join(", ")}`);
}

/** Names go into paths and subjects, so nothing else is ever looked up. */
function isAgentName(text: string): boolean {
  return /^[a-z0-9_]+$/.test(text);
}
