import { Command, Option } from "commander";
import type { Connection } from "../../../../lib/connector/mod.ts";
import { askBrokers } from "../../../../lib/monitor/mod.ts";
import type { ClientSession } from "../../client/open.ts";
import { addBrokerFlags, type BrokerFlags, withBrokerStreams, withSystem } from "../session.ts";
import { span, whole } from "../stream/flags.ts";
import { CheckOutcome, checkFormats } from "./check_result.ts";
import { type CheckFlags, conclude, example, seconds } from "./check_run.ts";
import { jetstreamCheck, kvCheck, streamCheck } from "./check_streams.ts";
import { brokerId } from "./info.ts";

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
          const patience = Math.max(shortestPatience, flags.rttCritical, flags.reqCritical);
          const rtt = await within(patience, "answer to a ping", fleet.connection.nats.rtt());
          const trip = await roundTrip(fleet.connection, patience);
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

/** What takes longer than its threshold is waited for, to be told how long it took, but not for ever; in milliseconds. */
const shortestPatience = 5_000;

/**
 * Send a message to oneself.
 *
 * @returns how long it took, in milliseconds.
 * @throws {Error} when it has not come back after `patience` milliseconds.
 */
export async function roundTrip(
  connection: Pick<Connection, "newInbox" | "subscribe" | "publish">,
  patience: number,
): Promise<number> {
  const inbox = connection.newInbox();
  const { promise, resolve } = Promise.withResolvers<void>();
  const subscription = connection.subscribe(inbox, () => resolve());
  const start = performance.now();
  try {
    connection.publish(inbox, new Uint8Array());
    await within(patience, "message to itself", promise);
    return performance.now() - start;
  } finally {
    subscription.unsubscribe();
  }
}

async function within<T>(patience: number, what: string, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no ${what} came back within ${seconds(patience)} s`)), patience);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
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
