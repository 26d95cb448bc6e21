import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { errorText } from "../../std/mod.ts";
import { withoutSecrets } from "../archive/fetch.ts";
import { checkInstalled, type InstallOptions, installArchive } from "../archive/install.ts";
import { governed } from "../governed.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { intervalOf } from "./_interval.ts";
import { type Properties, readProperties } from "./_properties.ts";

/** Shortest interval, and that of those that say nothing, in milliseconds. */
const shortestInterval = 10_000;
/** Longest time for an archive to arrive, in milliseconds; less than the shortest is raised to that. */
const defaultTimeout = 60_000;
const shortestTimeout = 5_000;

/**
 * Keeps what a gzipped tar archive holds in place: fetches it where it is missing or not what it should be. Looks at
 * its start, at each interval and whenever the machine changes its state. Fires the success transition when it is as it
 * should be, the fail transition where it cannot be made so. Publishes `source`, `creates`, `previous_outcome`
 * (`unknown`, `skipped`, `error`, `verified`, `downloaded`) and `previous_run_time` (nanoseconds).
 *
 * Properties: `source`, `checksum`, `target` and `creates`, the folder that the archive makes in the target; `verify`
 * (a file of digests in that folder) with `verify_checksum`; `username`, `password`, `insecure`, `timeout`, `governor`,
 * `governor_timeout`.
 */
export const kind: WatcherKind = {
  type: "archive",
  create(context) {
    const properties = readProperties(context.definition.properties, archiveProperties);
    const interval = intervalOf(context.definition, shortestInterval, shortestInterval);
    return new ArchiveWatcher(context, properties, interval);
  },
};

interface ArchiveProperties {
  source: string;
  creates: string;
  target: string;
  checksum: string;
  verify: string;
  verifyChecksum: string;
  username: string;
  password: string;
  isInsecure: boolean;
  governor: string;
  governorTimeout: number;
  timeout: number;
}

function archiveProperties(properties: Properties): ArchiveProperties {
  const timeout = properties.duration("timeout");
  const found = {
    source: properties.required("source"),
    creates: properties.required("creates"),
    target: properties.required("target"),
    checksum: properties.required("checksum"),
    verify: properties.text("verify"),
    verifyChecksum: properties.text("verify_checksum"),
    username: properties.text("username"),
    password: properties.text("password"),
    isInsecure: properties.flag("insecure"),
    governor: properties.text("governor"),
    governorTimeout: properties.duration("governor_timeout"),
    timeout: timeout === 0 ? defaultTimeout : Math.max(shortestTimeout, timeout),
  };
  if (found.username !== "" && found.password === "") throw new Error("password is required when username is given");
  if (found.verify !== "" && found.verifyChecksum === "") {
    throw new Error("verify_checksum is required if verify is set");
  }
  for (const path of [found.creates, found.verify]) checkRelative(path);
  return found;
}

/** What is removed and replaced lies below the target. */
function checkRelative(path: string): void {
  const parts = path.split("/");
  if (isAbsolute(path) || parts.includes("..") || parts.includes(".")) {
    throw new Error(`"${path}" has to be a path below the target`);
  }
}

type Outcome = "unknown" | "skipped" | "error" | "verified" | "downloaded";

class ArchiveWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: ArchiveProperties;
  readonly #pulse: Pulse;
  #source: string;
  #outcome: Outcome = "unknown";
  #runtime = 0;

  constructor(context: WatcherContext, properties: ArchiveProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    this.#source = properties.source;
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
    const source = withoutSecrets(this.#source);
    const { creates } = this.#properties;
    const ran = (this.#runtime / 1e3).toFixed(3);
    return {
      fields: { source, creates, previous_outcome: this.#outcome, previous_run_time: Math.round(this.#runtime * 1e6) },
      text: `${machine.name}#${definition.name} source: ${source}, previous: ${this.#outcome} ran: ${ran}s`,
    };
  }

  async #beat(): Promise<void> {
    const { announce, succeed, fail, isActive, signal } = this.#context;
    if (!isActive()) {
      this.#outcome = "skipped";
      return;
    }
    const started = performance.now();
    const outcome = await this.#run();
    if (signal.aborted) return;
    this.#outcome = outcome;
    this.#runtime = performance.now() - started;
    announce();
    await (outcome === "error" ? fail() : succeed());
  }

  async #run(): Promise<Outcome> {
    const { logger, machine } = this.#context;
    try {
      const options = await this.#options();
      this.#source = options.source;
      const fault = await checkInstalled(options);
      if (fault === "") return "verified";
      // A machine whose folder was removed is about to end, and must not bring back what is being removed with it.
      if (!existsSync(machine.folder)) throw new Error(`the machine's folder ${machine.folder} is gone`);
      return await this.#install(options, fault);
    } catch (error) {
      logger.error("The archive could not be put in place", { reason: errorText(error) });
      return "error";
    }
  }

  async #install(options: InstallOptions, fault: string): Promise<Outcome> {
    const { logger, render } = this.#context;
    const { governor, governorTimeout, creates } = this.#properties;
    const source = withoutSecrets(options.source);
    logger.info(`Fetching the archive ${source}`, { reason: fault });
    const slot = { governor: await render(governor), timeout: governorTimeout };
    await governed(this.#context, slot, () => installArchive(options));
    logger.warn(`Archive ${source} was deployed successfully to ${creates}`);
    return "downloaded";
  }

  async #options(): Promise<InstallOptions> {
    const { render, machine, signal } = this.#context;
    const { source, checksum, username, password, verifyChecksum, ...rest } = this.#properties;
    const texts = await Promise.all([source, checksum, username, password, verifyChecksum].map(render));
    const [url = "", digest = "", user = "", secret = "", sumsDigest = ""] = texts;
    return {
      source: url,
      checksum: digest,
      username: user,
      password: secret,
      isInsecure: rest.isInsecure,
      timeout: rest.timeout,
      target: resolve(machine.folder, rest.target),
      creates: rest.creates,
      sumsFile: rest.verify,
      sumsDigest,
      connection: machine.node.connection,
      clock: machine.node.clock,
      signal,
    };
  }
}
