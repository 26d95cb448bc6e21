import { Command } from "@commander-js/extra-typings";
import { askApi, parseDelivery, parseReplicatorDuration } from "../../lib/replicator/mod.ts";
import { formatDuration, isObject, type JsonObject, parseObject } from "../../lib/std/mod.ts";
import { connectContext } from "./connect.ts";

interface AdvisoryFlags {
  since: string;
  follow?: true | undefined;
  context?: string | undefined;
  choriaSeed?: string | undefined;
  choriaToken?: string | undefined;
  choriaCollective: string;
}

/** `admin advisories`: what was told of values, from the stream that keeps it. */
export function advisoriesCommand() {
  return new Command("advisories")
    .alias("adv")
    .description("Show the advisories that a stream keeps")
    .argument("<stream>", "stream that keeps advisories")
    .argument("[value]", "show those of this value alone")
    .option("--since <duration>", "how far to go back", "1m")
    .option("-f, --follow", "go on with new ones")
    .option("--context <name>", "context of the nats command line")
    .option("--choria-seed <file>", "seed of a Choria login")
    .option("--choria-token <file>", "token of a Choria login")
    .option("--choria-collective <name>", "collective of a Choria login", "choria")
    .addHelpText(
      "after",
      `
Examples:
  stream-replicator admin advisories CHORIA_ADVISORIES --since 1h
  stream-replicator admin advisories CHORIA_ADVISORIES node1.example.net --since 1d --follow`,
    )
    .action(show);
}

async function show(stream: string, value: string | undefined, flags: AdvisoryFlags): Promise<void> {
  const since = Date.now() - parseReplicatorDuration(flags.since);
  const { connection, newInbox } = await connectContext(flags);
  await using _open = connection;
  const { nats } = connection;
  await askApi(nats, `STREAM.INFO.${stream}`);
  const inbox = newInbox();
  const name = crypto.randomUUID().slice(0, 8);
  const messages = nats.subscribe(inbox);
  const config = {
    name,
    ack_policy: "explicit",
    max_ack_pending: 1,
    deliver_policy: "by_start_time",
    opt_start_time: new Date(since).toISOString(),
    deliver_subject: inbox,
    replay_policy: "instant",
    inactive_threshold: 5_000_000_000,
  };
  const made = await askApi(nats, `CONSUMER.CREATE.${stream}.${name}`, { stream_name: stream, config, action: "" });
  const waiting = Number(made.num_pending ?? 0);
  console.log(
    value === undefined
      ? "Searching for advisories"
      : `Searching ${waiting} messages for advisories related to ${value}`,
  );
  console.log();
  let isQuiet = true;
  const nothing = setTimeout(() => {
    if (isQuiet && flags.follow !== true) messages.unsubscribe();
  }, 1_000);
  for await (const message of messages) {
    isQuiet = false;
    message.respond();
    const advisory = read(message.data);
    if (advisory !== undefined && (value === undefined || advisory.value === value)) console.log(line(advisory));
    if (flags.follow !== true && parseDelivery(message.reply ?? "")?.pending === 0) break;
  }
  clearTimeout(nothing);
  if (isQuiet) throw new Error(`did not find any messages for ${JSON.stringify(value ?? "")}`);
}

function read(data: Uint8Array): JsonObject | undefined {
  try {
    const advisory = parseObject(data);
    return isObject(advisory) && typeof advisory.event === "string" ? advisory : undefined;
  } catch {
    return undefined;
  }
}

function line({ event, value, seen, timestamp, replicator }: JsonObject): string {
  const earlier = formatDuration((Number(timestamp) - Number(seen)) * 1_000);
  const when = localTime(new Date(Number(timestamp) * 1_000));
  return `[${when}] ${String(event).padStart(7)} ${value} seen ${earlier} earlier on ${replicator}`;
}

function localTime(date: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
