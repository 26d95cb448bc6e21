import { joinCommand } from "../../process/mod.ts";
import { errorText } from "../../std/mod.ts";
import { runCommand } from "../command.ts";
import { governed } from "../governed.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { intervalOf } from "./_interval.ts";
import { type Properties, readProperties } from "./_properties.ts";

const defaultTimeout = 300_000;

/** How much of a line is looked at, in characters. */
const longestLine = 1_000;

/**
 * Applies a manifest of Choria's configuration management with the program `ccm`, at each interval and whenever the
 * machine changes its state. What is as it should be, or was made so, fires the success transition; anything else the
 * fail transition. Publishes `manifest`, `previous_outcome` (`unknown`, `error`, `stable`, `changes`, `skipped`) and
 * `previous_run_time` (nanoseconds).
 */
export const kind: WatcherKind = {
  type: "ccm_manifest",
  create(context) {
    const properties = readProperties(context.definition.properties, ccmProperties);
    return new CcmWatcher(context, properties, intervalOf(context.definition, 0));
  },
};

interface CcmProperties {
  manifest: string;
  isDryRun: boolean;
  isMonitorOnly: boolean;
  hiera: string;
  natsContext: string;
  governor: string;
  governorTimeout: number;
  timeout: number;
}

function ccmProperties(properties: Properties): CcmProperties {
  const timeout = properties.duration("timeout");
  return {
    manifest: properties.required("manifest"),
    isDryRun: properties.flag("noop"),
    isMonitorOnly: properties.flag("monitor_only"),
    hiera: properties.text("hiera"),
    natsContext: properties.text("nats_context"),
    governor: properties.text("governor"),
    governorTimeout: properties.duration("governor_timeout"),
    timeout: timeout > 0 ? timeout : defaultTimeout,
  };
}

type Outcome = "error" | "stable" | "changes";

class CcmWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: CcmProperties;
  readonly #pulse: Pulse;
  #outcome: Outcome | "unknown" | "skipped" = "unknown";
  #runtime = 0;

  constructor(context: WatcherContext, properties: CcmProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    this.#pulse = new Pulse(context, { interval, beat: () => this.#beat() });
  }

  start(): void {
    this.#pulse.start();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const { manifest } = this.#properties;
    const ran = (this.#runtime / 1e3).toFixed(3);
    return {
      fields: { manifest, previous_outcome: this.#outcome, previous_run_time: Math.round(this.#runtime * 1e6) },
      text: `${machine.name}#${definition.name} manifest: ${manifest}, previous: ${this.#outcome} ran: ${ran}s`,
    };
  }

  async #beat(): Promise<void> {
    const { isActive, signal, announce, succeed, fail } = this.#context;
    if (!isActive()) {
      this.#outcome = "skipped";
      return;
    }
    const outcome = await this.#apply();
    if (signal.aborted) return;
    this.#outcome = outcome;
    announce();
    await (outcome === "error" ? fail() : succeed());
  }

  async #apply(): Promise<Outcome> {
    const { render, logger } = this.#context;
    const { governor, governorTimeout } = this.#properties;
    try {
      const options = { governor: await render(governor), timeout: governorTimeout };
      return await governed(this.#context, options, () => this.#run());
    } catch (error) {
      logger.error("The manifest could not be applied", { reason: errorText(error) });
      return "error";
    }
  }

  async #run(): Promise<Outcome> {
    const { render, logger } = this.#context;
    const { manifest, isDryRun, isMonitorOnly, hiera, natsContext, timeout } = this.#properties;
    if (Bun.which("ccm", { PATH: process.env.PATH ?? "" }) === null) {
      throw new Error("the program ccm is not on the PATH of the server; see choria-cm.dev for how to install it");
    }
    const args = [await render(manifest)];
    if (isDryRun) args.push("--noop");
    if (isMonitorOnly) args.push("--monitor-only");
    if (hiera !== "") args.push("--hiera", await render(hiera));
    if (natsContext !== "") args.push("--context", natsContext);
    // Only a shell knows the name of the file with the facts.
    const command = joinCommand(["sh", "-c", 'exec ccm apply --facts "$WATCHER_FACTS" "$@"', "ccm", ...args]);
    const { exitCode, output, runtime, reason } = await runCommand(this.#context, command, {
      timeout,
      giveFiles: true,
    });
    this.#runtime = runtime;
    if (reason !== "") throw new Error(reason);
    const outcome = outcomeOf(exitCode, new TextDecoder().decode(output));
    if (outcome === "error") logger.error("The manifest was not applied in full", { exit_code: exitCode });
    return outcome;
  }
}

/** Ccm logs a line for each resource: `WARN  file#/etc/motd changed …`, `ERROR exec#x failed …`. */
function outcomeOf(exitCode: number, log: string): Outcome {
  const has = (pattern: RegExp) => log.split("\n").some((line) => pattern.test(line.slice(0, longestLine)));
  if (exitCode !== 0 || has(/^ERROR\s+[^\s#]+#.+ failed /)) return "error";
  return has(/^WARN\s+[^\s#]+#.+ changed /) ? "changes" : "stable";
}
