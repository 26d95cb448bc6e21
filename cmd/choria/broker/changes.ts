import type { Difference } from "../../../lib/streams/mod.ts";
import { confirmed, type StreamSession } from "./session.ts";

/** Flags of the commands that change something. */
export interface AgreeFlags {
  force?: true;
  dryRun?: true;
  json?: true;
}

/**
 * Show what would change, and ask whether it shall. With `--dry-run` the exit code becomes 1 where something would.
 *
 * @returns whether to go on.
 */
export async function agreeToChanges(
  question: string,
  changes: readonly Difference[],
  { force, dryRun, json }: AgreeFlags,
  session: StreamSession,
): Promise<boolean> {
  const isSame = changes.length === 0;
  if (!json) session.terminal.out.write(isSame ? "No difference in configuration\n" : changesText(changes));
  if (dryRun) process.exitCode = isSame ? 0 : 1;
  return !dryRun && !isSame && (await confirmed(question, force));
}

/** Changes line by line, what goes marked by - and what comes by +. */
export function changesText(changes: readonly Difference[]): string {
  const lines = changes.flatMap(({ key, before, after }) => [
    ...(before === undefined ? [] : [`- ${key}: ${before}`]),
    ...(after === undefined ? [] : [`+ ${key}: ${after}`]),
  ]);
  return `Differences (-old +new):\n${lines.map((line) => `  ${line}\n`).join("")}\n`;
}
