import { decodeUtf8, errorText, type JsonObject, parseObject } from "../../std/mod.ts";
import { type CommandOutcome, runCommand } from "../command.ts";
import { governed } from "../governed.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { intervalOf } from "./_interval.ts";
import { type Properties, readProperties } from "./_properties.ts";

const defaultTimeout = 1_000;

/** Most that a command may print, in bytes. */
const maxOutput = 8 * 1024 * 1024;

/** Longest wait until the first run of those that are to run soon after the start, in milliseconds. */
const firstRunWithin = 30_000;

/**
 * Runs a command at each interval and whenever the machine changes its state. Exit code 0 is success and fires the
 * success transition; anything else is an error and fires the fail transition. Both are published as `command` (as the
 * manifest has it), `previous_outcome` (`unknown`, `skipped`, `error`, `success`) and `previous_run_time` (nanoseconds).
 */
export const kind: WatcherKind = {
  type: "exec",
  create(context) {
    const properties = readProperties(context.definition.properties, execProperties);
    return new ExecWatcher(context, properties, intervalOf(context.definition, 0));
  },
};

interface ExecProperties {
  command: string;
  environment: readonly string[];
  governor: string;
  governorTimeout: number;
  parsesOutput: boolean;
  isQuiet: boolean;
  runsEarly: boolean;
  disown: boolean;
  timeout: number;
}

function execProperties(properties: Properties): ExecProperties {
  const found = {
    command: properties.required("command"),
    environment: properties.list("environment"),
    governor: properties.text("governor"),
    governorTimeout: properties.duration("governor_timeout"),
    parsesOutput: properties.flag("parse_as_data"),
    isQuiet: properties.flag("suppress_success_announce"),
    runsEarly: properties.flag("gather_initial_state"),
    disown: properties.flag("disown"),
    timeout: properties.duration("timeout"),
  };
  if (found.disown && found.parsesOutput)
    throw new Error("cannot parse output as data while disowning child processes");
  return { ...found, timeout: found.timeout > 0 ? found.timeout : defaultTimeout };
}

class ExecWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: ExecProperties;
  readonly #pulse: Pulse;
  #outcome: "unknown" | "skipped" | "error" | "success" = "unknown";
  #runtime = 0;

  constructor(context: WatcherContext, properties: ExecProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    this.#pulse = new Pulse(context, {
      interval,
      ...(properties.runsEarly ? { first: Math.floor(context.machine.node.random() * firstRunWithin) } : {}),
      beat: () => this.#beat(),
    });
  }

  start(): void {
    this.#pulse.start();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const { command } = this.#properties;
    const ran = (this.#runtime / 1e3).toFixed(3);
    return {
      fields: { command, previous_outcome: this.#outcome, previous_run_time: Math.round(this.#runtime * 1e6) },
      text: `${machine.name}#${definition.name} command: ${command}, previous: ${this.#outcome} ran: ${ran}s`,
    };
  }

  async #beat(): Promise<void> {
    const { signal, announce, succeed, fail, isActive } = this.#context;
    if (!isActive()) {
      this.#outcome = "skipped";
      return;
    }
    const hasSucceeded = await this.#run();
    // What a stop cut short tells nothing.
    if (signal.aborted) return;
    this.#outcome = hasSucceeded ? "success" : "error";
    if (!hasSucceeded || !this.#properties.isQuiet) announce();
    await (hasSucceeded ? succeed() : fail());
  }

  async #run(): Promise<boolean> {
    const { render, logger } = this.#context;
    const { governor, governorTimeout } = this.#properties;
    const started = performance.now();
    try {
      const options = { governor: await render(governor), timeout: governorTimeout };
      return await governed(this.#context, options, () => this.#execute());
    } catch (error) {
      this.#runtime = performance.now() - started;
      logger.error("The command could not be run", { reason: errorText(error) });
      return false;
    }
  }

  async #execute(): Promise<boolean> {
    const { render, logger } = this.#context;
    const { command, environment, timeout, disown } = this.#properties;
    const line = await render(command);
    const variables = await Promise.all(environment.map(render));
    logger.info(`Running ${line}`);
    const outcome = await runCommand(this.#context, line, {
      timeout: disown ? Number.POSITIVE_INFINITY : timeout,
      environment: variables,
      maxOutput,
      giveFiles: true,
      disown,
    });
    this.#runtime = outcome.runtime;
    if (outcome.exitCode !== 0) {
      logger.error("The command failed", failureOf(outcome));
      return false;
    }
    return !this.#properties.parsesOutput || this.#keep(outcome.output);
  }

  #keep(output: Uint8Array): boolean {
    const { machine, logger } = this.#context;
    try {
      machine.data.merge(parseObject(decodeUtf8(output)));
      return true;
    } catch (error) {
      logger.error("What the command printed is no data", { reason: errorText(error) });
      return false;
    }
  }
}

function failureOf({ exitCode, fault, reason }: CommandOutcome): JsonObject {
  return fault === undefined ? { exit_code: exitCode } : { reason };
}
