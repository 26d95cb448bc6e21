import { Command } from "commander";
import { formatTable, type Paint } from "../../../lib/cli/mod.ts";
import { footerText } from "../../../lib/client/mod.ts";
import { checkHistory } from "../../../lib/scout/mod.ts";
import { formatDuration, isObject, type JsonObject, systemClock } from "../../../lib/std/mod.ts";
import { addClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { endWithStats } from "../client/replies.ts";
import { addScoutFlags, askScout, type ScoutFlags } from "./ask.ts";
import { paintState } from "./colors.ts";

const examples = `
Examples:
  choria scout status web1.example.net
  choria scout status web1.example.net --json

Ends with 0 when the node has answered, 1 when it has not or on errors, 130 when interrupted.`;

/** `choria scout status`: the checks of a node. */
export function statusCommand(): Command {
  const status = new Command("status")
    .description("Show the checks of a node, how they are and how they have been.")
    .argument("<identity>", "which node");
  return addScoutFlags(addClientFlags(status))
    .addHelpText("after", examples)
    .action((identity: string, flags: ScoutFlags) =>
      withFleet(flags, (session) => showStatus(identity, flags, session)),
    );
}

async function showStatus(identity: string, flags: ScoutFlags, session: ClientSession): Promise<void> {
  const { request, replies } = await askScout("checks", {}, { nodes: [identity] }, flags, session);
  if (flags.json) return endWithStats(request.stats);
  const [reply] = replies;
  if (reply === undefined) throw new Error(`no response received from ${identity}`);
  if (!reply.ok) throw new Error(`loading checks failed: ${reply.statusmsg}`);
  const { out, paint } = session.terminal;
  const checks = checksOf(reply.data);
  out.write(checks.length === 0 ? "No checks found\n" : `${statusTable(checks, systemClock.now(), paint)}\n`);
  out.write(footerText(request.stats, flags.verbose ?? false, paint));
}

function checksOf(data: unknown): JsonObject[] {
  const checks = isObject(data) && Array.isArray(data.checks) ? data.checks : [];
  return checks.filter(isObject);
}

/** How many results of a check are shown. */
const shownHistory = 10;

/** The table of a node's checks, without a newline at its end. */
function statusTable(checks: readonly JsonObject[], now: number, paint: Paint): string {
  const rows = checks.map(({ name, state, status }) => {
    const told = isObject(status) ? status : undefined;
    const history = checkHistory(told).slice(-shownHistory);
    return [
      String(name ?? ""),
      paintState(String(state ?? ""), paint),
      lastCheck(told, now),
      history.map((was) => paintState(was, paint, was.slice(0, 2))).join(" "),
    ];
  });
  return formatTable({ title: "Scout status history", head: ["Name", "State", "Last Check", "History"], rows });
}

/** Time since a check last ran, in whole seconds. Before its first run it says that it ran in the year 1. */
function lastCheck(status: JsonObject | undefined, now: number): string {
  const time = status?.check_time;
  if (typeof time !== "number" || time <= 0) return "Never";
  return formatDuration(Math.max(0, Math.round(now / 1_000 - time)) * 1_000);
}
