import { JetStreamApiError } from "@nats-io/jetstream";
import { Command } from "commander";
import { type BrokerFlags, type StreamSession, withBrokerStreams } from "../session.ts";
import { span, whole } from "../stream/flags.ts";
import { CheckOutcome } from "./check_result.ts";
import { type CheckFlags, conclude, example } from "./check_run.ts";

interface StreamLimits {
  stream: string;
  msgsWarn?: number;
  msgsCritical?: number;
  lagCritical?: number;
  seenCritical?: number;
  minSources?: number;
  maxSources?: number;
  peerExpect?: number;
  peerLagCritical?: number;
  peerSeenCritical?: number;
}

/** `choria broker server check stream`. */
export function streamCheck(): Command {
  return new Command("stream")
    .description("Check a stream: its messages, its origins, its copies.")
    .requiredOption("--stream <name>", "name of the stream")
    .option("--msgs-warn <count>", "fewest messages without a warning", whole)
    .option("--msgs-critical <count>", "fewest messages", whole)
    .option("--lag-critical <count>", "most messages that an origin is ahead", whole)
    .option("--seen-critical <duration>", "longest silence of an origin", span)
    .option("--min-sources <count>", "fewest origins", whole)
    .option("--max-sources <count>", "most origins", whole)
    .option("--peer-expect <count>", "how many brokers keep a copy", whole)
    .option("--peer-lag-critical <count>", "most operations that a copy is behind", whole)
    .option("--peer-seen-critical <duration>", "longest silence of a copy", span)
    .addHelpText("after", example("stream", "--stream CHORIA_EVENTS --msgs-warn 1"))
    .action((_flags: BrokerFlags, command: Command) => {
      const flags = command.optsWithGlobals<CheckFlags & StreamLimits>();
      const outcome = new CheckOutcome(flags.stream);
      return conclude("stream", outcome, command, () =>
        withBrokerStreams(flags, (session) => checkStream(outcome, flags, session)),
      );
    });
}

async function checkStream(outcome: CheckOutcome, limits: StreamLimits, { manager }: StreamSession): Promise<void> {
  const { state, mirror, sources = [], cluster } = await manager.streams.info(limits.stream);
  const { msgsWarn, msgsCritical } = limits;
  outcome.figures.push({ name: "messages", value: state.messages, help: "Messages that are stored" });
  if (msgsCritical !== undefined && state.messages < msgsCritical) outcome.criticals.push(`${state.messages} messages`);
  else if (msgsWarn !== undefined && state.messages < msgsWarn) outcome.warnings.push(`${state.messages} messages`);
  const origins = mirror === undefined ? sources : [mirror];
  outcome.figures.push({ name: "sources", value: origins.length, help: "Streams that this one takes in" });
  if (limits.minSources !== undefined && origins.length < limits.minSources) {
    outcome.criticals.push(`${origins.length} sources`);
  }
  if (limits.maxSources !== undefined && origins.length > limits.maxSources) {
    outcome.criticals.push(`${origins.length} sources`);
  }
  for (const { name, lag, active } of origins) {
    if (limits.lagCritical !== undefined && lag > limits.lagCritical) outcome.criticals.push(`${name} lag ${lag}`);
    if (limits.seenCritical !== undefined && (active < 0 || active / 1e6 > limits.seenCritical)) {
      outcome.criticals.push(`${name} was not seen for too long`);
    }
  }
  const peers = cluster?.replicas ?? [];
  const copies = peers.length + 1;
  if (limits.peerExpect !== undefined && copies !== limits.peerExpect) {
    outcome.criticals.push(`${copies} copies of ${limits.peerExpect} expected`);
  }
  for (const { name, lag = 0, active, offline } of peers) {
    if (offline) outcome.criticals.push(`${name} is offline`);
    if (limits.peerLagCritical !== undefined && lag > limits.peerLagCritical)
      outcome.criticals.push(`${name} lag ${lag}`);
    if (limits.peerSeenCritical !== undefined && active / 1e6 > limits.peerSeenCritical) {
      outcome.criticals.push(`${name} was not seen for too long`);
    }
  }
  if (outcome.code === 0) outcome.ok.push(`${state.messages} messages`, `${origins.length} sources`);
}

