import type { Config } from "../config/mod.ts";
import { type Clock, type Logger, systemClock, version } from "../std/mod.ts";
import { startAuditors } from "./auditors.ts";
import type { AaaConfig } from "./config.ts";
import { httpApi } from "./http_api.ts";
import { HttpError } from "./http_error.ts";
import { type Listener, listen } from "./listener.ts";
import { noMetrics } from "./metrics.ts";
import type { PrometheusMetrics } from "./prometheus.ts";
import { signerAgent } from "./service.ts";
import { type ServiceHost, startServiceHost } from "./service_host.ts";
import { loginService, signingService } from "./services.ts";
import type { SigningService } from "./signer.ts";

/** What {@link startAaa} runs with. */
export interface AaaOptions {
  config: AaaConfig;
  /** The configuration that `choria_config` names. */
  choria?: Config | undefined;
  logger: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** Stops the service. */
  signal?: AbortSignal;
  /**
   * Serve plain HTTP whatever certificates are configured, as behind a proxy that ends TLS.
   * @default false
   */
  disableTls?: boolean;
  /**
   * Gives memory back that is not needed any more.
   * @default {@link Bun.shrink}
   */
  releaseMemory?: () => void;
}

/** How long the service takes to settle before it gives back what starting took, in milliseconds. */
const settlingTime = 2_000;

/** A running AAA service. */
export interface AaaHandle extends AsyncDisposable {
  /** Where logins and signatures are served over HTTP. */
  readonly url: string | undefined;
  /** Where metrics are served. */
  readonly monitorUrl: string | undefined;
  /** Resolves once the `aaa_signer` service can be called, at once where there is none. */
  readonly ready: Promise<void>;
  /** Stop taking requests and close everything. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Start the AAA service: logins and signatures over HTTP, signatures over the network, audit and metrics, each where
 * the configuration asks for it.
 *
 * @throws {Error} saying what cannot be used, or which port cannot be had; nothing is left running then.
 */
export async function startAaa(options: AaaOptions): Promise<AaaHandle> {
  const { config, logger, clock = systemClock, choria, signal } = options;
  checkServes(options);
  await using parts = new AsyncDisposableStack();
  const prometheus = config.monitorPort === 0 ? undefined : await loadMetrics(config);
  const base = { clock, logger, metrics: prometheus ?? noMetrics };
  const audit = parts.use(startAuditors({ auditors: config.auditors, choria, site: config.site, ...base }));
  const login = config.authenticator === undefined ? undefined : loginService(config.authenticator, base);
  const signer =
    config.signer === undefined
      ? undefined
      : await signingService(config.signer, { ...base, site: config.site, audit, choria });
  const host = startHost(options, signer, clock);
  if (host !== undefined) parts.use(host);
  const api = serveApi(options, httpApi({ login, signer, logger }));
  if (api !== undefined) parts.use(api);
  const monitor = prometheus === undefined ? undefined : parts.use(serveMetrics(config, prometheus));
  if (api !== undefined) logger.info("Serving logins and signatures", { url: api.url });
  if (monitor !== undefined) logger.info("Serving metrics", { url: `${monitor.url}/metrics` });
  parts.use(clock.after(settlingTime, options.releaseMemory ?? (() => Bun.shrink())));
  return handleOf(parts.move(), { api, monitor, host, signal });
}

function checkServes({ config, choria, disableTls = false }: AaaOptions): void {
  const hasService = config.signer?.choriaService ?? false;
  if (config.port === 0 && !hasService) throw problem(config, "/port", "nothing is served: set it, or choria_service");
  if (config.port !== 0 && config.tls === undefined && !disableTls) {
    throw problem(config, "/tls_certificate", "is required beside port, unless --disable-tls asks for plain HTTP");
  }
  if (hasService && choria === undefined) throw problem(config, "/choria_config", "is required beside choria_service");
}

function problem({ file }: AaaConfig, path: string, reason: string): Error {
  return new Error(`Cannot use the configuration "${file}": ${path}: ${reason}`);
}

async function loadMetrics(config: AaaConfig): Promise<PrometheusMetrics> {
  // Loaded on demand, as it weighs more than the rest of the service.
  const { prometheusMetrics } = await import("./prometheus.ts");
  return prometheusMetrics({ site: config.site, version, authorizer: config.signer?.authorizer ?? "" });
}

function startHost(options: AaaOptions, signer: SigningService | undefined, clock: Clock): ServiceHost | undefined {
  const { config, choria, logger } = options;
  if (signer === undefined || choria === undefined || !config.signer?.choriaService) return undefined;
  return startServiceHost({ config: choria, agent: signerAgent(signer, logger), clock, logger });
}

function serveApi(
  { config, disableTls = false }: AaaOptions,
  handle: (request: Request) => Promise<Response>,
): Listener | undefined {
  const { port, address, tls } = config;
  return port === 0 ? undefined : listen({ port, address, tls: disableTls ? undefined : tls, handle });
}

function serveMetrics({ monitorPort, monitorAddress }: AaaConfig, metrics: PrometheusMetrics): Listener {
  return listen({
    port: monitorPort,
    address: monitorAddress,
    tls: undefined,
    async handle(request) {
      const { pathname } = new URL(request.url);
      if (pathname !== "/metrics") return new HttpError(404, `path ${pathname} was not found`).toResponse();
      return new Response(await metrics.text(), { headers: { "Content-Type": metrics.contentType } });
    },
  });
}

function handleOf(
  parts: AsyncDisposableStack,
  running: {
    api: Listener | undefined;
    monitor: Listener | undefined;
    host: ServiceHost | undefined;
    signal: AbortSignal | undefined;
  },
): AaaHandle {
  const { api, monitor, host, signal } = running;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= parts.disposeAsync();
    return stopped;
  };
  signal?.addEventListener("abort", () => void stop(), { once: true });
  return {
    url: api?.url,
    monitorUrl: monitor?.url,
    ready: host?.ready ?? Promise.resolve(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
