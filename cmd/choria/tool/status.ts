import { readFileSync, statSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { errorCode, errorText, parseDuration, systemClock } from "../../../lib/std/mod.ts";
import { checkStatus } from "./status_checks.ts";

interface StatusFlags {
  statusFile: string;
  disconnected: boolean;
  /** Milliseconds, as all durations here. */
  messageSince: number;
  maxAge: number;
  certificateAge: number;
  tokenAge: number;
  unprovisioned?: true;
  provisioned?: true;
}

const example = `
Example:
  $ choria tool status --status-file /var/log/choria-status.json --provisioned`;

/** `choria tool status`: a check of the server of this machine, as monitoring systems run them. */
export function command(): Command {
  return new Command("status")
    .summary("Check the server of this machine for a monitoring system")
    .description(
      "Check the server of this machine for a monitoring system, by the status file that it writes: exits with 0 when all is well, else with 1. A duration of 0 switches its check off.",
    )
    .requiredOption("--status-file <file>", "the server's status file")
    .option("--disconnected", "fail when the server is not connected", true)
    .option("--no-disconnected", "let the server be disconnected")
    .addOption(durationOption("--message-since <duration>", "longest time without a message", "1h"))
    .addOption(durationOption("--max-age <duration>", "oldest status file", "30m"))
    .addOption(durationOption("--certificate-age <duration>", "shortest rest of the certificate's time", "24h"))
    .addOption(durationOption("--token-age <duration>", "shortest rest of the token's time", "24h"))
    .option("--unprovisioned", "fail when the server is provisioned")
    .option("--provisioned", "fail when the server is being provisioned")
    .addHelpText("after", example)
    .action((flags: StatusFlags) => {
      const problem = run(flags);
      process.stdout.write(`${flags.statusFile} ${problem ?? "OK"}\n`);
      if (problem !== undefined) process.exitCode = 1;
    });
}

function run(flags: StatusFlags): string | undefined {
  const { statusFile: file, maxAge, certificateAge, tokenAge, messageSince } = flags;
  let text: string;
  let written: number;
  try {
    written = statSync(file).mtimeMs;
    text = readFileSync(file, "utf8");
  } catch (error) {
    const reason = errorCode(error) === "ENOENT" ? "no such file or directory" : errorText(error);
    return `could not be read: open ${file}: ${reason}`;
  }
  const now = systemClock.now();
  const limits = {
    maxAge,
    certificateAge,
    tokenAge,
    messageSince,
    checkConnection: flags.disconnected,
    mustBeProvisioning: flags.unprovisioned ?? false,
    mustServe: flags.provisioned ?? false,
  };
  return checkStatus(text, now - written, limits, now);
}

function durationOption(flag: string, description: string, fallback: string): Option {
  return new Option(flag, description).argParser(duration).default(parseDuration(fallback), fallback);
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}