interface JetstreamLimits {
  memWarn: number;
  memCritical: number;
  storeWarn: number;
  storeCritical: number;
}

/** `choria broker server check jetstream`. */
export function jetstreamCheck(): Command {
  return new Command("jetstream")
    .alias("js")
    .description("Check how much of what it may store an account stores.")
    .option("--mem-warn <percent>", "share of memory without a warning", whole, 75)
    .option("--mem-critical <percent>", "share of memory", whole, 90)
    .option("--store-warn <percent>", "share of storage without a warning", whole, 75)
    .option("--store-critical <percent>", "share of storage", whole, 90)
    .addHelpText("after", example("jetstream", "--store-warn 60 --store-critical 80"))
    .action((_flags: BrokerFlags, command: Command) => {
      const flags = command.optsWithGlobals<CheckFlags & JetstreamLimits>();
      const outcome = new CheckOutcome("JetStream");
      return conclude("jetstream", outcome, command, () =>
        withBrokerStreams(flags, async ({ manager }) => {
          const { memory, storage, streams, consumers, limits } = await manager.getAccountInfo();
          const share = (used: number, most: number) => (most > 0 ? Math.round((used / most) * 100) : 0);
          const figure = (name: string, value: number, help: string, unit = "") =>
            outcome.figures.push({ name, value, help, unit });
          figure("memory", memory, "Memory in use", "B");
          outcome.measure({
            name: "memory_pct",
            value: share(memory, limits.max_memory),
            unit: "%",
            warning: flags.memWarn,
            critical: flags.memCritical,
            help: "Share of memory in use",
          });
          figure("storage", storage, "Storage in use", "B");
          outcome.measure({
            name: "storage_pct",
            value: share(storage, limits.max_storage),
            unit: "%",
            warning: flags.storeWarn,
            critical: flags.storeCritical,
            help: "Share of storage in use",
          });
          figure("streams", streams, "Streams");
          figure("consumers", consumers, "Consumers");
        }),
      );
    });
}

interface KvLimits {
  bucket: string;
  valuesWarn?: number;
  valuesCritical?: number;
  key?: string;
}

/** `choria broker server check kv`. */
export function kvCheck(): Command {
  return new Command("kv")
    .description("Check a bucket: its values, and that it has a key.")
    .requiredOption("--bucket <name>", "name of the bucket")
    .option("--values-warn <count>", "values without a warning", whole)
    .option("--values-critical <count>", "values", whole)
    .option("--key <key>", "a key that must have a value")
    .addHelpText("after", example("kv", "--bucket SETTINGS --key colour"))
    .action((_flags: BrokerFlags, command: Command) => {
      const flags = command.optsWithGlobals<CheckFlags & KvLimits>();
      const outcome = new CheckOutcome(flags.bucket);
      return conclude("kv", outcome, command, () =>
        withBrokerStreams(flags, (session) => checkBucket(outcome, flags, session)),
      );
    });
}

async function checkBucket(outcome: CheckOutcome, flags: KvLimits, { manager }: StreamSession): Promise<void> {
  const stream = `KV_${flags.bucket}`;
  const { state, config } = await manager.streams.info(stream).catch((error) => {
    if (!(error instanceof JetStreamApiError)) throw error;
    throw new Error(`bucket ${flags.bucket} not found`, { cause: error });
  });
  outcome.ok.push(`bucket ${flags.bucket}`);
  outcome.measure({
    name: "values",
    value: state.messages,
    help: "Values",
    ...(flags.valuesWarn === undefined ? {} : { warning: flags.valuesWarn }),
    ...(flags.valuesCritical === undefined ? {} : { critical: flags.valuesCritical }),
  });
  outcome.figures.push({ name: "bytes", value: state.bytes, unit: "B", help: "Bytes" });
  outcome.figures.push({ name: "replicas", value: config.num_replicas, help: "Copies" });
  if (flags.key === undefined) return;
  const found = await manager.streams.getMessage(stream, { last_by_subj: `$KV.${flags.bucket}.${flags.key}` });
  const operation = found?.header.get("KV-Operation") ?? "";
  if (found === null || operation !== "") outcome.criticals.push(`key ${flags.key} not found`);
  else outcome.ok.push(`key ${flags.key} found`);
}
