import type { Config } from "../config/mod.ts";
import {
  type Broadcaster,
  broadcastSource,
  type DiscoveryQuery,
  discoveryWindow,
  externalSource,
  flatfileSource,
  inventorySource,
  type NodeSource,
} from "../discovery/mod.ts";
import type { Filter } from "../protocol/mod.ts";
import type { RemoteSigner } from "../security/mod.ts";
import type { Clock } from "../std/mod.ts";
import type { Courier } from "./courier.ts";
import type { FilterOptions } from "./filter_options.ts";
import type { Rejection } from "./stats.ts";

/** How nodes are found. */
export interface DiscoverOptions {
  filter?: FilterOptions;
  /** @default the main collective */
  collective?: string;
  /**
   * `mc`, `broadcast`, `flatfile`, `file`, `external` or `inventory`.
   * @default the configuration's `default_discovery_method`
   */
  method?: string;
  /** File of the methods `flatfile`, `file` and `inventory`. */
  file?: string;
  /**
   * Options of the method, which come before those of the configuration's `default_discovery_options`: `file` where
   * there is no other, for `external` whatever its command understands, and `command` for another command.
   */
  methodOptions?: Readonly<Record<string, string>>;
  /** Another way of finding nodes than those known by name. */
  source?: NodeSource;
  /**
   * Longest search, in milliseconds.
   * @default the configuration's `discovery_timeout`
   */
  timeout?: number;
  /**
   * Whether the search ends as soon as answers stop coming.
   * @default the configuration's `plugin.choria.discovery.broadcast.windowed_timeout`
   */
  windowed?: boolean;
  /** Told of replies that are not believed. */
  onRejected?: (rejection: Rejection) => void;
  signal?: AbortSignal;
}

/** A search for nodes. */
export interface Discovery {
  /** The method, as people name it. */
  method: string;
  /** Nodes, each once, as they are found. */
  nodes: AsyncIterable<string>;
}

/** Methods that ask the nodes themselves. */
const broadcastMethods = ["mc", "broadcast"];

/**
 * The way of finding nodes that options and configuration ask for.
 *
 * @throws {Error} when the method is not known, or lacks its file or command.
 */
export function chooseSource(
  options: DiscoverOptions,
  filter: Filter,
  config: Config,
  broadcaster: Broadcaster,
  clock: Clock,
): NodeSource {
  if (options.source !== undefined) return options.source;
  const methodOptions = { ...defaultDiscoveryOptions(config), ...options.methodOptions };
  const file = options.file ?? methodOptions.file;
  const method = options.method ?? config.get("default_discovery_method");
  // Expressions are judged by nodes, or by what an inventory knows of them.
  const needsNodes = filter.compound.length > 0 && method !== "inventory";
  if (broadcastMethods.includes(method) || needsNodes) {
    return broadcastSource(broadcaster, clock, needsNodes && !broadcastMethods.includes(method) ? "broadcast" : method);
  }
  switch (method) {
    case "flatfile":
    case "file":
      return flatfileSource(fileOf(file));
    case "inventory":
      return inventorySource(fileOf(file || config.get("plugin.choria.discovery.inventory.source")));
    case "external":
      return commandSource(methodOptions, config);
    default:
      throw new Error(`Cannot discover nodes by the method "${method}": known are ${methods.join(", ")}`);
  }
}

const methods = [...broadcastMethods, "flatfile", "file", "external", "inventory"];

function fileOf(file: string | undefined): string {
  if (!file) throw new Error("could not determine file to use as discovery source");
  return file;
}

/**
 * The options of the configuration's `default_discovery_options`.
 * @throws {Error} naming one that is not of the form `key=value`.
 */
export function defaultDiscoveryOptions(config: Config): Record<string, string> {
  const pairs = config.get("default_discovery_options").map((text): [string, string] => {
    const at = text.indexOf("=");
    if (at < 1) throw new Error(`Cannot use default_discovery_options = "${text}": expected KEY=VALUE`);
    return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
  });
  return Object.fromEntries(pairs);
}

function commandSource(methodOptions: Readonly<Record<string, string>>, config: Config): NodeSource {
  const { command = config.get("plugin.choria.discovery.external.command"), ...options } = methodOptions;
  if (command === "") throw new Error("no command specified for external discovery");
  return externalSource({ command, options });
}

/** What is sought, completed from the configuration. */
export function discoveryQuery(options: DiscoverOptions, filter: Filter, config: Config): DiscoveryQuery {
  const windowed = options.windowed ?? config.get("plugin.choria.discovery.broadcast.windowed_timeout");
  return {
    collective: collectiveOf(options.collective, config),
    filter,
    timeout: options.timeout ?? config.get("discovery_timeout") * 1_000,
    ...(windowed ? { window: discoveryWindow } : {}),
  };
}

/**
 * The collective that is meant.
 * @throws {Error} in the words that users match on when it is not one of the configuration's.
 */
export function collectiveOf(wanted: string | undefined, config: Config): string {
  const collective = wanted ?? config.mainCollective;
  if (config.collectives.includes(collective)) return collective;
  throw new Error(`cannot set collective to '${collective}', it is not on the list of known collectives`);
}

/** Asks questions through a courier. */
export function courierBroadcaster(
  courier: Courier,
  signer: RemoteSigner | undefined,
  subjectOf: (collective: string, agent: string) => string,
  onRejected: (rejection: Rejection) => void = () => {},
): Broadcaster {
  return {
    async ask(question, onAnswer) {
      const { promise: unheard, resolve, reject } = Promise.withResolvers<void>();
      // Whoever asks may have gone before the broker refuses.
      unheard.catch(() => undefined);
      const exchange = courier.open(
        { ...question, ...(signer === undefined ? {} : { signer }) },
        {
          deliver(delivery) {
            if (delivery.kind === "reply") onAnswer(delivery.reply.sender, delivery.elapsed);
            else if (delivery.kind === "unheard") resolve();
            else onRejected({ sender: delivery.sender, reason: delivery.reason });
          },
          refused: reject,
        },
      );
      try {
        await exchange.send([subjectOf(question.collective, question.agent)]);
      } catch (error) {
        exchange[Symbol.dispose]();
        throw error;
      }
      return { unheard, [Symbol.dispose]: () => exchange[Symbol.dispose]() };
    },
  };
}
