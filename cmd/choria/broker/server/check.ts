import { JetStreamApiError } from "@nats-io/jetstream";
import { Command, Option } from "commander";
import { askBrokers } from "../../../../lib/monitor/mod.ts";
import { errorText, writeFileAtomic } from "../../../../lib/std/mod.ts";
import type { ClientSession } from "../../client/open.ts";
import { addBrokerFlags, type BrokerFlags, type StreamSession, withBrokerStreams, withSystem } from "../session.ts";
import { span, whole } from "../stream/flags.ts";
import { CheckOutcome, checkFormats, formatOutcome } from "./check_result.ts";
import { brokerId } from "./info.ts";

interface CheckFlags extends BrokerFlags {
  format: (typeof checkFormats)[number];
  outfile?: string;
}

/** `choria broker server check`: for monitoring systems. */
export function checkCommand(): Command {
  const check = new Command("check")
    .description("Check brokers and streams for a monitoring system: ends with 0, 1 for a warning, 2 when critical.")
    .addOption(new Option("--format <format>", "how to write the result").choices(checkFormats).default("nagios"))
    .option("--outfile <file>", "write the result to a file")
    .addHelpText("after", "\nExample:\n  choria broker server check stream --stream CHORIA_EVENTS --msgs-warn 1");
  for (const part of [connectionCheck(), streamCheck(), jetstreamCheck(), serverCheck(), kvCheck()]) {
    check.addCommand(addBrokerFlags(part));
  }
  return check;
}

function example(kind: string, flags: string): string {
  return `\nExample:\n  choria broker server check ${kind} ${flags}`;
}

/** Check something, write what was found, and end by it; what goes wrong is critical. */
async function conclude(
  kind: string,
  outcome: CheckOutcome,
  command: Command,
  work: () => Promise<void>,
): Promise<void> {
  const { format, outfile } = command.optsWithGlobals<CheckFlags>();
  try {
    await work();
  } catch (error) {
    outcome.criticals.push(`Check failed: ${errorText(error)}`);
  }
  const text = `${formatOutcome(outcome, kind, format)}\n`;
  if (outfile === undefined) process.stdout.write(text);
  else writeFileAtomic(outfile, text);
  process.exitCode = outcome.code;
}

interface ConnectionLimits {
  rttWarn: number;
  rttCritical: number;
  reqWarn: number;
  reqCritical: number;
  connectWarn: number;
  connectCritical: number;
}

function connectionCheck(): Command {
  return new Command("connection")
    .alias("conn")
    .description("Check that a client can connect, and how fast its broker answers.")
    .option("--connect-warn <duration>", "longest time to connect without a warning", span, 500)
    .option("--connect-critical <duration>", "longest time to connect", span, 1_000)
    .option("--rtt-warn <duration>", "longest answer to a ping without a warning", span, 500)
    .option("--rtt-critical <duration>", "longest answer to a ping", span, 1_000)
    .option("--req-warn <duration>", "longest round trip of a message without a warning", span, 500)
    .option("--req-critical <duration>", "longest round trip of a message", span, 1_000)
    .addHelpText("after", example("connection", "--rtt-critical 100ms"))
    .action((_flags: BrokerFlags, command: Command) => {
      const flags = command.optsWithGlobals<CheckFlags & ConnectionLimits>();
      const outcome = new CheckOutcome("Connection");
      const start = performance.now();
      return conclude("connection", outcome, command, () =>
        withBrokerStreams(flags, async ({ fleet }) => {
          const connected = performance.now() - start;
          const rtt = await fleet.connection.nats.rtt();
          const trip = await roundTrip(fleet.connection);
          outcome.ok.push(`connected to ${fleet.connection.server}`);
          const timed = (name: string, value: number, warning: number, critical: number, help: string) =>
            outcome.measure({
              name,
              value: seconds(value),
              unit: "s",
              warning: seconds(warning),
              critical: seconds(critical),
              help,
            });
          timed("connect_time", connected, flags.connectWarn, flags.connectCritical, "Time taken to connect");
          timed("rtt", rtt, flags.rttWarn, flags.rttCritical, "Time that a ping took");
          timed("request_time", trip, flags.reqWarn, flags.reqCritical, "Time that a message took there and back");
        }),
      );
    });
}

