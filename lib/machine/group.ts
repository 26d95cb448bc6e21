import type { Logger } from "../std/mod.ts";
import { encodeMachineEvent, type MachineEvent, machineEventSubject } from "./events.ts";
import { Machine } from "./machine.ts";
import type { Manifest } from "./manifest.ts";
import { type MachineCriteria, type MachineState, matchesCriteria } from "./state.ts";
import type { MachineNode, Watcher, WatcherKind } from "./watcher.ts";

/** What the machines of a {@link MachineGroup} share. */
export interface MachineGroupOptions {
  readonly node: MachineNode;
  readonly logger: Logger;
  /**
   * Finds a kind of watcher; tests give their own.
   * @default watcherKind
   */
  readonly kinds?: (type: string) => Promise<WatcherKind>;
  /** Told of each event, with its line for people. */
  readonly onEvent?: (event: MachineEvent, text: string) => void;
}

/** Machines that know of each other: they subscribe to each other's transitions and look at each other's states. */
export class MachineGroup {
  readonly #options: MachineGroupOptions;
  readonly #machines = new Map<string, Machine>();

  constructor(options: MachineGroupOptions) {
    this.#options = options;
  }

  /** The machines, sorted by name. */
  get machines(): Machine[] {
    return [...this.#machines.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Add a machine, in place of another of the same folder, without starting it. */
  add(folder: string, manifest: Manifest): Machine {
    const machine = new Machine({
      manifest,
      folder,
      node: this.#options.node,
      logger: this.#options.logger,
      peers: {
        stateOf: (name) => this.#named(name)?.state,
        transitioned: (name, event) => this.#transitioned(name, event),
      },
      publish: (event) => this.#publish(event),
      ...(this.#options.onEvent === undefined ? {} : { onEvent: this.#options.onEvent }),
      ...(this.#options.kinds === undefined ? {} : { kinds: this.#options.kinds }),
    });
    this.#machines.set(folder, machine);
    return machine;
  }

  /** The machine of a folder. */
  at(folder: string): Machine | undefined {
    return this.#machines.get(folder);
  }

  /** Take a machine out, without stopping it. */
  remove(folder: string): void {
    this.#machines.delete(folder);
  }

  /** What the machines are and do now, sorted by name. */
  states(): MachineState[] {
    return this.machines.map((machine) => machine.snapshot());
  }

  /** The machines that meet all of the criteria that are given; none where none are. */
  find(criteria: MachineCriteria): MachineState[] {
    return this.#matching(criteria).map((machine) => machine.snapshot());
  }

  /**
   * Fire a transition of the machine that meets the criteria.
   *
   * @throws {Error} `could not find machine matching criteria …` or `transition T is not valid while in S state`.
   */
  transition(criteria: MachineCriteria, event: string): void {
    const [machine] = this.#matching(criteria);
    if (machine === undefined) {
      const { name = "", version = "", path = "", id = "" } = criteria;
      const given = `name='${name}', version='${version}', path='${path}', id='${id}'`;
      throw new Error(`could not find machine matching criteria ${given}`);
    }
    if (!machine.can(event)) throw new Error(`transition ${event} is not valid while in ${machine.state} state`);
    machine.fireNow(event);
  }

  /** The running watcher of a machine, both by name. */
  watcher(machine: string, name: string): Watcher | undefined {
    return this.#named(machine)?.watcher(name);
  }

  /** Stop all machines. */
  stop(): void {
    for (const machine of this.#machines.values()) machine.stop();
  }

  #matching(criteria: MachineCriteria): Machine[] {
    return this.machines.filter(({ name, version, folder, id }) =>
      matchesCriteria({ name, version, path: folder, id }, criteria),
    );
  }

  #named(name: string): Machine | undefined {
    for (const machine of this.#machines.values()) if (machine.name === name) return machine;
    return undefined;
  }

  #transitioned(name: string, event: string): void {
    for (const machine of this.#machines.values()) machine.heard(name, event);
  }

  #publish(event: MachineEvent): void {
    this.#options.node.connection?.publish(machineEventSubject(event), encodeMachineEvent(event));
  }
}
