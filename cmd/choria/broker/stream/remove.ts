import type { PurgeOpts } from "@nats-io/jetstream";
import { Command } from "commander";
import { formatCount } from "../../../../lib/std/mod.ts";
import { parseCount } from "../../client/filters.ts";
import { addBrokerFlags, type BrokerFlags, confirmed, withBrokerStreams, writeJson } from "../session.ts";
import { infoDocument, infoText, stateText } from "./info.ts";
import { pickStream } from "./pick.ts";

interface ForceFlags extends BrokerFlags {
  force?: true;
}

interface PurgeFlags extends ForceFlags {
  json?: true;
  subject?: string;
  seq?: number;
  keep?: number;
}

/** `choria broker stream rm`. */
export function removeCommand(): Command {
  const remove = new Command("rm").aliases(["delete", "del"]).description("Delete a stream with all it holds.");
  return addBrokerFlags(remove.argument("[stream]", "name of the stream"))
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria broker stream rm SUBMIT -f")
    .action((name: string | undefined, flags: ForceFlags) =>
      withBrokerStreams(flags, async (session) => {
        const { config } = await pickStream(session, name);
        if (!(await confirmed(`Really delete Stream ${config.name}`, flags.force))) return;
        await session.manager.streams.delete(config.name);
      }),
    );
}

/** `choria broker stream purge`. */
export function purgeCommand(): Command {
  const purge = new Command("purge").description("Delete the messages of a stream.");
  return addBrokerFlags(purge.argument("[stream]", "name of the stream"))
    .option("-j, --json", "write one JSON document")
    .option("-f, --force", "do not ask")
    .option("--subject <subject>", "messages of a subject only")
    .option("--seq <sequence>", "messages before this one", parseCount)
    .option("--keep <count>", "all but the newest messages", parseCount)
    .addHelpText("after", "\nExample:\n  choria broker stream purge SUBMIT --keep 100 -f")
    .action((name: string | undefined, flags: PurgeFlags) => {
      if (flags.seq !== undefined && flags.keep !== undefined) throw new Error("--seq and --keep exclude each other");
      return withBrokerStreams(flags, async (session) => {
        const { manager, terminal } = session;
        const { config } = await pickStream(session, name);
        if (!(await confirmed(`Really purge Stream ${config.name}`, flags.force))) return;
        const { purged } = await manager.streams.purge(config.name, purgeOptions(flags));
        const info = await manager.streams.info(config.name);
        if (flags.json) return writeJson(session, infoDocument(info));
        terminal.out.write(`Purged ${formatCount(purged)} messages from ${config.name}\n\n${stateText(info)}`);
      });
    });
}

function purgeOptions({ subject: filter, seq, keep }: PurgeFlags): PurgeOpts {
  const about = filter === undefined ? {} : { filter };
  if (keep !== undefined) return { ...about, keep };
  // A purge up to nothing in particular is one of everything.
  return seq === undefined ? (about as PurgeOpts) : { ...about, seq };
}

/** `choria broker stream seal`. */
export function sealCommand(): Command {
  const seal = new Command("seal").description("Have a stream take and lose nothing any more, for ever.");
  return addBrokerFlags(seal.argument("<stream>", "name of the stream"))
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria broker stream seal ORDERS_2025 -f")
    .action((name: string, flags: ForceFlags) =>
      withBrokerStreams(flags, async (session) => {
        const { config } = await pickStream(session, name);
        const question = `Really seal Stream ${config.name}, sealed streams can not be unsealed or modified`;
        if (!(await confirmed(question, flags.force))) return;
        // What a stream was made with is sent along with every change; sealing is one.
        const sealed = { ...config, sealed: true };
        session.terminal.out.write(infoText(await session.manager.streams.update(config.name, sealed)));
      }),
    );
}
