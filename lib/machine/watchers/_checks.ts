import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { errorText } from "../../std/mod.ts";
import { runCommand } from "../command.ts";
import { validateWithGoss } from "../goss.ts";
import type { WatcherContext } from "../watcher.ts";
import { renderPlugin } from "./_overrides.ts";
import { type CheckResult, checkStatusFile } from "./_status_file.ts";

/** What a nagios watcher does, from its properties. Durations in milliseconds. */
export interface CheckProperties {
  plugin: string;
  builtin: string;
  gossFile: string;
  /** 0 where the manifest has none. */
  timeout: number;
  lastMessage: number;
  certificateExpires: number;
  tokenExpires: number;
}

/** A check that was made: how it ended, and the command or the builtin that it was. */
export interface MadeCheck extends CheckResult {
  plugin: string;
}

const unknownCode = 3;
const defaultTimeout = 1_000;
/** Rules of goss run commands of their own. */
const gossTimeout = 60_000;

/** Make a check. Never rejects: what cannot be checked has the status unknown. */
export async function makeCheck(context: WatcherContext, properties: CheckProperties): Promise<MadeCheck> {
  const { builtin } = properties;
  try {
    if (builtin === "") return await runPlugin(context, properties);
    return { plugin: builtin, ...(await runBuiltin(context, properties)) };
  } catch (error) {
    context.logger.error("The check could not be made", { reason: errorText(error) });
    return { plugin: builtin, code: unknownCode, output: `UNKNOWN: ${errorText(error)}` };
  }
}

async function runPlugin(context: WatcherContext, { plugin, timeout }: CheckProperties): Promise<MadeCheck> {
  const { settings } = context.machine.node;
  const line = renderPlugin(plugin, settings.overridesFile, context.machine.name);
  const { exitCode, output, fault, reason } = await runCommand(context, line, {
    timeout: timeout > 0 ? timeout : defaultTimeout,
  });
  if (fault !== undefined) context.logger.warn("The check did not end by itself", { reason });
  const isKnown = exitCode >= 0 && exitCode <= 5;
  return { plugin: line, code: isKnown ? exitCode : unknownCode, output: new TextDecoder().decode(output).trim() };
}

async function runBuiltin(context: WatcherContext, properties: CheckProperties): Promise<CheckResult> {
  const { clock, settings } = context.machine.node;
  const { builtin, lastMessage, certificateExpires, tokenExpires } = properties;
  if (builtin === "heartbeat") return { code: 0, output: String(Math.floor(clock.now() / 1_000)) };
  if (builtin.startsWith("goss")) return runGoss(context, properties);
  if (builtin === "choria_status") {
    const { statusFile: path, statusInterval: interval } = settings;
    return checkStatusFile({ path, interval, lastMessage, certificateExpires, tokenExpires }, clock.now());
  }
  context.logger.error("There is no builtin check of that name", { builtin });
  return { code: unknownCode, output: "" };
}

async function runGoss(context: WatcherContext, { gossFile, timeout }: CheckProperties): Promise<CheckResult> {
  const { node, folder } = context.machine;
  const { settings } = node;
  try {
    const { tests, failures, runtime, summary } = await validateWithGoss({
      rules: { file: resolve(folder, gossFile) },
      ...(settings.overridesFile === "" ? {} : { vars: readFileSync(settings.overridesFile, "utf8") }),
      denied: settings.deniedGossResources,
      timeout: timeout > 0 ? timeout : gossTimeout,
      signal: context.signal,
    });
    const status = failures > 0 ? "CRITICAL" : "OK";
    const figures = `checks=${tests};; failed=${failures};; runtime=${runtime.toFixed(6)}s`;
    return { code: failures > 0 ? 2 : 0, output: `${status}: ${summary}|${figures}` };
  } catch (error) {
    return { code: unknownCode, output: `UNKNOWN: goss validate failed: ${errorText(error)}` };
  }
}
