import { isObject, parseObject } from "../../std/mod.ts";
import type { MetricDocument } from "../devices.ts";
import { parsePerfData } from "./_perfdata.ts";

/** Most figures that a command may give: they are published. */
const mostFigures = 1_000;

/**
 * What the command of a metric watcher printed: JSON with `labels` and `metrics`, or figures as Nagios plugins print
 * them.
 *
 * @param labels Added, and preferred to those of the output.
 * @param time Unix seconds.
 * @throws {Error} when it looks like JSON and is none, or is another document.
 */
export function readMeasurement(
  output: string,
  labels: Readonly<Record<string, string>>,
  time: number,
): MetricDocument {
  const text = output.trim();
  if (!text.startsWith("{")) {
    const figures = parsePerfData(text) ?? [];
    const metrics = Object.fromEntries(figures.map(({ label, value }) => [label, value]));
    return { labels: { format: "nagios", ...labels }, metrics, time };
  }
  const document = parseObject(text);
  const metrics = entriesOf(document.metrics, "metrics", isNumber);
  if (metrics.length > mostFigures) throw new Error(`the command printed more than ${mostFigures} figures`);
  const own = Object.fromEntries(entriesOf(document.labels, "labels", isText));
  return { labels: { ...own, format: "choria", ...labels }, metrics: Object.fromEntries(metrics), time };
}

function entriesOf<T>(value: unknown, name: string, isGood: (item: unknown) => item is T): [string, T][] {
  if (value === undefined || value === null) return [];
  if (!isObject(value)) throw new Error(`${name} are no JSON object`);
  return Object.entries(value).map(([key, item]) => {
    if (!isGood(item)) throw new Error(`"${key}" of ${name} has a value of the wrong type`);
    return [key, item];
  });
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
