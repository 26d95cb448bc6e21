import { formatTable } from "../../../lib/cli/mod.ts";
import type { CheckResult } from "./check_token.ts";

/** How a result can be written. */
export const checkFormats = ["nagios", "json", "prometheus", "text"] as const;

/** One of {@link checkFormats}. */
export type CheckFormat = (typeof checkFormats)[number];

const expiryHelp = "Seconds until expiry";

/** Write what was found out about the token in `file`. */
export function formatCheck(file: string, result: CheckResult, format: CheckFormat): string {
  const writers = { nagios: asNagios, json: asJson, prometheus: asPrometheus, text: asText };
  return writers[format](file, result);
}

function statusOf({ critical }: CheckResult): "OK" | "CRITICAL" {
  return critical.length === 0 ? "OK" : "CRITICAL";
}

function asNagios(file: string, result: CheckResult): string {
  const words = [
    ...result.critical.map((text) => `Crit:${text}`),
    ...result.ok.map((text) => `OK:${text}`),
    ...(result.expires === undefined ? [] : [`| expires=${result.expires.toFixed(4)}s`]),
  ];
  return [statusOf(result), file, ...words].join(" ");
}

function asJson(file: string, result: CheckResult): string {
  const { critical, ok, expires } = result;
  const data = expires === undefined ? [] : [{ name: "expires", value: expires, warning: 0, critical: 0, unit: "s" }];
  const document = {
    status: statusOf(result),
    check_suite: "jwt",
    check_name: file,
    ...(critical.length > 0 ? { critical } : {}),
    ...(ok.length > 0 ? { ok } : {}),
    perf_data: data,
  };
  return JSON.stringify(document, null, 2);
}

function asPrometheus(file: string, result: CheckResult): string {
  const item = JSON.stringify(file);
  const status = statusOf(result);
  const expires = [
    `# HELP choria_jwt_expires ${expiryHelp}`,
    "# TYPE choria_jwt_expires gauge",
    `choria_jwt_expires{item=${item}} ${result.expires}`,
  ];
  return [
    ...(result.expires === undefined ? [] : expires),
    "# HELP choria_jwt_status_code Nagios compatible status code for jwt",
    "# TYPE choria_jwt_status_code gauge",
    `choria_jwt_status_code{item=${item},status="${status}"} ${status === "OK" ? 0 : 2}`,
  ].join("\n");
}

function asText(file: string, result: CheckResult): string {
  const rows = [...result.ok.map((text) => ["OK", text]), ...result.critical.map((text) => ["Critical", text])];
  const found = formatTable({ head: ["Status", "Message"], rows });
  const measured = formatTable({
    head: ["Metric", "Value", "Unit", "Description"],
    rows: [["expires", (result.expires ?? 0).toFixed(3), "s", expiryHelp]],
  });
  const metrics = result.expires === undefined ? [] : ["", "Check Metrics", "", measured];
  return [`${file}: ${statusOf(result)}`, "", "Status Detail", "", found, ...metrics].join("\n");
}
