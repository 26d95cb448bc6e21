import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { errorText, type Logger } from "../std/mod.ts";
import type { MachineEvent } from "./events.ts";
import { MachineGroup } from "./group.ts";
import { type MachineListener, startMachineListener } from "./http_listener.ts";
import type { Machine } from "./machine.ts";
import type { Manifest } from "./manifest.ts";
import type { MachineCriteria, MachineState } from "./state.ts";
import { loadMachine, machineFolders, manifestDigest, StoreWatch } from "./store.ts";
import type { MachineNode, Watcher } from "./watcher.ts";

/** How {@link startMachineHost} runs the machines of a node. */
export interface MachineHostOptions {
  /** Folder of machine folders; made with mode 0700 where it is missing. */
  readonly store: string;
  readonly node: MachineNode;
  readonly logger: Logger;
  /** Machines that are no folders of the store: each has a folder there for what it remembers. */
  readonly embedded?: readonly Manifest[];
  /** Told of each event, with its line for people. */
  readonly onEvent?: (event: MachineEvent, text: string) => void;
  /**
   * Port on which switches and metrics are served.
   * @default 0, which serves none
   */
  readonly httpPort?: number;
  /**
   * Milliseconds between looks at the store.
   * @default 10 s
   */
  readonly scanInterval?: number;
}

/** The running machines of a node. */
export interface MachineHost extends AsyncDisposable {
  /** What the machines are and do now, sorted by name. */
  states(): MachineState[];
  /** The machines that meet all of the criteria that are given; none where none are. */
  find(criteria: MachineCriteria): MachineState[];
  /**
   * Fire a transition of the machine that meets the criteria.
   *
   * @throws {Error} `could not find machine matching criteria …` or `transition T is not valid while in S state`.
   */
  transition(criteria: MachineCriteria, event: string): void;
  /** The running watcher of a machine, both by name. */
  watcher(machine: string, name: string): Watcher | undefined;
  /** The machines themselves, sorted by name. */
  readonly machines: readonly Machine[];
  /** Look at the store now; resolves when what has changed is loaded, and started where it has no splay. */
  scan(): Promise<void>;
  /** Stop all machines. Idempotent. */
  stop(): Promise<void>;
}

/** Run the machines of a store: those that are there, and those that come, change and go. */
export async function startMachineHost(options: MachineHostOptions): Promise<MachineHost> {
  const host = new StoreHost(options);
  await host.scan();
  return host;
}

const defaultScanInterval = 10_000;

class StoreHost implements MachineHost {
  readonly #store: string;
  readonly #logger: Logger;
  readonly #group: MachineGroup;
  readonly #watch: StoreWatch;
  readonly #ticker: Disposable;
  readonly #listener: MachineListener | undefined;
  /** SHA-256 of the manifest that each folder of the store was loaded from. */
  readonly #digests = new Map<string, string>();
  readonly #embedded: ReadonlySet<string>;
  /** What was last wrong with a folder, so that it is logged once and not with every look. */
  readonly #problems = new Map<string, string>();
  #scanning: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: MachineHostOptions) {
    const { node, logger, onEvent, embedded = [], scanInterval = defaultScanInterval } = options;
    this.#store = resolve(options.store);
    this.#logger = logger.child({ component: "machine_host" });
    this.#group = new MachineGroup({ node, logger, ...(onEvent === undefined ? {} : { onEvent }) });
    mkdirSync(this.#store, { recursive: true, mode: 0o700 });
    this.#embedded = new Set(embedded.map(({ name }) => join(this.#store, name)));
    for (const manifest of embedded) this.#embed(manifest);
    this.#watch = new StoreWatch(this.#store, () => void this.#look(false));
    this.#listener = this.#listen(options.httpPort ?? 0);
    this.#ticker = node.clock.every(scanInterval, () => void this.#look(true));
  }

  get machines(): readonly Machine[] {
    return this.#group.machines;
  }

  states(): MachineState[] {
    return this.#group.states();
  }

  find(criteria: MachineCriteria): MachineState[] {
    return this.#group.find(criteria);
  }

