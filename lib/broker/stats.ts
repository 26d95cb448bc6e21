import { errorText, isObject, type JsonObject, type Logger } from "../std/mod.ts";
import { BrokerMetrics } from "./metrics.ts";

/** What the statistics listener tells, and where. */
export interface StatsOptions {
  /** Address to listen on. */
  address: string;
  port: number;
  identity: string;
  version: string;
  configFile: string;
  maxConnections: number;
  /** nats-server's private statistics port; undefined while it is down. */
  monitorPort: () => number | undefined;
  /** Why the broker cannot do its work at present; undefined when all is well. */
  fault: () => Promise<string | undefined>;
  /** How many logins were let in and refused. */
  logins: () => { allowed: number; refused: number };
  /** What the data adapters count, in Prometheus' text format; empty when there are none. */
  adapters: () => string;
  logger: Logger;
}

/** A running statistics listener. */
export interface StatsServer {
  port: number;
  stop(): Promise<void>;
}

const json = { "content-type": "application/json" };
const askTimeout = 5_000;

/**
 * Serve statistics over HTTP: ours below `/choria/`, health at `/healthz`, and nats-server's own, such as `/varz`,
 * for the rest. It only answers; nothing can be changed through it.
 *
 * @throws {Error} when the port is taken.
 */
export async function startStats(options: StatsOptions): Promise<StatsServer> {
  const { address, port, identity, version, logins, logger } = options;
  const metrics = await BrokerMetrics.create({ identity, version, logins, ask: (document) => ask(options, document) });
  const server = Bun.serve({
    hostname: address,
    port,
    fetch: (request) => respond(request, options, metrics),
    error(error) {
      logger.error("A request for statistics failed", { reason: errorText(error) });
      return new Response("Internal error\n", { status: 500 });
    },
  });
  logger.info(`Starting statistic reporting Prometheus statistics on http://${address}:${server.port}/choria/`);
  return { port: server.port ?? port, stop: () => server.stop(true) };
}

async function respond(request: Request, options: StatsOptions, metrics: BrokerMetrics): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET is answered here\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  try {
    if (pathname === "/healthz") return await health(options, search);
    if (pathname === "/choria/metrics" || pathname === "/choria/prometheus") {
      return new Response((await metrics.text()) + options.adapters(), {
        headers: { "content-type": metrics.contentType },
      });
    }
    if (pathname === "/choria" || pathname.startsWith("/choria/")) return await about(options);
    return await forward(options, pathname + search);
  } catch (error) {
    return new Response(`nats-server does not answer: ${errorText(error)}\n`, { status: 503 });
  }
}

async function about(options: StatsOptions): Promise<Response> {
  const varz = await ask(options, "varz");
  const document = {
    build: {
      version: options.version,
      sha: "unknown",
      build_date: "unknown",
      license: "Apache-2.0",
      tls: true,
      secure: true,
      go: `bun${Bun.version}`,
      nats_server: varz.version,
      max_broker_clients: options.maxConnections,
    },
    system: { rss: process.memoryUsage.rss() + Number(varz.mem ?? 0), cpu_percent: varz.cpu, cpu_cores: varz.cores },
    config_file: options.configFile,
    identity: options.identity,
  };
  return new Response(JSON.stringify(document), { headers: json });
}

/** Well is a broker that answers logins: nats-server alone may be up and refuse everybody. */
async function health(options: StatsOptions, search: string): Promise<Response> {
  const fault = await options.fault();
  if (fault === undefined) return forward(options, `/healthz${search}`);
  return new Response(JSON.stringify({ status: "unavailable", error: fault }), { status: 503, headers: json });
}

async function ask(options: StatsOptions, document: string): Promise<JsonObject> {
  const value: unknown = await (await forward(options, `/${document}`)).json();
  if (!isObject(value)) throw new Error(`/${document} is not an object`);
  return value;
}

async function forward({ monitorPort }: StatsOptions, path: string): Promise<Response> {
  const port = monitorPort();
  if (port === undefined) throw new Error("it is not running");
  const reply = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(askTimeout) });
  const type = reply.headers.get("content-type") ?? "text/plain";
  return new Response(await reply.arrayBuffer(), { status: reply.status, headers: { "content-type": type } });
}
