import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { joinCommand } from "../../process/mod.ts";
import { errorText, type JsonObject } from "../../std/mod.ts";
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
 * Applies a manifest of Choria's configuration management with the program `ccm`: at its start, at each interval and
 * whenever the machine changes its state. What is as it should be, or was made so, fires the success transition; anything else the
 * fail transition. Publishes `previous_outcome` (`unknown`, `error`, `stable`, `changes`, `skipped`) and
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
  /** A path, or the URL of a manifest; empty where it is inline. */
  file: string;
  inline: JsonObject | undefined;
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
  const [file, inline] = [properties.text("manifest_file"), properties.object("manifest")];
  if (file === "" && inline === undefined) throw new Error("manifest_file or manifest is required");
  return {
    file,
    inline,
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
    this.#pulse.poke();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    const ran = (this.#runtime / 1e3).toFixed(3);
    return {
      fields: { previous_outcome: this.#outcome, previous_run_time: Math.round(this.#runtime * 1e6) },
      text: `${machine.name}#${definition.name} previous: ${this.#outcome} ran: ${ran}s`,
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
      return await governed(this.#context, options, () => this.#withManifest((manifest) => this.#run(manifest)));
    } catch (error) {
      logger.error("The manifest could not be applied", { reason: errorText(error) });
      return "error";
    }
  }

  /** Have the manifest in a file, where it is not in one. */
  async #withManifest<T>(work: (manifest: string) => Promise<T>): Promise<T> {
    const { file, inline } = this.#properties;
    if (inline === undefined) return work(await this.#context.render(file));
    const folder = mkdtempSync(join(tmpdir(), "choria-ccm-"));
    try {
      const path = join(folder, "manifest.yaml");
      writeFileSync(path, JSON.stringify(inline), { mode: 0o600 });
      return await work(path);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async #run(manifest: string): Promise<Outcome> {
    const { render, logger } = this.#context;
    const { isDryRun, isMonitorOnly, hiera, natsContext, timeout } = this.#properties;
    if (Bun.which("ccm", { PATH: process.env.PATH ?? "" }) === null) {
      throw new Error("the program ccm is not on the PATH of the server; see choria-cm.dev for how to install it");
    }
    const args = [manifest];
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
