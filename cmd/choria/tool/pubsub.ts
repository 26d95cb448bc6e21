import { Command } from "commander";
import { decodeUtf8, encodeUtf8 } from "../../../lib/std/mod.ts";
import { parseCount } from "../client/filters.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { refusals } from "../client/refusals.ts";

interface SubscribeFlags extends ClientFlags {
  count: number;
  raw?: true;
}

const examples = `
Examples:
  choria tool pubsub subscribe 'acme.>'
  choria tool pubsub publish acme.news "hello everybody"
  date | choria tool pubsub publish acme.news -`;

/** `choria tool pubsub`: plain messages over the network, for finding out what arrives where. */
export function pubsubCommand(): Command {
  const pubsub = new Command("pubsub")
    .description("Send and receive plain messages, for finding out who may send what where.")
    .addHelpText("after", examples);
  const publish = new Command("publish")
    .alias("pub")
    .description("Send a message.")
    .argument("<subject>", "subject to send to")
    .argument("<message>", "the message; - for standard input")
    .addHelpText("after", examples)
    .action((subject: string, message: string, flags: ClientFlags) =>
      withFleet(flags, (session) => send(subject, message, session)),
    );
  const subscribe = new Command("subscribe")
    .alias("sub")
    .description("Show messages as they arrive, until interrupted.")
    .argument("<subject>", "subject to listen on, with * and > as wildcards")
    .option("--count <number>", "end after this many messages", parseCount, 0)
    .option("--raw", "show nothing but the messages themselves")
    .addHelpText("after", examples)
    .action((subject: string, flags: SubscribeFlags) =>
      withFleet(flags, (session) => receive(subject, flags, session)),
    );
  for (const part of [publish, subscribe]) pubsub.addCommand(addClientFlags(part));
  return pubsub;
}

async function send(subject: string, message: string, { fleet }: ClientSession): Promise<void> {
  const payload = message === "-" ? await Bun.stdin.bytes() : encodeUtf8(message);
  const refused = refusals(fleet.connection, fleet.caller);
  fleet.connection.publish(subject, payload);
  // What the broker has to say against it comes before it confirms.
  await Promise.race([fleet.connection.flush().then(() => fleet.connection.flush()), refused]);
}

async function receive(
  subject: string,
  flags: SubscribeFlags,
  { fleet, terminal, signal }: ClientSession,
): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let left = flags.count;
  fleet.connection.subscribe(subject, ({ subject: from, data, reply }) => {
    const answer = reply ? ` (replies go to ${reply})` : "";
    const head = flags.raw ? "" : `[${new Date().toTimeString().slice(0, 8)}] ${from}${answer}: `;
    terminal.out.write(`${head}${decodeUtf8(data)}\n`);
    if (--left === 0) resolve();
  });
  if (!flags.raw) terminal.err.write(`Waiting for messages on ${subject} from ${fleet.connection.server}\n`);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await Promise.race([ended, refusals(fleet.connection, fleet.caller)]);
  signal.throwIfAborted();
}
