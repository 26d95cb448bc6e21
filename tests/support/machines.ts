import { join } from "node:path";
import {
  decodeManifest,
  type MachineEvent,
  MachineGroup,
  type MachineNode,
  type Watcher,
  type WatcherContext,
  type WatcherKind,
} from "../../lib/machine/mod.ts";
import type { JsonObject } from "../../lib/std/mod.ts";
import { FakeClock } from "./clock.ts";
import { temporaryFolder } from "./folder.ts";
import { RecordingLogger } from "./log.ts";
import { type TestNodeOptions, testNode } from "./machine.ts";

/** A watcher that does what the test has it do. */
export class Puppet implements Watcher {
  readonly context: WatcherContext;
  /** What it was told, in order: `start`, `state STATE`, `deleted`. */
  readonly told: string[] = [];
  fields: JsonObject = {};
  /** Thrown by everything it is asked for. */
  fault: Error | undefined;

  constructor(context: WatcherContext) {
    this.context = context;
  }

  start(): void {
    this.#tell("start");
  }

  stateChanged(): void {
    this.#tell(`state ${this.context.machine.state}`);
  }

  deleted(): void | Promise<void> {
    this.#tell("deleted");
  }

  snapshot(): { fields: JsonObject; text: string } {
    if (this.fault !== undefined) throw this.fault;
    return { fields: this.fields, text: `${this.context.definition.name} is a puppet` };
  }

  #tell(what: string): void {
    this.told.push(what);
    if (this.fault !== undefined) throw this.fault;
  }
}

/** Machines on a fake clock whose watchers are puppets. */
export class TestMachines implements Disposable {
  readonly clock: FakeClock;
  readonly logger = new RecordingLogger();
  readonly events: MachineEvent[] = [];
  readonly group: MachineGroup;
  readonly node: MachineNode;
  readonly #folder = temporaryFolder();
  readonly #puppets = new Map<string, Puppet>();

  constructor(options: TestNodeOptions & { kinds?: (type: string) => Promise<WatcherKind> } = {}) {
    this.clock = options.clock instanceof FakeClock ? options.clock : new FakeClock();
    this.node = testNode({ ...options, clock: this.clock });
    this.group = new MachineGroup({
      node: this.node,
      logger: this.logger,
      kinds: options.kinds ?? (async (type) => ({ type, create: (context) => this.#puppet(context) })),
      onEvent: (event) => this.events.push(event),
    });
  }

  /** Add a machine and start it. */
  async add(manifest: string, place?: string) {
    const { manifest: decoded } = decodeManifest(manifest);
    const folder = this.#folder.file(place ?? decoded.name);
    await Bun.write(join(folder, ".keep"), "");
    const machine = this.group.add(folder, decoded);
    await machine.start();
    return machine;
  }

  /** The puppet of a watcher, `MACHINE#WATCHER`. */
  puppet(where: string): Puppet {
    const found = this.#puppets.get(where);
    if (found === undefined) throw new Error(`No watcher ${where}`);
    return found;
  }

  /** Transitions so far, `MACHINE FROM EVENT TO`. */
  get transitions(): string[] {
    return this.events.flatMap((event) =>
      event.kind === "transition" ? [`${event.machine} ${event.from} ${event.transition} ${event.to}`] : [],
    );
  }

  [Symbol.dispose](): void {
    this.group.stop();
    this.#folder[Symbol.dispose]();
  }

  #puppet(context: WatcherContext): Puppet {
    const puppet = new Puppet(context);
    this.#puppets.set(`${context.machine.name}#${context.definition.name}`, puppet);
    return puppet;
  }
}

/** Let everything that waits for nothing but promises happen. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
