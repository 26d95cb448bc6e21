import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import { Command } from "commander";
import { formatReport, formatTable, type ReportRow } from "../../lib/cli/mod.ts";
import { formatDuration, formatSpan, isFile, showUtf8 } from "../../lib/std/mod.ts";
import { bucketStreamName, findStream, readMessage, type StoredMessage } from "../../lib/streams/mod.ts";
import { confirmed, withStreams } from "./broker/session.ts";
import { addClientFlags, type ClientFlags, withFleet } from "./client/open.ts";
import { takeConfigFor } from "./client/parent.ts";
import { keepFile, runAsLeader } from "./election/stand.ts";
import { shortTime } from "./kv/show.ts";

const examples = `
Examples:
  choria election run CRON -- /usr/local/bin/nightly
  choria election info
  choria election file /run/leader CRON`;

interface BucketFlags extends ClientFlags {
  bucket: string;
}

/** `choria election`: one of many does something. */
export function command(): Command {
  const election = new Command("election")
    .aliases(["elect", "elec"])
    .description("Have one of many do something.")
    .addHelpText("after", examples);
  for (const part of [runCommand(), infoCommand(), evictCommand(), fileCommand()]) {
    part.option("--bucket <name>", "bucket of the elections", "CHORIA_LEADER_ELECTION");
    election.addCommand(addClientFlags(part));
  }
  return takeConfigFor(election);
}

function runCommand(): Command {
  return new Command("run")
    .description("Run a program once the election is won; ends with the program's exit code.")
    .argument("<name>", "name of the election")
    .argument("<command...>", "the program and what it is given, after --")
    .option("--terminate", "end the program when leadership is lost")
    .addHelpText("after", "\nExample:\n  choria election run CRON --terminate -- /usr/local/bin/nightly")
    .action((name: string, program: string[], flags: BucketFlags & { terminate?: true }) =>
      withFleet(flags, async (session) => {
        const { bucket, debug: isDebug = false, terminate = false } = flags;
        process.exitCode = await runAsLeader({ name, bucket, isDebug }, program, terminate, session);
      }),
    );
}

function fileCommand(): Command {
  return new Command("file")
    .description("Have a file there while the election is won, until interrupted.")
    .argument("<file>", "the file, which is removed when leadership is lost")
    .argument("[name]", "name of the election")
    .option("--check", "end with 0 where the file says that the election is won here, else with 1")
    .addHelpText(
      "after",
      "\nExamples:\n  choria election file /run/leader CRON\n  choria election file /run/leader --check",
    )
    .action((file: string, name: string | undefined, flags: BucketFlags & { check?: true }) => {
      if (flags.check) {
        process.exitCode = isFile(file) ? 0 : 1;
        return undefined;
      }
      if (name === undefined) throw new Error("Which election? Give its name after the file");
      const { bucket, debug: isDebug = false } = flags;
      return withFleet(flags, (session) => keepFile({ name, bucket, isDebug }, file, session));
    });
}

function infoCommand(): Command {
  return new Command("info")
    .aliases(["view", "i", "ls", "list"])
    .description("Show who leads what.")
    .argument("[election]", "one election")
    .addHelpText("after", "\nExample:\n  choria election info")
    .action((name: string | undefined, flags: BucketFlags) =>
      withStreams(flags, async ({ manager, terminal }) => {
        const info = await bucketInfo(manager, flags.bucket, name);
        const claims = await claimsOf(manager, flags.bucket, info);
        const rows: ReportRow[] = [
          ["Created", `${shortTime(new Date(info.created))} +0000`],
          ["Storage", info.config.storage === "memory" ? "Memory" : "File"],
          ["Maximum Time", formatDuration(info.config.max_age / 1e6)],
          ["Replicas", String(info.config.num_replicas)],
          ["Elections", String(claims.length)],
        ];
        const table = claims.length === 0 ? "" : `\n${claimsTable(flags.bucket, claims, Date.now())}\n`;
        const title = `Election bucket information for ${flags.bucket}`;
        terminal.out.write(`${formatReport(title, [{ rows }])}${table}`);
      }),
    );
}

async function bucketInfo(manager: JetStreamManager, bucket: string, name = ">"): Promise<StreamInfo> {
  const filter = { subjects_filter: `$KV.${bucket}.${name}` };
  const info = await findStream(manager, bucketStreamName(bucket), filter);
  if (info === undefined) throw new Error(`election bucket ${bucket} not found`);
  return info;
}

async function claimsOf(manager: JetStreamManager, bucket: string, { state }: StreamInfo): Promise<StoredMessage[]> {
  const subjects = Object.keys(state.subjects ?? {}).sort();
  const claims = await Promise.all(
    subjects.map((subject) => readMessage(manager, bucketStreamName(bucket), { last_by_subj: subject })),
  );
  return claims.filter((claim) => claim !== undefined).filter(({ data }) => data.length > 0);
}

function claimsTable(bucket: string, claims: readonly StoredMessage[], now: number): string {
  const rows = claims.map(({ subject, data, sequence, time }) => [
    subject.slice(`$KV.${bucket}.`.length),
    showUtf8(data),
    sequence,
    formatSpan(now - Date.parse(time)),
  ]);
  return formatTable({ head: ["Election", "Leader", "Sequence", "Last Claim"], rows });
}

function evictCommand(): Command {
  return new Command("evict")
    .description("Take leadership from whoever has it; the next election is open to all.")
    .argument("<election>", "name of the election")
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria election evict CRON -f")
    .action((name: string, flags: BucketFlags & { force?: true }) => {
      // A wildcard would take every leader of the bucket.
      if (/[*>\s]/.test(name)) throw new Error(`Cannot evict from "${name}": name one election`);
      return withStreams(flags, async ({ manager, terminal }) => {
        const { bucket } = flags;
        const info = await bucketInfo(manager, bucket, name);
        if ((await claimsOf(manager, bucket, info)).length === 0) throw new Error(`election ${name} has no leader`);
        if (!(await confirmed(`Really evict the leader from election ${name}`, flags.force))) return;
        // What is purged leaves nothing that a new claim would have to follow.
        await manager.streams.purge(bucketStreamName(bucket), { filter: `$KV.${bucket}.${name}` } as {
          filter: string;
          seq: number;
        });
        terminal.out.write(`Evicted the leader from election ${name} in bucket ${bucket}\n`);
      });
    });
}
