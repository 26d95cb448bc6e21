import { builtinDdl } from "../../../lib/ddl/mod.ts";
import { ActionError, type Agent, rpcAgent } from "../../../lib/rpc/mod.ts";
import { silentLogger } from "../../../lib/std/mod.ts";

/** A registry service that hands out these DDLs, texts by name, and remembers what it was asked for. */
export function registryService(ddls: Readonly<Record<string, string>>, asked: string[] = []): Agent {
  const ddl = builtinDdl("choria_registry");
  if (ddl === undefined) throw new Error("there is no choria_registry");
  return rpcAgent(
    ddl.metadata,
    {
      names: () => ({ names: Object.keys(ddls), plugin_type: "agent" }),
      ddl: ({ name }) => {
        asked.push(String(name));
        const text = ddls[String(name)];
        if (text === undefined) throw new ActionError(`unknown plugin ${name}`);
        return { name, plugin_type: "agent", version: "0.0.1", ddl: text };
      },
    },
    { logger: silentLogger },
  );
}
