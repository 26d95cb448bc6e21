import type { ConsumerConfig, ConsumerInfo } from "@nats-io/jetstream";
import { Command } from "commander";
import { terminalQuestions } from "../../../../lib/cli/mod.ts";
import { goJson, parseDuration, writeFileAtomic } from "../../../../lib/std/mod.ts";
import { differences } from "../../../../lib/streams/mod.ts";
import { agreeToChanges } from "../changes.ts";
import { readDefinition, withoutNotes } from "../definition.ts";
import {
  addBrokerFlags,
  type BrokerFlags,
  confirmed,
  type StreamSession,
  withBrokerStreams,
  writeJson,
} from "../session.ts";
import { localTime } from "../stream/info.ts";
import { pickStream } from "../stream/pick.ts";
import { nameProblem, noQuestions, type Questions, terminalOrFail } from "../stream/questions.ts";
import { addConsumerFlags, askForConsumer, type ConsumerFlags, consumerSettings } from "./flags.ts";
import { infoDocument, infoText } from "./info.ts";
import { pickConsumer } from "./pick.ts";

interface ChangeFlags extends BrokerFlags, ConsumerFlags {
  config?: string;
  output?: string;
  defaults?: true;
  force?: true;
  dryRun?: true;
  json?: true;
}

/** `choria broker consumer add`. */
export function addCommand(): Command {
  const add = new Command("add")
    .aliases(["create", "new"])
    .description("Make a consumer. Whatever is not said by flags is asked for.")
    .argument("[stream]", "name of the stream")
    .argument("[consumer]", "name of the consumer");
  return addBrokerFlags(addConsumerFlags(add))
    .option("--config <file>", "take the configuration from a file in JSON")
    .option("--output <file>", "write the configuration to a file, and make nothing")
    .option("--defaults", "ask nothing, and take the defaults")
    .option("-j, --json", "write one JSON document")
    .addHelpText(
      "after",
      "\nExample:\n  choria broker consumer add ORDERS BILLING --pull --filter 'orders.new' --defaults",
    )
    .action((stream: string | undefined, name: string | undefined, _flags: ChangeFlags, command: Command) => {
      const flags = command.opts<ChangeFlags>();
      return withBrokerStreams(flags, async (session) => {
        const { config } = await pickStream(session, stream);
        const definition = await definitionOf(name, flags, command);
        if (flags.output !== undefined) return writeFileAtomic(flags.output, `${goJson(definition, 2)}\n`);
        show(await session.manager.consumers.add(config.name, definition), flags, session);
      });
    });
}

async function definitionOf(name: string | undefined, flags: ChangeFlags, command: Command): Promise<ConsumerConfig> {
  const now = Date.now();
  const base = flags.config === undefined ? {} : readDefinition<ConsumerConfig>(flags.config);
  const given = { ...base, ...consumerSettings(command, now) };
  const ask: Questions = flags.defaults || flags.config !== undefined ? noQuestions : terminalOrFail(terminalQuestions);
  const own = name ?? base.durable_name ?? base.name ?? (await ask.text("Consumer name", "", nameProblem));
  const isPull = flags.pull === true || flags.config !== undefined;
  return askForConsumer(own, { isPull, isEphemeral: flags.ephemeral === true, now }, given, ask);
}

function show(info: ConsumerInfo, { json }: { json?: true }, session: StreamSession): void {
  if (json) writeJson(session, infoDocument(info));
  else session.terminal.out.write(infoText(info));
}

/** `choria broker consumer edit`. */
export function editCommand(): Command {
  const edit = new Command("edit")
    .alias("update")
    .description("Change a consumer.")
    .argument("[stream]", "name of the stream")
    .argument("[consumer]", "name of the consumer");
  return addBrokerFlags(addConsumerFlags(edit))
    .option("--config <file>", "take the configuration from a file in JSON")
    .option("-f, --force", "do not ask")
    .option("--dry-run", "show what would change, and change nothing; ends with 1 where something would")
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker consumer edit ORDERS BILLING --max-pending 500")
    .action((stream: string | undefined, name: string | undefined, _flags: ChangeFlags, command: Command) => {
      const flags = command.opts<ChangeFlags>();
      return withBrokerStreams(flags, (session) => change(stream, name, flags, command, session));
    });
}

