import type { Config } from "../config/mod.ts";
import { errorText } from "../std/mod.ts";
import { type Adapter, type AdapterOptions, startAdapter } from "./adapter.ts";
import { formatAdapterMetrics } from "./counts.ts";
import { adapterSettings } from "./settings.ts";

/** What {@link startAdapters} works with. */
export interface AdaptersOptions extends AdapterOptions {
  config: Config;
}

/** The adapters that run. */
export interface AdaptersHandle extends AsyncDisposable {
  readonly adapters: readonly Adapter[];
  /** Resolves when the broker knows again what each takes in, or after `patience` milliseconds. */
  flush(patience: number): Promise<void>;
  /** What they count, in Prometheus' text format; empty when none runs. */
  metrics(identity: string): string;
  /** End them all, publishing what they hold. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Start the adapters that `plugin.choria.adapters` names. One that cannot be started is logged, and does not keep the
 * others from running.
 */
export async function startAdapters({ config, ...options }: AdaptersOptions): Promise<AdaptersHandle> {
  const names = [...new Set(config.get("plugin.choria.adapters"))];
  const started = await Promise.all(names.map((name) => startOne(name, config, options)));
  const adapters = started.filter((adapter) => adapter !== undefined);
  const stop = async () => {
    await Promise.all(adapters.map((adapter) => adapter.stop()));
  };
  return {
    adapters,
    stop,
    flush: async (patience) => {
      await Promise.all(adapters.map((adapter) => adapter.flush(patience)));
    },
    metrics: (identity) => (adapters.length === 0 ? "" : formatAdapterMetrics(adapters, identity)),
    [Symbol.asyncDispose]: stop,
  };
}

async function startOne(name: string, config: Config, options: AdapterOptions): Promise<Adapter | undefined> {
  try {
    return await startAdapter(adapterSettings(config, name), options);
  } catch (error) {
    options.logger.error(`Failed to run Protocol Adapters: ${errorText(error)}`, { adapter: name });
    return undefined;
  }
}
