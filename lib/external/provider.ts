import { readFileSync } from "node:fs";
import { type AgentDdl, parseDdl } from "../ddl/mod.ts";
import type { AgentHost } from "../rpc/mod.ts";
import { type Clock, errorText, type Logger, systemClock } from "../std/mod.ts";
import { type ExternalAgentOptions, externalAgent, isActive } from "./agent.ts";
import { type DdlFile, findDdlFiles, findProgram, refusedNames, stampOf } from "./files.ts";

/** What {@link ExternalAgents} works with. */
export interface ExternalAgentsOptions extends ExternalAgentOptions {
  host: Pick<AgentHost, "add" | "remove" | "agents">;
  /** `plugin.choria.agent_provider.mcorpc.libdir`. */
  folders: readonly string[];
  logger: Logger;
  /**
   * Time between two looks at the folders, in milliseconds.
   * @default 5_000
   */
  interval?: number;
  /**
   * How long a DDL must have been left alone, in milliseconds, so that none is taken while it is being written.
   * @default 5_000
   */
  settleTime?: number;
  /**
   * After which time an agent that did not want to be active is asked again, in milliseconds. One whose program was
   * changed is asked at once.
   * @default 60_000
   */
  retryTime?: number;
}

/** Longest DDL that is read, in bytes. */
const maxDdl = 1024 * 1024;

/** What became of a DDL file as it was when last looked at. */
interface Seen {
  stamp: string;
  state: "hosted" | "waiting" | "unusable";
  /** Name of its agent, where it was read. */
  agent?: string;
  ddl?: AgentDdl;
  /** The program as it was, and when to ask it again, for those that wait. */
  programStamp?: string;
  retryAt?: number;
}

/**
 * Hosts the agents that stand in some folders, for as long as they stand there: new ones are added, changed ones are
 * replaced, those that are gone are removed. Whatever stands there, nothing is thrown.
 */
export class ExternalAgents implements AsyncDisposable {
  readonly #options: ExternalAgentsOptions;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();
  readonly #stopping = new AbortController();
  /** Ends the wait until the next look. */
  #waking = new AbortController();
  readonly #loop: Promise<void>;

  /** Begins at once, in the background. */
  constructor(options: ExternalAgentsOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#clock = options.clock ?? systemClock;
    this.#loop = this.#watch();
  }

  /** Look again soon: something has changed that cannot wait for the next look. */
  look(): void {
    this.#waking.abort();
  }

  /** Look no more. The agents stay with the host. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waking.abort();
    await this.#loop;
  }

  /** {@link stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #watch(): Promise<void> {
    const { interval = 5_000 } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // Whoever asks for another look during this one gets it.
      this.#waking = new AbortController();
      try {
        await this.#reconcile(signal);
      } catch (error) {
        this.#logger.error("The folders of external agents cannot be looked through", { reason: errorText(error) });
      }
      if (!signal.aborted) await this.#clock.sleep(interval, this.#waking.signal);
    }
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const files = findDdlFiles(this.#options.folders);
    const paths = new Set(files.map(({ path }) => path));
    for (const [path, seen] of this.#seen) {
      if (!paths.has(path)) this.#forget(path, seen);
    }
    for (const file of files) {
      if (signal.aborted) return;
      if (!this.#isDue(file)) continue;
      const seen = await this.#consider(file, this.#seen.get(file.path), signal);
      if (!signal.aborted) this.#seen.set(file.path, seen);
    }
  }

  #forget(path: string, { state, agent }: Seen): void {
    this.#seen.delete(path);
    if (state !== "hosted" || agent === undefined) return;
    this.#options.host.remove(agent);
    this.#logger.info("An external agent is removed, as its DDL is gone", { agent, file: path });
  }

  /** Whether there is something to do about a file. */
  #isDue(file: DdlFile): boolean {
    const seen = this.#seen.get(file.path);
    const now = this.#clock.now();
    if (seen?.stamp === file.stamp) {
      if (seen.state !== "waiting" || seen.agent === undefined) return false;
      const programStamp = stampOf(findProgram(file.path, seen.agent));
      return programStamp !== seen.programStamp || now >= (seen.retryAt ?? 0);
    }
    const age = now - file.changedAt;
    // A time that is still to come says nothing about whether somebody is writing.
    return age < 0 || age >= (this.#options.settleTime ?? 5_000);
  }

  async #consider(file: DdlFile, before: Seen | undefined, signal: AbortSignal): Promise<Seen> {
    const isSame = before?.stamp === file.stamp;
    const ddl = isSame ? before.ddl : this.#read(file);
    if (ddl === undefined) {
      // What was hosted stays: half a DDL is no reason to take an agent away.
      return before?.state === "hosted" ? { ...before, stamp: file.stamp } : { stamp: file.stamp, state: "unusable" };
    }
    return this.#place(file, ddl, before, signal);
  }

  #read(file: DdlFile): AgentDdl | undefined {
    const { path, name } = file;
    try {
      if (file.size > maxDdl) throw new Error(`it is longer than ${maxDdl} bytes`);
      const ddl = parseDdl(readFileSync(path, "utf8"), path);
      if (ddl.metadata.provider !== "external") return undefined;
      if (!refusedNames.has(name) && !refusedNames.has(ddl.metadata.name)) return ddl;
      this.#logger.warn("External agents may not have the name of one of the server's own", { file: path });
    } catch (error) {
      this.#logger.error("The DDL of an external agent cannot be used", { file: path, reason: errorText(error) });
    }
    return undefined;
  }

  async #place(file: DdlFile, ddl: AgentDdl, before: Seen | undefined, signal: AbortSignal): Promise<Seen> {
    const { host } = this.#options;
    const { name: agent, version } = ddl.metadata;
    const replaced = before?.state === "hosted" ? before.agent : undefined;
    const seen: Seen = { stamp: file.stamp, state: "waiting", agent, ddl, ...this.#waiting(file.path, agent) };
    const reason = await this.#objection(file, ddl, replaced, signal);
    if (signal.aborted) return seen;
    if (replaced !== undefined) host.remove(replaced);
    if (reason === undefined) {
      try {
        host.add(externalAgent(ddl, file.path, this.#options));
        this.#logger.info("An external agent is hosted", { agent, version, file: file.path });
        return { ...seen, state: "hosted" };
      } catch (error) {
        this.#logger.error("An external agent is not hosted", { agent, reason: errorText(error) });
        return seen;
      }
    }
    // Said once; later tries that end alike are of no interest.
    const level = before?.state === "waiting" ? "debug" : "warn";
    this.#logger[level]("An external agent is not hosted", { agent, reason });
    return seen;
  }

  /** Why an agent is not to be hosted; undefined when it is. */
  async #objection(
    file: DdlFile,
    ddl: AgentDdl,
    replaced: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { name } = ddl.metadata;
    if (name !== replaced && this.#options.host.agents().some((agent) => agent.name === name)) {
      return "there is an agent of that name";
    }
    const program = findProgram(file.path, name);
    if (program === undefined) return "its program was not found";
    try {
      return (await isActive(ddl, program, this.#options, signal)) ? undefined : "it does not want to be active";
    } catch (error) {
      return errorText(error);
    }
  }

  #waiting(path: string, agent: string): Pick<Seen, "programStamp" | "retryAt"> {
    const { retryTime = 60_000 } = this.#options;
    return { programStamp: stampOf(findProgram(path, agent)), retryAt: this.#clock.now() + retryTime };
  }
}
