import type { Command } from "commander";
import { openTerminal } from "../../../../lib/cli/mod.ts";
import { errorText, writeFileAtomic } from "../../../../lib/std/mod.ts";
import { interrupted } from "../../client/open.ts";
import type { BrokerFlags } from "../session.ts";
import { type CheckOutcome, type checkFormats, formatOutcome } from "./check_result.ts";

/** Flags of every check. */
export interface CheckFlags extends BrokerFlags {
  format: (typeof checkFormats)[number];
  outfile?: string;
}

/** The example of a check in its help. */
export function example(kind: string, flags: string): string {
  return `\nExample:\n  choria broker server check ${kind} ${flags}`;
}

/** Check something, write what was found, and end by it; what goes wrong is critical. */
export async function conclude(
  kind: string,
  outcome: CheckOutcome,
  command: Command,
  work: () => Promise<void>,
): Promise<void> {
  const { format, outfile } = command.optsWithGlobals<CheckFlags>();
  try {
    await work();
    // An interrupted command leaves its exit code; what it has not looked at is not well for that.
    if (process.exitCode === interrupted) outcome.criticals.push("Check failed: interrupted");
  } catch (error) {
    outcome.criticals.push(`Check failed: ${errorText(error)}`);
  }
  const text = `${formatOutcome(outcome, kind, format)}\n`;
  // Names and reasons come from the network, and somebody may try a check out on a terminal.
  if (outfile === undefined) openTerminal(process).out.write(text);
  else writeFileAtomic(outfile, text);
  process.exitCode = outcome.code;
}

/** Milliseconds as seconds with four digits. */
export function seconds(ms: number): number {
  return Math.round(ms * 10) / 10_000;
}
