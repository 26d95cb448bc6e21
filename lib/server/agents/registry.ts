import type { AgentDdl } from "../../ddl/mod.ts";
import { type Action, ActionError, type Agent, type RpcAgentOptions, rpcAgent } from "../../rpc/mod.ts";
import { errorText, type JsonObject, type Logger, version } from "../../std/mod.ts";
import { oneOf, requiredText } from "../inputs.ts";
import { author } from "./author.ts";
import { DdlStore } from "./ddl_store.ts";

/** What callers get where there is no DDL. */
const nothing = { name: "", plugin_type: "", version: "", ddl: "" };

/**
 * The service agent `choria_registry`: hands out DDLs, those that Choria brings and those in a folder.
 *
 * @param folder The store, `plugin.choria.services.registry.store`.
 */
export function registryAgent(folder: string, options: RpcAgentOptions): Agent {
  const metadata = {
    ...author,
    name: "choria_registry",
    description: "Hands out the DDLs of this host",
    version,
    timeout: 2,
    service: true,
  };
  const store = new DdlStore(folder);
  const actions: Record<string, Action> = {
    names: (data) => {
      const plugin_type = pluginType(data);
      return { names: store.names(), plugin_type };
    },
    ddl: (data) => getDdl(data, store, options.logger),
  };
  return rpcAgent(metadata, actions, options);
}

async function getDdl(data: JsonObject, store: DdlStore, logger: Logger): Promise<JsonObject> {
  const name = requiredText(data, "name", { maxLength: 64 });
  const plugin_type = pluginType(data);
  const format = oneOf(data, "format", ["json", "ddl"]);
  const { builtinDdl, encodeDdl, encodeRubyDdl } = await import("../../ddl/mod.ts");
  let ddl: AgentDdl | undefined;
  try {
    ddl = builtinDdl(name) ?? (await store.read(name));
  } catch (error) {
    logger.warn("A DDL cannot be handed out", { name, reason: errorText(error) });
  }
  if (ddl === undefined) throw new ActionError("Could not load DDL", { data: nothing });
  const text = format === "ddl" ? encodeRubyDdl(ddl) : encodeDdl(ddl);
  return { name, plugin_type, version: ddl.metadata.version, ddl: text };
}

function pluginType(data: JsonObject): string {
  return oneOf(data, "plugin_type", ["agent"]);
}
