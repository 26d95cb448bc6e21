import type { AckPolicy, ConsumerConfig, DeliverPolicy, ReplayPolicy } from "@nats-io/jetstream";
import { type Command, Option } from "commander";
import { formatRfc3339, parseDuration } from "../../../../lib/std/mod.ts";
import { gather, parsePairs } from "../../client/filters.ts";
import { size, span, toggle, whole } from "../stream/flags.ts";
import { countProblem, type Questions } from "../stream/questions.ts";

/** Flags that say what a consumer is like. */
export interface ConsumerFlags {
  ack?: AckPolicy;
  deliver?: string;
  deliverGroup?: string;
  description?: string;
  ephemeral?: true;
  filter: string[];
  flowControl?: true;
  heartbeat?: number;
  headersOnly?: boolean;
  maxDeliver?: number;
  maxPending?: number;
  maxWaiting?: number;
  maxPullBatch?: number;
  maxPullExpire?: number;
  maxPullBytes?: number;
  pull?: true;
  replay?: ReplayPolicy;
  sample?: number;
  target?: string;
  wait?: number;
  inactiveThreshold?: number;
  memory?: true;
  replicas?: number;
  metadata: string[];
}

/** Add the flags of {@link ConsumerFlags}. */
export function addConsumerFlags(command: Command): Command {
  command
    .addOption(new Option("--ack <policy>", "what has to be confirmed").choices(["none", "all", "explicit"]))
    .option("--deliver <where>", "where to begin: all, new, last, subject, a sequence, or a duration as 1h")
    .option("--deliver-group <name>", "share messages that are pushed among those of a group")
    .option("--description <text>", "what the consumer is for")
    .option("--ephemeral", "one that goes with those who use it")
    .option("--filter <subject>", "messages of a subject only; may be repeated", gather, [])
    .option("--flow-control", "push no faster than is taken")
    .option("--heartbeat <duration>", "tell those who wait that nothing came", span);
  toggle(command, "headers-only", "deliver headers without messages");
  return command
    .option("--max-deliver <count>", "most deliveries of a message; -1 for any", whole)
    .option("--max-pending <count>", "most messages that wait for confirmation", whole)
    .option("--max-waiting <count>", "most pulls that wait", whole)
    .option("--max-pull-batch <count>", "most messages of a pull", whole)
    .option("--max-pull-expire <duration>", "longest wait of a pull", span)
    .option("--max-pull-bytes <size>", "most bytes of a pull", size)
    .option("--pull", "messages are asked for")
    .addOption(new Option("--replay <policy>", "how fast old messages come").choices(["instant", "original"]))
    .option("--sample <percent>", "share of confirmations that are reported", whole)
    .option("--target <subject>", "messages are pushed to this subject")
    .option("--wait <duration>", "how long a confirmation is waited for", span)
    .option("--inactive-threshold <duration>", "how long it stays when nobody uses it", span)
    .option("--memory", "keep its state in memory")
    .option("--replicas <count>", "how many brokers keep its state", whole)
    .option("--metadata <key=value>", "a note for programs; may be repeated", gather, []);
}

const nanosPerMs = 1_000_000;

/** The part of a consumer's configuration that flags speak of. */
export function consumerSettings(command: Command, now: number): Partial<ConsumerConfig> {
  const flags = command.opts<ConsumerFlags>();
  const given = command.getOptionValueSource("headersOnly") === "cli";
  const nanos = (key: string, ms: number | undefined) => some(key, ms === undefined ? undefined : ms * nanosPerMs);
  return {
    ...some("ack_policy", flags.ack),
    ...some("deliver_group", flags.deliverGroup),
    ...some("description", flags.description),
    ...some("flow_control", flags.flowControl),
    ...nanos("idle_heartbeat", flags.heartbeat !== undefined && flags.heartbeat > 0 ? flags.heartbeat : undefined),
    ...some("headers_only", given ? flags.headersOnly : undefined),
    ...some("max_deliver", flags.maxDeliver),
    ...some("max_ack_pending", flags.maxPending),
    ...some("max_waiting", flags.maxWaiting),
    ...some("max_batch", flags.maxPullBatch),
    ...nanos("max_expires", flags.maxPullExpire),
    ...some("max_bytes", flags.maxPullBytes),
    ...some("replay_policy", flags.replay),
    ...some("sample_freq", flags.sample !== undefined && flags.sample > 0 ? `${flags.sample}` : undefined),
    ...some("deliver_subject", flags.target),
    ...nanos("ack_wait", flags.wait !== undefined && flags.wait > 0 ? flags.wait : undefined),
    ...nanos("inactive_threshold", flags.inactiveThreshold),
    ...some("mem_storage", flags.memory),
    ...some("num_replicas", flags.replicas),
    ...some("metadata", flags.metadata.length === 0 ? undefined : parsePairs(flags.metadata)),
    ...filterSettings(flags.filter),
    ...(flags.deliver === undefined ? {} : startSettings(flags.deliver, now)),
  };
}

