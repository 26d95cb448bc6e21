import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { hostIdentity } from "../../../lib/config/mod.ts";
import { isFile, parseDuration, systemClock } from "../../../lib/std/mod.ts";
import { Spool } from "../../../lib/submission/mod.ts";
import { addClientFlags, type ClientFlags, clientConfig } from "../client/open.ts";

interface SubmitFlags extends ClientFlags {
  reliable?: true;
  priority: string;
  /** Milliseconds. */
  ttl: number;
  tries: number;
  sender: string;
  sign?: true;
  header: Readonly<Record<string, string>>;
}

const examples = `
Examples:
  $ echo hello | choria tool submit --config /etc/choria/server.conf --reliable hello.world -
  $ choria tool submit --config /etc/choria/server.conf --sign -H kind=report reports.daily report.json`;

/** `choria tool submit SUBJECT PAYLOAD`: leave a message with the server of this machine. */
export function command(): Command {
  const submit = new Command("submit")
    .summary("Leave a message with the server of this machine")
    .description(
      "Leave a message with the server of this machine, which sends it on, to a stream as a rule. Prints its id.",
    )
    .argument("<subject>", "subject, below the collective's submission.in.")
    .argument("<payload>", "file with the message, - for standard input");
  return addClientFlags(submit)
    .option("--reliable", "keep the message until a stream has stored it")
    .addOption(new Option("--priority <number>", "0 is sent first").choices(["0", "1", "2", "3", "4"]).default("4"))
    .addOption(
      new Option("--ttl <duration>", "how long the message is wanted").argParser(duration).default(86_400_000, "24h"),
    )
    .addOption(new Option("--tries <count>", "most tries of a reliable message").argParser(count).default(100))
    .option("--sender <name>", "who sends it", `user ${process.geteuid?.() ?? -1}`)
    .option("--sign", "let the server sign it")
    .addOption(
      new Option("-H, --header <key=value>", "a header; may be repeated").argParser(header).default({}, "none"),
    )
    .addHelpText("after", examples)
    .action(async (subject: string, payload: string, flags: SubmitFlags) => {
      process.stdout.write(`${await run(subject, payload, flags)}\n`);
    });
}

async function run(subject: string, file: string, flags: SubmitFlags): Promise<string> {
  const config = clientConfig(flags);
  const folder = config.get("plugin.choria.submission.spool");
  if (folder === "") {
    throw new Error(`Cannot submit a message: plugin.choria.submission.spool is not set in ${config.file}`);
  }
  const maxSize = config.get("plugin.choria.submission.max_spool_size");
  const spool = new Spool({ folder, maxSize, clock: systemClock });
  const { reliable, priority, ttl, tries, sender, sign, header: headers } = flags;
  return spool.submit({
    subject,
    payload: await payloadOf(file),
    reliable: reliable ?? false,
    priority: Number(priority),
    ttl: ttl / 1_000,
    maxTries: tries,
    sender,
    sign: sign ?? false,
    headers,
    identity: config.get("identity") || (await hostIdentity()),
  });
}

async function payloadOf(file: string): Promise<Uint8Array> {
  if (file !== "-" && !isFile(file)) throw new Error(`payload ${file} does not exist`);
  const payload = file === "-" ? await Bun.stdin.bytes() : readFileSync(file);
  if (payload.length === 0) throw new Error("payload is empty");
  return payload;
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError("Tries are a number above zero.");
  return Number(text);
}

function header(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("A header is written as key=value.");
  return { ...before, [text.slice(0, at).trim()]: text.slice(at + 1).trim() };
}