  transition(criteria: MachineCriteria, event: string): void {
    this.#group.transition(criteria, event);
  }

  watcher(machine: string, name: string): Watcher | undefined {
    return this.#group.watcher(machine, name);
  }

  scan(): Promise<void> {
    return this.#look(true);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#ticker[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
    this.#group.stop();
    await this.#listener?.stop();
    await this.#scanning;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** A port that is taken is logged, and the machines run without it. */
  #listen(port: number): MachineListener | undefined {
    if (port === 0) return undefined;
    try {
      const find = (machine: string, watcher: string) => this.#group.watcher(machine, watcher);
      return startMachineListener({ port, find, logger: this.#logger });
    } catch (error) {
      this.#logger.error("Switches and metrics are not served", { port, reason: errorText(error) });
      return undefined;
    }
  }

  #embed(manifest: Manifest): void {
    const folder = join(this.#store, manifest.name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#group.add(folder, manifest);
    this.#logger.warn(`Loaded Autonomous Agent ${manifest.name} version ${manifest.version} from ${folder} (embedded)`);
  }

  /** @param isRegular Whether a folder without a manifest is a mistake; otherwise it may just be on its way. */
  #look(isRegular: boolean): Promise<void> {
    this.#scanning = this.#scanning.then(async () => {
      if (this.#isStopped) return;
      try {
        await this.#scanOnce(isRegular);
      } catch (error) {
        this.#logger.error("The machine store cannot be looked at", { reason: errorText(error) });
      }
    });
    return this.#scanning;
  }

  async #scanOnce(isRegular: boolean): Promise<void> {
    const folders = machineFolders(this.#store).filter((folder) => !this.#embedded.has(folder));
    this.#watch.follow(folders);
    await this.#dropMissing(new Set(folders));
    for (const folder of folders) this.#loadFolder(folder, isRegular);
    const starting = this.#group.machines.map((machine) => ({ machine, started: this.#start(machine) }));
    // Nobody waits for those that splay their start.
    await Promise.all(
      starting.filter(({ machine }) => machine.manifest.splayStart === 0).map(({ started }) => started),
    );
  }

  async #dropMissing(folders: ReadonlySet<string>): Promise<void> {
    for (const folder of this.#problems.keys()) if (!folders.has(folder)) this.#problems.delete(folder);
    for (const folder of [...this.#digests.keys()]) {
      if (folders.has(folder)) continue;
      const machine = this.#group.at(folder);
      this.#digests.delete(folder);
      this.#group.remove(folder);
      this.#logger.warn("The folder of a machine is gone, so it stops", { machine: machine?.name, folder });
      await machine?.delete();
    }
  }

  #loadFolder(folder: string, isRegular: boolean): void {
    try {
      const digest = manifestDigest(folder);
      if (digest === undefined && !isRegular) return;
      if (digest !== undefined && digest === this.#digests.get(folder)) return;
      const { manifest, warnings, digest: loaded } = loadMachine(folder);
      this.#group.at(folder)?.stop();
      this.#group.add(folder, manifest);
      this.#digests.set(folder, loaded);
      this.#problems.delete(folder);
      this.#logger.warn(
        `Loaded Autonomous Agent ${manifest.name} version ${manifest.version} from ${folder} (${loaded})`,
      );
      for (const { text, line } of warnings.slice(0, 20)) {
        this.#logger.warn(`In a manifest ${text}`, { machine: manifest.name, line });
      }
    } catch (error) {
      this.#complain(folder, `Could not load a machine: ${errorText(error)}`);
    }
  }

  async #start(machine: Machine): Promise<void> {
    if (machine.isStarted) return;
    try {
      await machine.start();
      this.#problems.delete(machine.folder);
    } catch (error) {
      const { name } = machine;
      this.#complain(machine.folder, `${name}#${name}: Could not start manager: ${errorText(error)}`);
    }
  }

  #complain(folder: string, text: string): void {
    if (this.#problems.get(folder) === text) return;
    this.#problems.set(folder, text);
    this.#logger.error(text, { folder });
  }
}
