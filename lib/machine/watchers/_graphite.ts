import { connect } from "node:net";

/** Where figures go, and when they were measured. */
export interface GraphiteTarget {
  host: string;
  port: number;
  /** Begins every name. */
  prefix: string;
  /** Unix seconds. */
  time: number;
}

/** Longest time that a host may take, in milliseconds. */
const timeLimit = 2_000;

/**
 * Send figures to a Graphite host, a line each.
 *
 * @throws {Error} when it cannot be reached or has not taken them within two seconds.
 */
export function sendToGraphite(metrics: Readonly<Record<string, number>>, target: GraphiteTarget): Promise<void> {
  const { host, port } = target;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ host, port });
  const timer = setTimeout(() => {
    socket.destroy();
    reject(new Error(`${host}:${port} did not take the figures within ${timeLimit / 1_000} s`));
  }, timeLimit);
  socket.once("connect", () => socket.end(graphiteLines(metrics, target)));
  socket.once("error", reject);
  socket.once("close", () => resolve());
  // What it says does not matter, but has to be read for it to be able to hang up.
  socket.resume();
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** Figures in Graphite's plain text: `prefix.name value time`. */
export function graphiteLines(
  metrics: Readonly<Record<string, number>>,
  { prefix, time }: Pick<GraphiteTarget, "prefix" | "time">,
): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${`${prefix}.${name}`.replace(/\s/g, "_")} ${value.toFixed(6)} ${time}\n`)
    .join("");
}
