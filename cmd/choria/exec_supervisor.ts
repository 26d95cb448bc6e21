import { Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../../lib/config/mod.ts";
import { JobSpool, jobEvents, superviseJob } from "../../lib/executor/mod.ts";
import { createLogger, errorText, parseDuration, systemClock } from "../../lib/std/mod.ts";
import { Spool } from "../../lib/submission/mod.ts";
import { addClientFlags, type ClientFlags, clientConfig } from "./client/open.ts";

interface SupervisorFlags extends ClientFlags {
  /** Milliseconds. */
  heartbeat: number;
  trackOutput?: true;
  process: string;
}

/**
 * `choria exec-supervisor --process ID`: runs a command that an agent has prepared in the executor's folder, and stays
 * with it. Agents start it; it is no command for people.
 */
export function command(): Command {
  const supervisor = new Command("exec-supervisor").description("Run a long-running command and watch over it.");
  return addClientFlags(supervisor)
    .requiredOption("--process <id>", "which command")
    .addOption(
      new Option("--heartbeat <duration>", "time between signs of life").argParser(duration).default(300_000, "5m"),
    )
    .option("--track-output", "publish what the command prints as well")
    .action(run);
}

async function run(flags: SupervisorFlags): Promise<void> {
  const config = clientConfig(flags);
  const logger = createLogger({ level: config.get("loglevel"), destination: config.get("logfile") });
  try {
    const spool = new JobSpool(config.get("plugin.choria.executor.spool"));
    const job = spool.load(flags.process);
    const events = jobEvents(job, submissionSpool(config), logger);
    const { heartbeat, trackOutput = false } = flags;
    await superviseJob(job, { spool, events, heartbeat, trackOutput, clock: systemClock, logger });
  } catch (error) {
    throw new Error(`could not start supervisor: ${errorText(error)}`, { cause: error });
  }
}

/** Without a spool for messages the command still runs; its folder tells how. */
function submissionSpool(config: Config): Spool | undefined {
  const folder = config.get("plugin.choria.submission.spool");
  if (folder === "") return undefined;
  return new Spool({ folder, maxSize: config.get("plugin.choria.submission.max_spool_size"), clock: systemClock });
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}
