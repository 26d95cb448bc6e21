import { configFrom, formatConf, parseConf } from "../../config/mod.ts";
import type { Request } from "../../protocol/mod.ts";
import { isObject } from "../../std/mod.ts";

/** A configuration file as it is to be written. */
export interface NodeConfiguration {
  text: string;
  /** Lines of it, the header among them. */
  lines: number;
}

/**
 * Make a node's configuration file of settings that came over the network.
 *
 * White space around values means nothing to readers of the format and is left out, as are settings without a value.
 *
 * @param header Comment for the first line.
 * @throws {Error} when a setting does not fit on a line, as one with a line break does, or the result is not a
 * configuration that a server could start with.
 */
export function formatConfiguration(settings: ReadonlyMap<string, string>, header: string): NodeConfiguration {
  const kept = [...settings]
    .map(([key, value]): [string, string] => [key.trim(), value.trim()])
    .filter(([, value]) => value !== "");
  const text = formatConf(kept, header);
  parseConfiguration(text);
  return { text, lines: kept.length + 1 };
}

/**
 * Read a configuration file's text and check its values.
 * @throws {Error} `generated configuration could not be parsed: …`.
 */
export function parseConfiguration(text: string) {
  const config = configFrom(Object.fromEntries(parseConf(text).map(({ key, value }) => [key, value])));
  const [problem] = config.problems();
  if (problem !== undefined) {
    throw new Error(`generated configuration could not be parsed: ${problem.key}: ${problem.reason}`);
  }
  return config;
}

/**
 * The first line of a generated file: who had it written, and when.
 *
 * @param now Milliseconds since the epoch.
 * @param uptime Seconds since the process started.
 */
export function configurationHeader(request: Pick<Request, "id" | "caller" | "sender">, now: number, uptime: number) {
  const iso = new Date(now).toISOString();
  const time = `${iso.slice(0, 10)} ${iso.slice(11, 23)} +0000 UTC m=+${uptime.toFixed(9)}`;
  const { id, caller, sender } = request;
  return `configuration file written in request ${id} from ${caller} (${sender}) at ${time}`;
}

/**
 * Read the input `config` of the configure action: JSON text of an object of strings.
 * @throws {Error} `Could not decode configuration data: …`.
 */
export function decodeSettings(text: string): Map<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw decodeError(error instanceof Error ? error.message : String(error));
  }
  if (!isObject(value)) throw decodeError("expected an object");
  const settings = new Map<string, string>();
  for (const [key, item] of Object.entries(value)) {
    if (typeof item !== "string") throw decodeError(`the value of ${key} must be a string`);
    settings.set(key, item);
  }
  return settings;
}

function decodeError(reason: string): Error {
  return new Error(`Could not decode configuration data: ${reason}`);
}
