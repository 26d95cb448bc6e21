import { cpus } from "node:os";
import type { Registry } from "prom-client";
import { errorText, type Logger, version } from "../std/mod.ts";
import type { ServerNode } from "./node.ts";

/** Where the statistics are served. */
export interface StatsListenerOptions {
  address: string;
  /** 0 takes any free port. */
  port: number;
  registry: Registry;
  logger: Logger;
}

/** A running statistics listener. */
export interface StatsListener {
  port: number;
  stop(): Promise<void>;
}

/**
 * Serve the server's state over HTTP: `/choria/` tells what it is, `/metrics`, `/choria/metrics` and
 * `/choria/prometheus` its counters. Nothing can be changed through it.
 *
 * @throws {Error} when the port is taken.
 */
export function startStatsListener(node: ServerNode, options: StatsListenerOptions): StatsListener {
  const { address, port, logger } = options;
  const server = Bun.serve({
    hostname: address,
    port,
    fetch: (request) => respond(request, node, options.registry),
    error(error) {
      logger.error("A request for statistics failed", { reason: errorText(error) });
      return new Response("Internal error\n", { status: 500 });
    },
  });
  logger.info("Statistics are served", { address, port: server.port });
  return { port: server.port ?? port, stop: () => server.stop(true) };
}

async function respond(request: Request, node: ServerNode, registry: Registry): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET is answered here\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  if (["/metrics", "/choria/metrics", "/choria/prometheus"].includes(pathname)) {
    return new Response(await registry.metrics(), { headers: { "content-type": registry.contentType } });
  }
  if (pathname === "/choria" || pathname === "/choria/") return Response.json(about(node));
  return new Response("Not found\n", { status: 404 });
}

function about({ config, identity }: ServerNode): object {
  return {
    build: {
      version,
      sha: "unknown",
      build_date: "unknown",
      license: "Apache-2.0",
      tls: true,
      secure: true,
      go: `bun${Bun.version}`,
      max_broker_clients: 0,
    },
    system: { rss: process.memoryUsage.rss(), cpu_percent: 0, cpu_cores: cpus().length },
    config_file: config.file,
    identity,
  };
}
