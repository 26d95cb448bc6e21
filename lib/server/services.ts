import { join } from "node:path";
import type { Registry } from "prom-client";
import { errorText, type Logger, writeFileAtomic } from "../std/mod.ts";
import type { Announcer } from "./announcer.ts";
import type { Link } from "./link.ts";
import { serverMetrics } from "./metrics.ts";
import type { ServerNode } from "./node.ts";
import type { ServerProfile } from "./profile.ts";
import { startNodeRegistration } from "./registration.ts";
import { type StatsListener, startStatsListener } from "./stats_listener.ts";
import { keepStatusFile } from "./status.ts";
import { startSubmission } from "./submission.ts";

/** What runs beside the agents of a server. */
export interface Services {
  /** Port of the statistics listener, where there is one. */
  readonly statsPort: number | undefined;
  /** End all of it. */
  stop(): Promise<void>;
}

/** What {@link startServices} works with. */
export interface ServicesOptions {
  announcer: Announcer;
  profile: ServerProfile;
  link: Link;
  logger: Logger;
}

/** Name of the metrics file that the node exporter picks up. */
const metricsFile = "choria_server.prom";

/**
 * Start what the configuration asks for: signs of life, the status file, registration, message submission, metrics over
 * HTTP and as a file.
 */
export async function startServices(node: ServerNode, options: ServicesOptions): Promise<Services> {
  const timers = new DisposableStack();
  timers.use(options.announcer.keepAlive());
  startStatusFile(node, options, timers);
  const isFleetMember = options.profile.component !== "service_host";
  if (isFleetMember) timers.use(await startNodeRegistration(node, options));
  const submission = isFleetMember ? await startSubmission(node, options) : undefined;
  const listener = await startMetrics(node, options, timers);
  return {
    statsPort: listener?.port,
    async stop() {
      timers.dispose();
      await submission?.[Symbol.asyncDispose]();
      await listener?.stop();
    },
  };
}

function startStatusFile(node: ServerNode, { profile, link, logger }: ServicesOptions, timers: DisposableStack): void {
  const path = node.config.get("plugin.choria.status_file_path");
  if (path === "") return;
  const interval = node.config.get("plugin.choria.status_update_interval");
  timers.use(keepStatusFile(node, { path, interval, tokenExpires: profile.tokenExpires, link, logger }));
}

/** The original's server opens no port; here one that is asked for is opened. */
async function startMetrics(
  node: ServerNode,
  { logger }: ServicesOptions,
  timers: DisposableStack,
): Promise<StatsListener | undefined> {
  const { config } = node;
  const port = config.get("plugin.choria.stats_port");
  const folder = config.get("plugin.choria.prometheus_textfile_directory");
  if (port === 0 && folder === "") return undefined;
  const registry = await serverMetrics(node);
  if (folder !== "") timers.use(keepMetricsFile(node, registry, join(folder, metricsFile), logger));
  if (port === 0) return undefined;
  try {
    const address = config.get("plugin.choria.stats_address");
    return startStatsListener(node, { address, port, registry, logger });
  } catch (error) {
    logger.error("Statistics are not served", { port, reason: errorText(error) });
    return undefined;
  }
}

function keepMetricsFile(node: ServerNode, registry: Registry, path: string, logger: Logger): Disposable {
  const write = async () => {
    try {
      writeFileAtomic(path, await registry.metrics(), { mode: 0o644 });
    } catch (error) {
      logger.error("The metrics file could not be written", { file: path, reason: errorText(error) });
    }
  };
  void write();
  const interval = node.config.get("plugin.choria.status_update_interval");
  return node.clock.every(Math.max(1, interval) * 1_000, () => void write());
}
