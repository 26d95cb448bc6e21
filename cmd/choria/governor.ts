import { Command } from "commander";
import { formatReport, formatTable, type ReportRow } from "../../lib/cli/mod.ts";
import { formatDuration, formatSpan } from "../../lib/std/mod.ts";
import { type GovernorLease, type GovernorSettings, type GovernorStatus, Governors } from "../../lib/streams/mod.ts";
import { confirmed, type StreamSession, withStreams, writeJson } from "./broker/session.ts";
import { span, whole } from "./broker/stream/flags.ts";
import { addClientFlags, type ClientFlags } from "./client/open.ts";
import { takeConfigFor } from "./client/parent.ts";
import { runGoverned } from "./governor/run.ts";

const examples = `
Examples:
  choria governor add BACKUPS 2 1h
  choria governor run BACKUPS --max-wait 10m -- tar -cf /backup/home.tar /home
  choria governor view BACKUPS`;

/** `choria governor`: how many of a fleet do something at a time. */
export function command(): Command {
  const governor = new Command("governor")
    .alias("gov")
    .description("Limit how many of a fleet do something at a time.")
    .addHelpText("after", examples);
  const parts = [
    addCommand(),
    listCommand(),
    viewCommand(),
    runCommand(),
    evictCommand(),
    resetCommand(),
    deleteCommand(),
  ];
  for (const part of parts) governor.addCommand(addClientFlags(part));
  return takeConfigFor(governor);
}

interface ForceFlags extends ClientFlags {
  force?: true;
}

/** Work with governors. */
function withGovernors(
  flags: ClientFlags,
  work: (governors: Governors, session: StreamSession) => Promise<void>,
): Promise<void> {
  return withStreams(flags, (session) =>
    work(new Governors(session.fleet.connection, session.config.mainCollective), session),
  );
}

async function existing(governors: Governors, name: string): Promise<GovernorStatus> {
  const found = await governors.find(name);
  if (found === undefined) throw new Error(`unknown governor ${name}`);
  return found;
}

function addCommand(): Command {
  return new Command("add")
    .description("Make a governor, or change what one allows.")
    .argument("<name>", "name of the governor")
    .argument("<capacity>", "how many may hold a slot at a time", whole)
    .argument("<expire>", "after how long a slot that was not given back is free again, as 5m", span)
    .argument("[replicas]", "how many brokers keep a copy", whole, 1)
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria governor add BACKUPS 2 1h")
    .action((name: string, capacity: number, expires: number, replicas: number, flags: ForceFlags) => {
      if (capacity < 1) throw new Error(`A governor lets at least one do something, not ${capacity}`);
      return withGovernors(flags, async (governors, { terminal }) => {
        const wanted = { name, capacity, expires, replicas };
        const present = await governors.find(name);
        if (present !== undefined && differs(present, wanted)) {
          terminal.out.write(formatReport("Existing configuration:", [{ rows: desiredRows(present, wanted) }]));
          if (!(await confirmed(`Update configuration for ${name}?`, flags.force))) return;
        }
        await governors.save(wanted);
        terminal.out.write(`${formatReport("Configuration:", [{ rows: settingRows(wanted) }])}\n`);
      });
    });
}

function differs(present: GovernorStatus, wanted: Required<GovernorSettings>): boolean {
  return (["capacity", "expires", "replicas"] as const).some((key) => present[key] !== wanted[key]);
}

function settingRows({ capacity, expires, replicas = 1 }: GovernorSettings): ReportRow[] {
  return [
    ["Capacity", String(capacity)],
    ["Expires", formatDuration(expires)],
    ["Replicas", String(replicas)],
  ];
}

function desiredRows(present: GovernorSettings, wanted: GovernorSettings): ReportRow[] {
  const desired = settingRows(wanted);
  return settingRows(present).map(([label, value], i) => [label, `${value} desired: ${desired[i]?.[1] ?? ""}`]);
}

function listCommand(): Command {
  return new Command("list")
    .alias("ls")
    .description("List the governors.")
    .option("-j, --json", "write the names as one JSON document")
    .addHelpText("after", "\nExample:\n  choria governor list")
    .action((flags: ClientFlags & { json?: true }) =>
      withGovernors(flags, async (governors, session) => {
        const names = await governors.names();
        if (flags.json) writeJson(session, names);
        else if (names.length === 0) session.terminal.out.write("No Governors found\n");
        else session.terminal.out.write(`Known Governors:\n\n${names.map((name) => `\t${name}\n`).join("")}`);
      }),
    );
}