async function roundTrip(connection: ClientSession["fleet"]["connection"]): Promise<number> {
  const inbox = connection.newInbox();
  const { promise, resolve } = Promise.withResolvers<void>();
  const subscription = connection.subscribe(inbox, () => resolve());
  const start = performance.now();
  connection.publish(inbox, new Uint8Array());
  await promise;
  subscription.unsubscribe();
  return performance.now() - start;
}

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

function streamCheck(): Command {
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

function jetstreamCheck(): Command {
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

interface ServerLimits {
  name?: string;
  cpuWarn?: number;
  cpuCritical?: number;
  connWarn?: number;
  connCritical?: number;
  subsWarn?: number;
  subsCritical?: number;
  uptimeWarn?: number;
  uptimeCritical?: number;
}

function serverCheck(): Command {
  return new Command("server")
    .alias("srv")
    .description("Check the figures of a broker.")
    .option("--name <name>", "name or id of the broker; may be left out where there is one")
    .option("--cpu-warn <percent>", "use of processors without a warning", whole)
    .option("--cpu-critical <percent>", "use of processors", whole)
    .option("--conn-warn <count>", "connections without a warning", whole)
    .option("--conn-critical <count>", "connections", whole)
    .option("--subs-warn <count>", "subscriptions without a warning", whole)
    .option("--subs-critical <count>", "subscriptions", whole)
    .option("--uptime-warn <duration>", "shortest time since the start without a warning", span)
    .option("--uptime-critical <duration>", "shortest time since the start", span)
    .addHelpText("after", example("server", "--name broker.example.net --conn-critical 10000"))
    .action((_flags: BrokerFlags, command: Command) => {
      const flags = command.optsWithGlobals<CheckFlags & ServerLimits>();
      const outcome = new CheckOutcome(flags.name ?? "broker");
      return conclude("server", outcome, command, () =>
        withSystem(command, flags, (session) => checkServer(outcome, flags, session)),
      );
    });
}

async function checkServer(outcome: CheckOutcome, limits: ServerLimits, session: ClientSession): Promise<void> {
  const id = await brokerId(limits.name, session);
  const [answer] = await askBrokers(session.fleet.connection, "VARZ", { id, signal: session.signal });
  if (answer === undefined) throw new Error("the broker does not answer");
  const { data } = answer;
  const measure = (name: string, value: number, unit: string, help: string, warning?: number, critical?: number) =>
    outcome.measure({
      name,
      value,
      unit,
      help,
      ...(warning === undefined ? {} : { warning }),
      ...(critical === undefined ? {} : { critical }),
    });
  const uptime = seconds(Date.now() - data.time("start"));
  outcome.figures.push({ name: "uptime", value: uptime, unit: "s", help: "Time since the start" });
  const isYounger = (limit: number | undefined) => limit !== undefined && uptime < seconds(limit);
  if (isYounger(limits.uptimeCritical)) outcome.criticals.push(`Up for ${uptime}s`);
  else if (isYounger(limits.uptimeWarn)) outcome.warnings.push(`Up for ${uptime}s`);
  measure("cpu", data.number("cpu"), "%", "Use of processors", limits.cpuWarn, limits.cpuCritical);
  measure("mem", data.number("mem"), "", "Memory in use");
  measure("connections", data.number("connections"), "", "Connections", limits.connWarn, limits.connCritical);
  measure("subscriptions", data.number("subscriptions"), "", "Subscriptions", limits.subsWarn, limits.subsCritical);
}

interface KvLimits {
  bucket: string;
  valuesWarn?: number;
  valuesCritical?: number;
  key?: string;
}

function kvCheck(): Command {
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

function seconds(ms: number): number {
  return Math.round(ms * 10) / 10_000;
}
