import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentDdl, DdlError, type DdlResolver, parseDdl } from "../ddl/mod.ts";
import {
  errorText,
  isFile,
  isObject,
  isStringList,
  type JsonObject,
  type Logger,
  writeFileAtomic,
} from "../std/mod.ts";
import type { FleetReply } from "./reply.ts";

/** The service that hands out DDLs. */
export const registryAgent = "choria_registry";

/** What a {@link Registry} works with. */
export interface RegistryOptions {
  /** Folder of DDLs that were fetched before, in its folder `agent`. */
  cache: string;
  /** Calls an action of the service and gives the one reply there is, if any. */
  call: (action: string, data: JsonObject) => Promise<FleetReply | undefined>;
  logger: Logger;
}

/**
 * The network's registry of DDLs. What was fetched once is kept in a folder and used from there ever after; a file
 * that has been damaged is fetched again.
 */
export class Registry implements DdlResolver {
  readonly name: string;
  readonly #options: RegistryOptions;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.name = `the registry, whose cache is ${options.cache}`;
  }

  /**
   * The DDL of an agent, from the cache or the network.
   * @throws {DdlError} when the registry does not answer or knows no such agent.
   */
  async resolve(agent: string): Promise<AgentDdl | undefined> {
    if (!isName(agent)) return undefined;
    return this.cached(agent) ?? (await this.#fetch(agent));
  }

  /** The DDL of an agent where it has been fetched before. */
  cached(agent: string): AgentDdl | undefined {
    const path = this.#path(agent);
    if (!isName(agent) || !isFile(path)) return undefined;
    try {
      return this.#parse(readFileSync(path, "utf8"), agent, path);
    } catch (error) {
      this.#options.logger.warn("A cached DDL cannot be used", { file: path, reason: errorText(error) });
      return undefined;
    }
  }

  /** Names of agents whose DDLs have been fetched before, sorted. */
  cachedNames(): string[] {
    try {
      const files = readdirSync(join(this.#options.cache, "agent")).filter((file) => file.endsWith(".json"));
      return files
        .map((file) => file.slice(0, -".json".length))
        .filter(isName)
        .sort();
    } catch {
      // Nothing has been fetched so far.
      return [];
    }
  }

  /**
   * Names of every agent that the registry knows, sorted.
   * @throws {DdlError} when it does not answer as it should.
   */
  async names(): Promise<string[]> {
    const { names } = await this.#call("names", { plugin_type: "agent" });
    if (!isStringList(names)) throw new DdlError("invalid response: the registry gave no list of names");
    return names.filter(isName).sort();
  }

  async #fetch(agent: string): Promise<AgentDdl> {
    const { ddl: text } = await this.#call("ddl", { name: agent, plugin_type: "agent", format: "json" }, agent);
    if (typeof text !== "string") throw new DdlError(`invalid response: the registry gave no DDL of ${agent}`);
    const ddl = this.#parse(text, agent, `${agent} of the registry`);
    this.#keep(agent, text);
    return ddl;
  }

  /** Whoever cannot keep it has it all the same. */
  #keep(agent: string, text: string): void {
    const path = this.#path(agent);
    try {
      writeFileAtomic(path, text, { mode: 0o644, makeFolders: true });
    } catch (error) {
      this.#options.logger.warn("A DDL cannot be cached", { file: path, reason: errorText(error) });
    }
  }

  /** Nobody gets the DDL of another agent than the one that was asked for. */
  #parse(text: string, agent: string, place: string): AgentDdl {
    const ddl = parseDdl(text, place);
    if (ddl.metadata.name === agent) return ddl;
    throw new DdlError(`Cannot use the DDL ${place}: it is that of ${ddl.metadata.name}`);
  }

  #path(agent: string): string {
    return join(this.#options.cache, "agent", `${agent}.json`);
  }

  async #call(action: string, data: JsonObject, agent?: string): Promise<JsonObject> {
    const what = agent === undefined ? "" : `could not resolve ${agent} DDL in any resolver: `;
    const reply = await this.#options.call(action, data).catch((error: unknown) => {
      const reason = `did not receive any response from the registry: ${errorText(error)}`;
      throw new DdlError(what + reason, { cause: error });
    });
    if (reply === undefined) throw new DdlError(`${what}did not receive any response from the registry`);
    if (!reply.ok) throw new DdlError(`${what}invalid response: ${reply.statusmsg}`);
    return isObject(reply.data) ? reply.data : {};
  }
}

/** Names become paths, so nothing else is ever looked up. */
function isName(text: string): boolean {
  return /^[a-z0-9_]+$/.test(text);
}