function some(key: string, value: unknown): object {
  return value === undefined ? {} : { [key]: value };
}

/** One subject and several of them stand under different keys. */
function filterSettings(subjects: readonly string[]): Partial<ConsumerConfig> {
  const [only, ...more] = subjects;
  if (only === undefined) return {};
  return more.length === 0 ? { filter_subject: only } : { filter_subjects: [...subjects] };
}

const starts: Readonly<Record<string, DeliverPolicy>> = {
  all: "all",
  first: "all",
  new: "new",
  next: "new",
  last: "last",
  subject: "last_per_subject",
};

/**
 * Where a consumer begins.
 * @throws {SyntaxError} when the text says nothing like that.
 */
function startSettings(text: string, now: number): Partial<ConsumerConfig> {
  const word = text.toLowerCase();
  const policy = Object.hasOwn(starts, word) ? starts[word] : undefined;
  if (policy !== undefined) return { deliver_policy: policy };
  if (/^\d+$/.test(text)) return { deliver_policy: "by_start_sequence", opt_start_seq: Number(text) };
  return { deliver_policy: "by_start_time", opt_start_time: formatRfc3339(now - parseDuration(text)) };
}

/** What everybody means who says nothing. */
const defaults: Pick<ConsumerConfig, "ack_policy" | "deliver_policy" | "replay_policy"> = {
  ack_policy: "explicit",
  deliver_policy: "all",
  replay_policy: "instant",
};

/**
 * A new consumer: what flags say, and answers to the rest, in the order that people know.
 *
 * @param isPull Whether flags say that messages are asked for.
 */
export async function askForConsumer(
  name: string,
  { isPull, isEphemeral, now }: { isPull: boolean; isEphemeral: boolean; now: number },
  given: Partial<ConsumerConfig>,
  ask: Questions,
): Promise<ConsumerConfig> {
  const settings = { ...given };
  if (settings.deliver_subject === undefined && !isPull) {
    const target = await ask.text("Delivery target (empty for Pull Consumers)", "", () => undefined);
    if (target !== "") settings.deliver_subject = target;
  }
  if (settings.deliver_policy === undefined) {
    const start = await ask.text("Start policy (all, new, last, subject, 1h, msg sequence)", "all", (answer) =>
      startProblem(answer, now),
    );
    Object.assign(settings, startSettings(start, now));
  }
  const isPushed = settings.deliver_subject !== undefined;
  const fallback = isPushed ? "none" : "explicit";
  settings.ack_policy ??= ackOf(await ask.choose("Acknowledgment policy", ["explicit", "all", "none"], fallback));
  settings.replay_policy ??=
    (await ask.choose("Replay policy", ["instant", "original"], "instant")) === "original" ? "original" : "instant";
  if (settings.filter_subject === undefined && settings.filter_subjects === undefined) {
    const filters = await ask.text("Filter Stream by subjects (blank for all)", "", () => undefined);
    Object.assign(settings, filterSettings(filters.split(/[\s,]+/).filter(Boolean)));
  }
  const needsAck = settings.ack_policy !== "none";
  if (needsAck) settings.max_deliver ??= Number(await ask.text("Maximum Allowed Deliveries", "-1", countProblem));
  if (needsAck)
    settings.max_ack_pending ??= Number(await ask.text("Maximum Acknowledgments Pending", "0", countProblem));
  settings.headers_only ??= await ask.confirm("Deliver headers only without bodies", false);
  return { ...defaults, ...settings, ...(isEphemeral ? { name } : { name, durable_name: name }) };
}

function ackOf(word: string): AckPolicy {
  return word === "all" || word === "none" ? word : "explicit";
}

function startProblem(answer: string, now: number): string | undefined {
  try {
    startSettings(answer, now);
    return undefined;
  } catch {
    return "use all, new, last, subject, a sequence or a duration as 1h";
  }
}