async function change(
  stream: string | undefined,
  name: string | undefined,
  flags: ChangeFlags,
  command: Command,
  session: StreamSession,
): Promise<void> {
  const info = await pickConsumer(session, stream, name);
  const base = flags.config === undefined ? {} : readDefinition<ConsumerConfig>(flags.config);
  const next = { ...info.config, ...base, ...consumerSettings(command, Date.now()) };
  const question = `Really edit Consumer ${info.stream_name} > ${info.name}`;
  if (!(await agreeToChanges(question, differences(info.config, next), flags, session))) return;
  show(await session.manager.consumers.update(info.stream_name, info.name, next), flags, session);
}

/** `choria broker consumer copy`. */
export function copyCommand(): Command {
  const copy = new Command("copy")
    .alias("cp")
    .description("Make a consumer like another one.")
    .argument("<stream>", "name of the stream")
    .argument("<source>", "the other consumer")
    .argument("<destination>", "name of the new one");
  return addBrokerFlags(addConsumerFlags(copy))
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker consumer copy ORDERS BILLING SHIPPING --filter 'orders.paid'")
    .action((stream: string, source: string, name: string, _flags: ChangeFlags, command: Command) => {
      const flags = command.opts<ChangeFlags>();
      return withBrokerStreams(flags, async (session) => {
        const { config } = await session.manager.consumers.info(stream, source);
        const { pause_until: _pause, ...rest } = withoutNotes(config);
        const definition = { ...rest, ...consumerSettings(command, Date.now()) };
        const named = config.durable_name === undefined ? { name } : { name, durable_name: name };
        show(await session.manager.consumers.add(stream, { ...definition, ...named }), flags, session);
      });
    });
}

/** `choria broker consumer rm`. */
export function removeCommand(): Command {
  const remove = new Command("rm").aliases(["delete", "del"]).description("Delete a consumer.");
  return addBrokerFlags(
    remove.argument("[stream]", "name of the stream").argument("[consumer]", "name of the consumer"),
  )
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria broker consumer rm ORDERS BILLING -f")
    .action((stream: string | undefined, name: string | undefined, flags: BrokerFlags & { force?: true }) =>
      withBrokerStreams(flags, async (session) => {
        const info = await pickConsumer(session, stream, name);
        if (!(await confirmed(`Really delete Consumer ${info.stream_name} > ${info.name}`, flags.force))) return;
        await session.manager.consumers.delete(info.stream_name, info.name);
      }),
    );
}

/** `choria broker consumer pause`. */
export function pauseCommand(): Command {
  const pause = new Command("pause").description("Have a consumer deliver nothing for some time.");
  pause
    .argument("<stream>", "name of the stream")
    .argument("<consumer>", "name of the consumer")
    .argument("<until>", "for how long, as 1h, or until when, as 2026-12-24 18:00:00");
  return addBrokerFlags(pause)
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria broker consumer pause ORDERS BILLING 2h -f")
    .action((stream: string, name: string, until: string, flags: BrokerFlags & { force?: true }) => {
      const end = endOf(until, Date.now());
      return withBrokerStreams(flags, async ({ manager, terminal }) => {
        if (!(await confirmed(`Really pause Consumer ${stream} > ${name}`, flags.force))) return;
        await manager.consumers.pause(stream, name, end);
        terminal.out.write(`Paused ${stream} > ${name} until ${localTime(end.toISOString())}\n`);
      });
    });
}

/**
 * A time that is given as such, or as the duration up to it.
 * @throws {SyntaxError} when it is neither.
 */
function endOf(text: string, now: number): Date {
  const at = /^\d{4}-/.test(text) ? Date.parse(text) : now + parseDuration(text);
  if (Number.isNaN(at))
    throw new SyntaxError(`Cannot read the time "${text}": use a duration as 1h, or a time as 2026-12-24 18:00:00`);
  return new Date(at);
}

/** `choria broker consumer resume`. */
export function resumeCommand(): Command {
  const resume = new Command("resume").description("Have a consumer deliver again before its pause is over.");
  return addBrokerFlags(
    resume.argument("<stream>", "name of the stream").argument("<consumer>", "name of the consumer"),
  )
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria broker consumer resume ORDERS BILLING -f")
    .action((stream: string, name: string, flags: BrokerFlags & { force?: true }) =>
      withBrokerStreams(flags, async ({ manager, terminal }) => {
        const { paused, config } = await manager.consumers.info(stream, name);
        if (!paused) throw new Error(`Consumer ${stream} > ${name} is not paused`);
        if (!(await confirmed(`Really resume Consumer ${stream} > ${name}`, flags.force))) return;
        await manager.consumers.resume(stream, name);
        const until = localTime(config.pause_until ?? "");
        terminal.out.write(`Consumer ${stream} > ${name} was resumed while previously paused until ${until}\n`);
      }),
    );
}
