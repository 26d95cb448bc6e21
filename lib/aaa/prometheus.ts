import { Counter, Registry, Summary } from "prom-client";
import type { AaaMetrics } from "./metrics.ts";
import { addProcessMetrics } from "./process_metrics.ts";

/** Most different actions that get counters of their own; callers choose these names. */
const maxActions = 1_000;

/** What the counters are labelled with. */
export interface PrometheusOptions {
  site: string;
  version: string;
  /** Name of the authorizer; empty where nothing is signed. */
  authorizer: string;
}

/** Metrics that Prometheus can scrape. */
export interface PrometheusMetrics extends AaaMetrics {
  /** The present values in Prometheus' text form. */
  text(): Promise<string>;
  /** Content type of that text. */
  readonly contentType: string;
}

/** Make the counters of the AAA service, in a registry of their own. */
export function prometheusMetrics(options: PrometheusOptions): PrometheusMetrics {
  const { site, version, authorizer } = options;
  const registry = new Registry();
  addProcessMetrics(registry);
  const counter = (name: string, help: string, ...labels: string[]) =>
    new Counter({ name: `choria_aaa_${name}`, help, labelNames: ["site", ...labels], registers: [registry] });
  const auditorErrors = counter("auditor_errors", "Audit records that could not be kept", "auditor");
  const authenticatorErrors = counter("authenticator_errors", "Logins that were refused", "authenticator");
  const allowed = counter("authorizer_allowed", "Calls that a policy allowed", "authorizer", "action");
  const denied = counter("authorizer_denied", "Calls that a policy denied", "authorizer", "action");
  const authorizerErrors = counter("authorizer_errors", "Calls that no policy could judge", "authorizer");
  const signerErrors = counter("signer_errors", "Requests that were not signed, for any reason", "signer");
  const signerAllowed = counter("signer_allowed", "Requests that were signed", "signer");
  const signerDenied = counter("signer_denied", "Requests that were not signed", "signer");
  const invalidToken = counter("signer_invalid_token", "Requests whose token was not accepted", "signer");
  const time = new Summary({
    name: "choria_aaa_authenticator_time",
    help: "Seconds that logins took",
    labelNames: ["site", "authenticator"],
    percentiles: [],
    registers: [registry],
  });
  counter("build_info", "Which version runs", "version").inc({ site, version }, 0);

  const login = { site, authenticator: "userlist" };
  const signer = { site, signer: "basicjwt" };
  const actions = new Set<string>();
  const bounded = (action: string) => {
    if (actions.has(action)) return action;
    if (actions.size >= maxActions || action.length > 128) return "other";
    actions.add(action);
    return action;
  };

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    auditorError: (auditor) => auditorErrors.inc({ site, auditor }),
    authenticatorError: () => authenticatorErrors.inc(login),
    authenticatorTime: (seconds) => time.observe(login, seconds),
    authorized: (isAllowed, action) =>
      (isAllowed ? allowed : denied).inc({ site, authorizer, action: bounded(action) }),
    authorizerError: () => authorizerErrors.inc({ site, authorizer }),
    signerAllowed: () => signerAllowed.inc(signer),
    signerDenied: () => signerDenied.inc(signer),
    signerInvalidToken: () => invalidToken.inc(signer),
    signerError: () => signerErrors.inc(signer),
  };
}