function viewCommand(): Command {
  return new Command("view")
    .alias("info")
    .description("Show what a governor allows, and who holds its slots.")
    .argument("<name>", "name of the governor")
    .addHelpText("after", "\nExample:\n  choria governor view BACKUPS")
    .action((name: string, flags: ClientFlags) =>
      withGovernors(flags, async (governors, { terminal }) => {
        const status = await existing(governors, name);
        const leases = await governors.leases(name);
        const rows: ReportRow[] = [...settingRows(status), ["Active Leases", String(status.active)]];
        const table = leases.length === 0 ? "" : `${leasesTable(leases, Date.now())}\n`;
        terminal.out.write(`${formatReport(`Configuration for Governor ${name}`, [{ rows }])}\n${table}`);
      }),
    );
}

function leasesTable(leases: readonly GovernorLease[], now: number): string {
  const rows = leases.map(({ sequence, holder, since }) => [sequence, holder, formatSpan(now - since)]);
  return formatTable({ head: ["ID", "Process Name", "Age"], rows });
}

interface RunFlags extends ClientFlags {
  maxWait: number;
  interval: number;
  maxPerPeriod?: true;
}

function runCommand(): Command {
  return new Command("run")
    .description("Run a program while holding a slot; ends with the program's exit code.")
    .argument("<name>", "name of the governor")
    .argument("<command...>", "the program and what it is given, after --")
    .option("--max-wait <duration>", "longest wait for a slot", span, 300_000)
    .option("--interval <duration>", "time between tries", span, 5_000)
    .option("--max-per-period", "keep the slot until it expires, to limit runs in that time")
    .addHelpText("after", "\nExample:\n  choria governor run BACKUPS --max-wait 10m -- /usr/local/bin/backup")
    .action((governor: string, program: string[], flags: RunFlags) =>
      withStreams(flags, async (session) => {
        const { maxWait, interval, maxPerPeriod: keepSlot = false } = flags;
        process.exitCode = await runGoverned({ governor, command: program, maxWait, interval, keepSlot }, session);
      }),
    );
}

function evictCommand(): Command {
  return new Command("evict")
    .description("Take a slot from its holder.")
    .argument("<name>", "name of the governor")
    .argument("<id>", "which slot, as view shows it", whole)
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria governor evict BACKUPS 12 -f")
    .action((name: string, id: number, flags: ForceFlags) =>
      withGovernors(flags, async (governors, { terminal }) => {
        if ((await existing(governors, name)).active === 0) {
          return void terminal.out.write("No lease entries to remove\n");
        }
        if (!(await confirmed(`Really evict lease ${id} from ${name}`, flags.force))) return;
        const holder = await governors.evict(name, id);
        if (holder === undefined) throw new Error(`governor ${name} has no lease ${id}`);
        terminal.out.write(`Evicted ${holder} from slot ${id}\n`);
      }),
    );
}

function resetCommand(): Command {
  return new Command("reset")
    .description("Take the slots from all holders.")
    .argument("<name>", "name of the governor")
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria governor reset BACKUPS -f")
    .action((name: string, flags: ForceFlags) =>
      withGovernors(flags, async (governors, { terminal }) => {
        const { active } = await existing(governors, name);
        if (active === 0) return void terminal.out.write("No lease entries to remove\n");
        if (!(await confirmed(`Really remove ${active} active entries from ${name}`, flags.force))) return;
        terminal.out.write(`Removed ${await governors.reset(name)} entries from ${name}\n`);
      }),
    );
}

function deleteCommand(): Command {
  return new Command("delete")
    .aliases(["rm", "del"])
    .description("Remove a governor.")
    .argument("<name>", "name of the governor")
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria governor delete BACKUPS -f")
    .action((name: string, flags: ForceFlags) =>
      withGovernors(flags, async (governors) => {
        await existing(governors, name);
        if (!(await confirmed(`Really remove governor ${name}`, flags.force))) return;
        await governors.remove(name);
      }),
    );
}
