import type { AgentDdl } from "../../../lib/ddl/mod.ts";
import { localDdls } from "../client/ddls.ts";
import { clientConfig } from "../client/open.ts";
import type { Completion } from "./complete.ts";

/** DDLs on this machine. Whatever keeps them from being read leaves a shell without completions, not with errors. */
export interface KnownDdls {
  agents(): Promise<Completion[]>;
  find(agent: string): Promise<AgentDdl | undefined>;
}

/** The DDLs that a configuration leads to. */
export function knownDdls(configFile: string | undefined): KnownDdls {
  const local = open(configFile);
  const find = async (agent: string) => {
    try {
      return await local?.find(agent);
    } catch {
      return undefined;
    }
  };
  return {
    find,
    async agents() {
      const names = local?.names() ?? [];
      return Promise.all(
        names.map(async (value) => ({ value, description: (await find(value))?.metadata.description ?? "" })),
      );
    },
  };
}

function open(configFile: string | undefined) {
  try {
    return localDdls(clientConfig(configFile === undefined ? {} : { config: configFile }));
  } catch {
    return undefined;
  }
}
