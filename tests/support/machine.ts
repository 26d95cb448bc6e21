import type {
  MachineData,
  MachineNode,
  MachineSettings,
  Watcher,
  WatcherContext,
  WatcherDefinition,
} from "../../lib/machine/mod.ts";
import { noSettings, watcherKind } from "../../lib/machine/mod.ts";
import type { Json, JsonObject } from "../../lib/std/mod.ts";
import { FakeClock } from "./clock.ts";
import { RecordingLogger } from "./log.ts";

/** What a {@link testNode} holds in place of the defaults. */
export type TestNodeOptions = Partial<
  Pick<TestMachineOptions, "facts" | "settings" | "clock" | "random" | "connection">
>;

/** What a {@link TestMachine} holds in place of the defaults. */
export interface TestMachineOptions {
  /** Its watcher's definition; the name is `w`, the rest empty. */
  definition: Partial<WatcherDefinition> & { type: string };
  /** @default "RUN" */
  state?: string;
  /** @default "/nonexistent" */
  folder?: string;
  name?: string;
  data?: Readonly<Record<string, Json>>;
  facts?: JsonObject;
  settings?: Partial<MachineSettings>;
  connection?: MachineNode["connection"];
  clock?: MachineNode["clock"];
  /** @default () => 0.5 */
  random?: () => number;
  /** @default gives templates back as they are */
  render?: (template: string) => string;
  /** To which state an event leads; events that are not among them change nothing. */
  transitions?: Readonly<Record<string, string>>;
}

/** A machine that holds one watcher and remembers what the watcher asks of it. */
export class TestMachine implements Disposable {
  /** What was announced, in order: the fields of the snapshot. */
  readonly announced: JsonObject[] = [];
  /** Events that were fired, in order; empty names are left out. */
  readonly events: string[] = [];
  readonly logger = new RecordingLogger();
  readonly context: WatcherContext;
  readonly data: MachineData;
  readonly #options: TestMachineOptions;
  readonly #abort = new AbortController();
  #state: string;
  #watcher: Watcher | undefined;

  constructor(options: TestMachineOptions) {
    this.#options = options;
    this.#state = options.state ?? "RUN";
    this.data = memoryData(options.data ?? {});
    this.context = this.#newContext();
  }

  /** Load the definition's kind and make its watcher, without starting it. */
  async load(): Promise<Watcher> {
    const kind = await watcherKind(this.context.definition.type);
    this.#watcher = kind.create(this.context);
    return this.#watcher;
  }

  /** Load the watcher and start it. */
  async start(): Promise<Watcher> {
    const watcher = await this.load();
    watcher.start();
    return watcher;
  }

  get state(): string {
    return this.#state;
  }

  /** The fake clock that the machine has where no other was given. */
  get clock(): FakeClock {
    const { clock } = this.context.machine.node;
    if (clock instanceof FakeClock) return clock;
    throw new Error("The machine has a clock of another kind");
  }

  /** The last announced fields. */
  get last(): JsonObject | undefined {
    return this.announced.at(-1);
  }

  /** Go to a state, and tell the watcher. */
  enter(state: string): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#watcher?.stateChanged();
  }

  /** End what the watcher does. */
  stop(): void {
    this.#abort.abort();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #newContext(): WatcherContext {
    const { definition, folder = "/nonexistent", name = "m", render = (template: string) => template } = this.#options;
    const fire = (event: string) => this.#fire(event);
    const all = { ...emptyDefinition, ...definition };
    const state = () => this.#state;
    return {
      definition: all,
      machine: {
        name,
        version: "1.0.0",
        id: "6a0b5b1e-0000-4000-8000-000000000000",
        folder,
        node: testNode(this.#options),
        data: this.data,
        get state() {
          return state();
        },
      },
      logger: this.logger,
      signal: this.#abort.signal,
      isActive: () => all.stateMatch.length === 0 || all.stateMatch.includes(this.#state),
      announce: () => {
        if (this.#watcher !== undefined) this.announced.push(this.#watcher.snapshot().fields);
      },
      fire,
      succeed: () => fire(all.successTransition),
      fail: () => fire(all.failTransition),
      render: async (template) => render(template),
    };
  }

  async #fire(event: string): Promise<void> {
    if (event === "") return;
    this.events.push(event);
    const state = this.#options.transitions?.[event];
    if (state !== undefined) this.enter(state);
  }
}

const emptyDefinition: Omit<WatcherDefinition, "type"> = {
  name: "w",
  stateMatch: [],
  foreignStates: [],
  successTransition: "",
  failTransition: "",
  interval: 0,
  announceInterval: 0,
  properties: {},
};

/** A node of a test's own. */
export function testNode(options: TestNodeOptions = {}): MachineNode {
  const { facts = {}, settings = {}, clock = new FakeClock(), random = () => 0.5, connection } = options;
  return {
    identity: "n1.example.net",
    collective: "choria",
    clock,
    random,
    facts: async () => facts,
    connection,
    settings: { ...noSettings, ...settings },
  };
}

/** Data of a machine that lives as long as the test. */
export function memoryData(values: Readonly<Record<string, Json>>): MachineData {
  const all: Record<string, Json> = { ...values };
  return {
    all,
    get: (key) => all[key],
    set: (key, value) => {
      all[key] = value;
    },
    merge: (more) => Object.assign(all, more),
    delete: (key) => {
      delete all[key];
    },
  };
}
