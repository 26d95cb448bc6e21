import { readFileSync } from "node:fs";
import { join } from "node:path";
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
      const places = folders.flatMap((folder) => [
        join(folder, "choria", "agent", `${agent}.json`),
        join(folder, "mcollective", "agent", `${agent}.json`),
        join(folder, `${agent}.json`),
      ]);
      const path = places.find(isFile);
      return path === undefined ? undefined : parseDdl(readFileSync(path, "utf8"), path);
    },
  };
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
