/**
 * Health check of a role that tells about itself over HTTP: `health.ts FILE`, FILE being the role's configuration.
 *
 * A role whose configuration switches that off is as healthy as its process, of which the container tells.
 */
import { readFileSync } from "node:fs";

const timeout = 5_000;

/** Where a configuration has the role tell about itself: JSON, YAML or `key = value`. */
function healthUrl(configuration: string): string | undefined {
  const [, brokerPort] = /^plugin\.choria\.stats_port\s*=\s*(\d+)/m.exec(configuration) ?? [];
  if (Number(brokerPort)) return `http://127.0.0.1:${brokerPort}/healthz`;
  const [, port] = /^\s*"?monitor_port"?\s*:\s*(\d+)/m.exec(configuration) ?? [];
  return Number(port) ? `http://127.0.0.1:${port}/metrics` : undefined;
}

async function check(file: string): Promise<string> {
  const url = healthUrl(readFileSync(file, "utf8"));
  if (url === undefined) return "no monitoring port";
  const response = await fetch(url, { signal: AbortSignal.timeout(timeout) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
  return `${url} answered ${response.status}`;
}

try {
  const [file] = process.argv.slice(2);
  if (file === undefined) throw new Error("name the configuration file");
  console.log(await check(file));
} catch (error) {
  console.error(`health: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
