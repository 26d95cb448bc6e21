import { dirname, resolve } from "node:path";
import { errorText } from "../../std/mod.ts";
import { withoutSecrets } from "../archive/fetch.ts";
import { deployManager, type ManagedPlugins, removeManager, removePlugin, unwantedPlugins } from "../plugins/manage.ts";
import { matchesNode } from "../plugins/matcher.ts";
import { type PluginEntry, readSpecification, SpecificationError } from "../plugins/specification.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { intervalOf } from "./_interval.ts";
import { type Properties, readProperties } from "./_properties.ts";

/** Shortest interval, and that of those that say nothing, in milliseconds. */
const shortestInterval = 2_000;
const defaultManageInterval = 120_000;
/** Archives are looked at no more often; shorter times are raised to it. */
const shortestManageInterval = 10_000;
/** Time between the end of what looks after a plugin and that of the plugin itself, in milliseconds. */
const purgeWait = 2_000;

/**
 * Gives the node the plugins of a specification among the machine's data: for each of them a machine that fetches it
 * and keeps it as it should be. Looks at its start, at each interval and when the machine changes its state. Fires the
 * success transition when it changed something, the fail transition where it could not. Publishes `plugins` (names),
 * `previous_outcome` (`unknown`, `skipped`, `error`, `updated`, `unchanged`) and `previous_run_time` (nanoseconds).
 *
 * Properties: `data_item` (where the specification is), `public_key` (whose signature it has to have), `purge_unknown`
 * (remove plugins that are listed no longer), `plugin_manage_interval` (how often each is looked at, 2m by default),
 * `plugins_directory` (where they go; among the machines by default), `manager_machine_prefix` (`mm` by default).
 */
export const kind: WatcherKind = {
  type: "plugins",
  create(context) {
    const properties = readProperties(context.definition.properties, pluginsProperties);
    const interval = intervalOf(context.definition, shortestInterval, shortestInterval);
    return new PluginsWatcher(context, properties, interval);
  },
};

interface PluginsProperties {
  dataItem: string;
  purges: boolean;
  manageInterval: number;
  publicKey: string;
  folder: string;
  prefix: string;
}

function pluginsProperties(properties: Properties): PluginsProperties {
  const prefix = properties.text("manager_machine_prefix") || "mm";
  if (prefix.includes("_")) throw new Error("manager_machine_prefix may not contain underscore");
  if (!/^[a-zA-Z0-9-]+$/.test(prefix)) throw new Error(`manager_machine_prefix "${prefix}" is no part of a file name`);
  return {
    dataItem: properties.required("data_item"),
    purges: properties.flag("purge_unknown"),
    manageInterval: manageInterval(properties),
    publicKey: properties.text("public_key"),
    folder: properties.text("plugins_directory"),
    prefix,
  };
}

function manageInterval(properties: Properties): number {
  const interval = properties.duration("plugin_manage_interval");
  return interval === 0 ? defaultManageInterval : Math.max(shortestManageInterval, interval);
}

type Outcome = "unknown" | "skipped" | "error" | "updated" | "unchanged";

class PluginsWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: PluginsProperties;
  readonly #places: ManagedPlugins;
  readonly #pulse: Pulse;
  #outcome: Outcome = "unknown";
  #runtime = 0;
  #names: string[] = [];

  constructor(context: WatcherContext, properties: PluginsProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    const store = dirname(context.machine.folder);
    const folder = properties.folder === "" ? store : resolve(context.machine.folder, properties.folder);
    this.#places = { store, folder, prefix: properties.prefix, interval: properties.manageInterval };
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
    const plugins = [...this.#names];
    return {
      fields: { plugins, previous_outcome: this.#outcome, previous_run_time: Math.round(this.#runtime * 1e6) },
      text: `${machine.name}#${definition.name} plugin: ${plugins.join(", ")}, previous: ${this.#outcome} ran: ${ran}s`,
    };
  }

  async #beat(): Promise<void> {
    const { announce, succeed, fail, isActive, signal, logger } = this.#context;
    if (!isActive()) {
      this.#outcome = "skipped";
      return;
    }
    const started = performance.now();
    const outcome = await this.#manage().catch((error: unknown) => {
      logger.error("The plugins could not be managed", { reason: errorText(error) });
      return "error" as const;
    });
    if (signal.aborted) return;
    this.#outcome = outcome;
    this.#runtime = performance.now() - started;
    if (outcome === "unchanged") return;
    announce();
    await (outcome === "error" ? fail() : succeed());
  }

  async #manage(): Promise<Outcome> {
    const plugins = this.#specification();
    this.#names = plugins.map(({ name }) => name);
    const { wanted, undecided } = await this.#matching(plugins);
    const kept = new Set([...wanted.map(({ name }) => name), ...undecided]);
    const isPurged = this.#properties.purges && (await this.#purge(kept));
    const isDeployed = wanted.map((plugin) => this.#deploy(plugin)).includes(true);
    return isPurged || isDeployed ? "updated" : "unchanged";
  }

  #specification(): PluginEntry[] {
    const { machine } = this.#context;
    const { dataItem, publicKey } = this.#properties;
    const document = machine.data.get(dataItem);
    if (document === undefined) throw new Error(`data item ${dataItem} not present`);
    try {
      return readSpecification(document, machine.node.settings.signingKey || publicKey);
    } catch (error) {
      // What somebody slipped in is not to be found again by whoever trusts the data.
      if (error instanceof SpecificationError && error.isUnsigned) machine.data.delete(dataItem);
      throw new Error(`invalid data_item: ${errorText(error)}`, { cause: error });
    }
  }

  /** Which plugins are for this node, and of which that cannot be told: those stay as they are. */
  async #matching(plugins: readonly PluginEntry[]): Promise<{ wanted: PluginEntry[]; undecided: string[] }> {
    const { node } = this.#context.machine;
    const { identity } = node;
    const facts = plugins.some(({ match }) => match !== "") ? await node.facts() : {};
    const undecided: string[] = [];
    const wanted = plugins.filter(({ name, match }) => {
      try {
        return matchesNode(match, { identity, facts });
      } catch (error) {
        this.#context.logger.error("A plugin's matcher has no answer", { plugin: name, reason: errorText(error) });
        undecided.push(name);
        return false;
      }
    });
    return { wanted, undecided };
  }

  async #purge(wanted: ReadonlySet<string>): Promise<boolean> {
    const { logger, machine, signal } = this.#context;
    const unwanted = unwantedPlugins(wanted, this.#places);
    if (unwanted.length === 0) return false;
    for (const name of unwanted) {
      logger.warn(`Removing plugin ${name} from ${this.#places.folder}`);
      removeManager(name, this.#places);
    }
    // The machine that looks after it is given the time to end.
    await machine.node.clock.sleep(purgeWait, signal);
    for (const name of unwanted) removePlugin(name, this.#places);
    return true;
  }

  #deploy(plugin: PluginEntry): boolean {
    const isNew = deployManager(plugin, this.#places);
    if (isNew) {
      const source = withoutSecrets(plugin.source);
      this.#context.logger.warn(`Deploying plugin ${plugin.name} from ${source} into ${this.#places.folder}`);
    }
    return isNew;
  }
}
