import { Command } from "commander";
import { formatTable } from "../../../lib/cli/mod.ts";
import { type FleetReply, footerText } from "../../../lib/client/mod.ts";
import { isObject, isStringList } from "../../../lib/std/mod.ts";
import {
  addDiscoveryFlags,
  addFilterFlags,
  type DiscoveryFlags,
  type FilterFlags,
  gather,
  withAgent,
} from "../client/filters.ts";
import { discoverOptions } from "../client/nodes.ts";
import { addClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { endWithStats } from "../client/replies.ts";
import { addScoutFlags, askScout, type ScoutFlags } from "./ask.ts";

interface SteerFlags extends ScoutFlags, FilterFlags, DiscoveryFlags {
  check: string[];
}

/** One of the commands that steer checks. */
interface Steering {
  action: "trigger" | "maintenance" | "resume";
  description: string;
  /** What was done, for the line that tells that all went well. */
  done: (checks: number, nodes: number) => string;
}

const steerings: readonly Steering[] = [
  {
    action: "trigger",
    description: "Have checks run now.",
    done: (checks, nodes) => `Triggered ${checks} checks on ${nodes} nodes`,
  },
  {
    action: "maintenance",
    description: "Let checks rest until they are resumed.",
    done: (checks, nodes) => `Placed ${checks} checks into maintenance mode on ${nodes} nodes`,
  },
  {
    action: "resume",
    description: "End the maintenance of checks.",
    done: (checks, nodes) => `Placed ${checks} checks into normal check mode on ${nodes} nodes`,
  },
];

/** `choria scout trigger`, `maintenance` and `resume`. */
export function steerCommands(): Command[] {
  return steerings.map(steerCommand);
}

function steerCommand(steering: Steering): Command {
  const { action, description } = steering;
  const command = new Command(action)
    .summary(description.slice(0, -1))
    .description(`${description} All checks of all nodes where nothing else is said.`)
    .option("--check <name>", "this check only; may be repeated", gather, []);
  return addScoutFlags(addClientFlags(addDiscoveryFlags(addFilterFlags(command))))
    .addHelpText("after", examplesOf(action))
    .action((flags: SteerFlags) => withFleet(flags, (session) => steer(steering, flags, session)));
}

function examplesOf(action: string): string {
  return `
Examples:
  choria scout ${action}
  choria scout ${action} --check check_choria -I web1.example.net -C web

Ends with 0 when every node answered and none failed, 2 when some did not, 1 on errors, 130 when interrupted.`;
}

async function steer({ action, done }: Steering, flags: SteerFlags, session: ClientSession): Promise<void> {
  const { config, terminal } = session;
  const options = await discoverOptions(withAgent(flags, "scout"), config);
  const data = flags.check.length === 0 ? {} : { checks: flags.check };
  const { request, replies } = await askScout(action, data, options, flags, session);
  endWithStats(request.stats);
  if (flags.json) return;
  if (replies.length === 0) throw new Error("no responses received");
  const rows = replies.map(steered);
  const shown = rows.filter(({ isFine }) => flags.verbose || !isFine);
  const { out, paint } = terminal;
  if (shown.length > 0) out.write(`${steerTable(action, shown)}\n`);
  else out.write(`${done(sum(rows), rows.filter(({ isFine }) => isFine).length)}\n`);
  out.write(footerText(request.stats, flags.verbose ?? false, paint));
}

/** What became of the checks of a node. */
interface SteeredNode {
  sender: string;
  transitioned: string[];
  skipped: string[];
  failed: string[];
  message: string;
  isFine: boolean;
}

function steered({ sender, ok, statusmsg, data }: FleetReply): SteeredNode {
  const names = (key: string) => {
    const value = isObject(data) ? data[key] : undefined;
    return isStringList(value) ? value : [];
  };
  const [transitioned, skipped, failed] = [names("transitioned"), names("skipped"), names("failed")];
  return { sender, transitioned, skipped, failed, message: statusmsg, isFine: ok && failed.length === 0 };
}

function sum(nodes: readonly SteeredNode[]): number {
  return nodes.reduce((total, { transitioned }) => total + transitioned.length, 0);
}

function steerTable(action: string, nodes: readonly SteeredNode[]): string {
  return formatTable({
    title: `Scout check ${action}`,
    head: ["Name", "Triggered", "Skipped", "Failed", "Message"],
    rows: nodes.map(({ sender, transitioned, skipped, failed, message }) => [
      sender,
      transitioned.join(", "),
      skipped.join(", "),
      failed.join(", "),
      message,
    ]),
  });
}
