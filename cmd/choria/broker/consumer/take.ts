import { type JsMsg, jetstream } from "@nats-io/jetstream";
import { Command } from "commander";
import { encodeUtf8, showUtf8 } from "../../../../lib/std/mod.ts";
import { parseCount } from "../../client/filters.ts";
import { addBrokerFlags, type BrokerFlags, type StreamSession, withBrokerStreams } from "../session.ts";
import { span } from "../stream/flags.ts";
import { pickConsumer } from "./pick.ts";

interface NextFlags extends BrokerFlags {
  ack: boolean;
  nak?: true;
  term?: true;
  raw?: true;
  wait: number;
  count: number;
}

/** `choria broker consumer next`. */
export function nextCommand(): Command {
  const next = new Command("next").description("Take the next message from a consumer.");
  next.argument("<stream>", "name of the stream").argument("<consumer>", "name of the consumer");
  return addBrokerFlags(next)
    .option("--no-ack", "do not confirm it")
    .option("--nak", "have it delivered again")
    .option("--term", "have it never delivered again")
    .option("-r, --raw", "show nothing but the message")
    .option("--wait <duration>", "longest wait for a message", span, 5_000)
    .option("--count <number>", "take this many", parseCount, 1)
    .addHelpText("after", "\nExample:\n  choria broker consumer next ORDERS BILLING --count 10")
    .action((stream: string, name: string, flags: NextFlags) =>
      withBrokerStreams(flags, async (session) => {
        const consumer = await jetstream(session.fleet.connection.nats, { checkAPI: false }).consumers.get(
          stream,
          name,
        );
        // JetStream takes no pull that waits for less than a second.
        const expires = Math.max(1_000, flags.wait);
        const { promise: stopped, reject } = Promise.withResolvers<never>();
        stopped.catch(() => undefined);
        session.signal.throwIfAborted();
        session.signal.addEventListener("abort", () => reject(session.signal.reason), { once: true });
        for (let i = 0; i < flags.count; i++) {
          const message = await Promise.race([consumer.next({ expires }), stopped]);
          if (message === null) throw new Error("no message received");
          await settle(message, flags, session);
        }
      }),
    );
}

async function settle(message: JsMsg, flags: NextFlags, { terminal }: StreamSession): Promise<void> {
  terminal.out.write(flags.raw ? bodyText(message) : messageText(message));
  const say = (text: string) => flags.raw || terminal.out.write(`${text}\n\n`);
  if (flags.term) {
    message.term();
    say("Terminated message");
  } else if (flags.nak) {
    message.nak();
    say("Nak'd message");
  } else if (flags.ack && (await message.ackAck())) say("Acknowledged message");
}

function bodyText({ data }: JsMsg): string {
  return `${showUtf8(data)}\n`;
}

function messageText(message: JsMsg): string {
  const { info, headers, subject } = message;
  const time = new Date().toTimeString().slice(0, 8);
  const place = `cons seq: ${info.deliverySequence} / str seq: ${info.streamSequence} / pending: ${info.pending}`;
  const lines =
    headers === undefined ? [] : [...headers].flatMap(([key, values]) => values.map((one) => `  ${key}: ${one}\n`));
  const head = lines.length === 0 ? "" : `\nHeaders:\n\n${lines.join("")}\nData:\n`;
  return `[${time}] subj: ${subject} / tries: ${info.deliveryCount} / ${place}\n${head}\n${bodyText(message)}\n`;
}

interface SubFlags extends BrokerFlags {
  ack: boolean;
  raw?: true;
}

/** `choria broker consumer sub`. */
export function subCommand(): Command {
  const sub = new Command("sub").description("Take messages from a consumer as they come, until interrupted.");
  sub.argument("[stream]", "name of the stream").argument("[consumer]", "name of the consumer");
  return addBrokerFlags(sub)
    .option("--no-ack", "do not confirm them")
    .option("-r, --raw", "show nothing but the messages")
    .addHelpText("after", "\nExample:\n  choria broker consumer sub ORDERS BILLING --no-ack")
    .action((stream: string | undefined, name: string | undefined, flags: SubFlags) =>
      withBrokerStreams(flags, async (session) => {
        const { stream_name, name: own, config } = await pickConsumer(session, stream, name);
        if (config.deliver_subject) return follow(config.deliver_subject, config.deliver_group, flags, session);
        const api = jetstream(session.fleet.connection.nats, { checkAPI: false }).consumers;
        const consumer = await api.get(stream_name, own);
        const messages = await consumer.consume();
        session.signal.throwIfAborted();
        session.signal.addEventListener("abort", () => messages.stop(), { once: true });
        for await (const message of messages) {
          session.terminal.out.write(flags.raw ? bodyText(message) : messageText(message));
          if (flags.ack) message.ack();
        }
        session.signal.throwIfAborted();
      }),
    );
}

/** Messages that are pushed need no asking for. */
async function follow(
  subject: string,
  group: string | undefined,
  flags: SubFlags,
  session: StreamSession,
): Promise<void> {
  const { fleet, terminal, signal } = session;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.throwIfAborted();
  signal.addEventListener("abort", () => resolve(), { once: true });
  fleet.connection.subscribe(
    subject,
    (message) => {
      if (message.data.length === 0 && message.headers?.code === 100) return void message.respond();
      const head = flags.raw ? "" : `[${new Date().toTimeString().slice(0, 8)}] subj: ${message.subject}\n\n`;
      terminal.out.write(`${head}${showUtf8(message.data)}\n${flags.raw ? "" : "\n"}`);
      if (flags.ack && message.reply) message.respond(encodeUtf8("+ACK"));
    },
    group,
  );
  await promise;
  signal.throwIfAborted();
}
