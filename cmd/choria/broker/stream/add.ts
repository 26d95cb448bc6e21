import type { StreamConfig, StreamInfo } from "@nats-io/jetstream";
import { Command } from "commander";
import { terminalQuestions } from "../../../../lib/cli/mod.ts";
import { goJson, writeFileAtomic } from "../../../../lib/std/mod.ts";
import {
  checkStream,
  differences,
  newStream,
  type StreamDefinition,
  settingsDocument,
} from "../../../../lib/streams/mod.ts";
import { agreeToChanges } from "../changes.ts";
import { readDefinition, withoutNotes } from "../definition.ts";
import { addBrokerFlags, type BrokerFlags, type StreamSession, withBrokerStreams, writeJson } from "../session.ts";
import { addSettingsFlags, settingsOf } from "./flags.ts";
import { infoDocument, infoText } from "./info.ts";
import { pickStream } from "./pick.ts";
import { askForStream, nameProblem, noQuestions, terminalOrFail } from "./questions.ts";

interface AddFlags extends BrokerFlags {
  config?: string;
  validate?: true;
  output?: string;
  json?: true;
  defaults?: true;
}

interface EditFlags extends BrokerFlags {
  config?: string;
  force?: true;
  dryRun?: true;
  json?: true;
}

const addExamples = `
Examples:
  choria broker stream add ORDERS
  choria broker stream add ORDERS --subjects 'orders.>' --max-age 30d --defaults
  choria broker stream add ORDERS --subjects 'orders.>' --defaults --output orders.json
  choria broker stream add ORDERS --config orders.json`;

/** `choria broker stream add`. */
export function addCommand(): Command {
  const add = new Command("add")
    .aliases(["create", "new"])
    .description("Make a stream. Whatever is not said by flags is asked for.")
    .argument("[stream]", "name of the stream");
  return addBrokerFlags(addSettingsFlags(add))
    .option("--config <file>", "take the configuration from a file in JSON")
    .option("--defaults", "ask nothing, and take the defaults")
    .option("--validate", "say whether the configuration is good, and make nothing")
    .option("--output <file>", "write the configuration to a file, and make nothing")
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", addExamples)
    .action(async (name: string | undefined, _flags: AddFlags, command: Command) => {
      const flags = command.opts<AddFlags>();
      const definition = await definitionOf(name, flags, command);
      const problems = checkStream(definition);
      if (problems.length > 0) throw new Error(`Cannot make the stream ${definition.name}: ${problems.join(", ")}`);
      if (flags.validate) process.stdout.write(`The configuration of ${definition.name} is valid\n`);
      else if (flags.output !== undefined) writeFileAtomic(flags.output, `${goJson(definition, 2)}\n`);
      else await withBrokerStreams(flags, (session) => create(definition, flags.json ?? false, session));
    });
}

async function definitionOf(
  name: string | undefined,
  { config: file, defaults }: AddFlags,
  command: Command,
): Promise<StreamDefinition> {
  const settings = settingsOf(command);
  if (file !== undefined) {
    const base = readDefinition<StreamConfig>(file);
    const own = name ?? base.name;
    if (typeof own !== "string") throw new Error(`${file} names no stream: give a name`);
    return newStream(own, settings, base);
  }
  const ask = defaults ? noQuestions : terminalOrFail(terminalQuestions);
  const chosen = name ?? (await ask.text("Stream Name", "", nameProblem));
  return newStream(chosen, await askForStream(settings, ask));
}

/** Make a stream and show what came of it. */
export async function create(definition: StreamDefinition, isJson: boolean, session: StreamSession): Promise<void> {
  let info: StreamInfo;
  try {
    info = await session.manager.streams.add(definition);
  } catch (error) {
    throw failed("create", error);
  }
  show(info, "created", isJson, session);
}

function failed(verb: string, error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "JetStreamApiError") return error;
  const code = "code" in error ? ` (${String(error.code)})` : "";
  return new Error(`could not ${verb} Stream: ${error.message}${code}`, { cause: error });
}

function show(info: StreamInfo, verb: string, isJson: boolean, session: StreamSession): void {
  if (isJson) writeJson(session, infoDocument(info));
  else session.terminal.out.write(`Stream ${info.config.name} was ${verb}\n\n${infoText(info)}`);
}

/** `choria broker stream edit`. */
export function editCommand(): Command {
  const edit = new Command("edit")
    .alias("update")
    .description("Change a stream.")
    .argument("[stream]", "name of the stream");
  return addBrokerFlags(addSettingsFlags(edit))
    .option("--config <file>", "take the configuration from a file in JSON")
    .option("-f, --force", "do not ask")
    .option("--dry-run", "show what would change, and change nothing; ends with 1 where something would")
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker stream edit ORDERS --max-age 60d --dry-run")
    .action((name: string | undefined, _flags: EditFlags, command: Command) => {
      const flags = command.opts<EditFlags>();
      return withBrokerStreams(flags, (session) => change(name, flags, command, session));
    });
}

async function change(
  name: string | undefined,
  flags: EditFlags,
  command: Command,
  session: StreamSession,
): Promise<void> {
  const { manager } = session;
  const { config } = await pickStream(session, name);
  const base = flags.config === undefined ? {} : readDefinition<StreamConfig>(flags.config);
  const next: StreamDefinition = { ...config, ...base, ...settingsDocument(settingsOf(command)), name: config.name };
  const problems = checkStream(next);
  if (problems.length > 0) throw new Error(`Cannot change the stream ${config.name}: ${problems.join(", ")}`);
  if (!(await agreeToChanges(`Really edit Stream ${config.name}`, differences(config, next), flags, session))) return;
  try {
    show(await manager.streams.update(config.name, next), "updated", flags.json ?? false, session);
  } catch (error) {
    throw failed("edit", error);
  }
}

/** `choria broker stream copy`. */
export function copyCommand(): Command {
  const copy = new Command("copy")
    .alias("cp")
    .description("Make a stream like another one; messages are not copied.")
    .argument("<source>", "the other stream")
    .argument("<destination>", "name of the new one");
  return addBrokerFlags(addSettingsFlags(copy))
    .option("-j, --json", "write one JSON document")
    .addHelpText("after", "\nExample:\n  choria broker stream copy ORDERS RETURNS --subjects 'returns.>'")
    .action((source: string, destination: string, _flags: BrokerFlags, command: Command) => {
      const flags = command.opts<BrokerFlags & { json?: true }>();
      return withBrokerStreams(flags, async (session) => {
        const { config } = await session.manager.streams.info(source);
        const settings = settingsOf(command);
        const isSame = settings.subjects === undefined && (config.subjects ?? []).length > 0;
        if (isSame)
          throw new Error(`Cannot copy ${source}: two streams cannot store the same subjects; give --subjects`);
        await create(newStream(destination, settings, withoutNotes(config)), flags.json ?? false, session);
      });
    });
}
