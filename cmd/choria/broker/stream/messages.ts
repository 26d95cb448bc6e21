import { Command } from "commander";
import { terminalPrompter } from "../../../../lib/cli/mod.ts";
import { encodeUtf8, formatSpan, showUtf8 } from "../../../../lib/std/mod.ts";
import { type MessageQuery, readMessage, type StoredMessage } from "../../../../lib/streams/mod.ts";
import {
  addBrokerFlags,
  type BrokerFlags,
  confirmed,
  type StreamSession,
  withBrokerStreams,
  writeJson,
} from "../session.ts";
import { span, whole } from "./flags.ts";
import { pickStream } from "./pick.ts";

interface GetFlags extends BrokerFlags {
  lastFor?: string;
  json?: true;
}

/** `choria broker stream get`. */
export function getCommand(): Command {
  const get = new Command("get").description("Show a message of a stream.");
  get.argument("[stream]", "name of the stream").argument("[sequence]", "which message", whole);
  return addBrokerFlags(get)
    .option("-S, --last-for <subject>", "the newest message of a subject")
    .option("-j, --json", "write one JSON document; headers and content are base64")
    .addHelpText("after", "\nExample:\n  choria broker stream get SUBMIT 1")
    .action((name: string | undefined, sequence: number | undefined, flags: GetFlags) =>
      withBrokerStreams(flags, async (session) => {
        const stream = (await pickStream(session, name)).config.name;
        const query = await queryOf(sequence, flags);
        const message = await readMessage(session.manager, stream, query);
        if (message === undefined) throw new Error("no message found (10037)");
        if (flags.json) writeJson(session, messageDocument(message));
        else session.terminal.out.write(messageText(stream, message, Date.now()));
      }),
    );
}

async function queryOf(sequence: number | undefined, { lastFor }: GetFlags): Promise<MessageQuery> {
  if (lastFor !== undefined) return { last_by_subj: lastFor };
  if (sequence !== undefined) return { seq: sequence };
  if (!process.stdin.isTTY) throw new Error("Which message? Give its sequence, or a subject by --last-for");
  return { seq: whole(await terminalPrompter.text("Message Sequence to retrieve", "-1")) };
}

function messageText(stream: string, { sequence, subject, time, headers, data }: StoredMessage, now: number): string {
  const stored = `${time.replace("T", " ").replace("Z", "")} +0000 UTC`;
  const age = formatSpan(now - Date.parse(time));
  const head = `Item: ${stream}#${sequence} received ${stored} (${age}) on Subject ${subject}\n\n`;
  const lines = headers.map(([name, value]) => `  ${name}: ${value}\n`).join("");
  return `${head}${lines === "" ? "" : `Headers:\n${lines}\n`}${showUtf8(data)}\n\n`;
}

/** A message as a script wants it. */
function messageDocument({ subject, sequence, headers, data, time }: StoredMessage): object {
  return {
    subject,
    seq: sequence,
    ...(headers.length === 0 ? {} : { hdrs: base64(headerBlock(headers)) }),
    ...(data.length === 0 ? {} : { data: base64(data) }),
    time,
  };
}

function headerBlock(headers: StoredMessage["headers"]): Uint8Array {
  return encodeUtf8(`NATS/1.0\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

interface ViewFlags extends BrokerFlags {
  id?: number;
  since?: number;
  raw?: true;
  subject?: string;
}

const largestPage = 25;

/** `choria broker stream view`. */
export function viewCommand(): Command {
  const view = new Command("view").description("Show messages of a stream, page by page.");
  view.argument("[stream]", "name of the stream").argument("[size]", "messages of a page, 25 at most", whole, 10);
  return addBrokerFlags(view)
    .option("--id <sequence>", "begin with this message", whole)
    .option("--since <duration>", "begin with the messages of some time ago", span)
    .option("--raw", "show nothing but the messages themselves, all of them")
    .option("--subject <subject>", "messages of a subject only")
    .addHelpText("after", "\nExample:\n  choria broker stream view CHORIA_EVENTS 5 --since 1h")
    .action((name: string | undefined, size: number, flags: ViewFlags) => {
      if (size < 1 || size > largestPage) throw new Error(`A page has 1 to ${largestPage} messages, not ${size}`);
      return withBrokerStreams(flags, async (session) => {
        const { config } = await pickStream(session, name);
        await viewPages(config.name, size, flags, session);
      });
    });
}

/** Where nobody sits at a terminal everything is shown, one message after another. */
async function viewPages(stream: string, size: number, flags: ViewFlags, session: StreamSession): Promise<void> {
  const { terminal, signal } = session;
  const isPaged = terminal.isInteractive && process.stdin.isTTY && !flags.raw;
  let shown = 0;
  for await (const message of messagesFrom(stream, flags, session)) {
    signal.throwIfAborted();
    if (isPaged && shown > 0 && shown % size === 0 && !(await terminalPrompter.confirm("Next Page?", true))) return;
    terminal.out.write(flags.raw ? `${showUtf8(message.data)}\n` : viewText(message));
    shown++;
  }
  if (!flags.raw) terminal.err.write("Reached apparent end of data\n");
}

async function* messagesFrom(stream: string, flags: ViewFlags, { manager }: StreamSession) {
  const { id = 1, since, subject = ">" } = flags;
  let query: MessageQuery =
    since === undefined
      ? { seq: id, next_by_subj: subject }
      : { start_time: new Date(Date.now() - since).toISOString(), next_by_subj: subject };
  for (;;) {
    const message = await readMessage(manager, stream, query);
    if (message === undefined) return;
    yield message;
    query = { seq: message.sequence + 1, next_by_subj: subject };
  }
}

function viewText({ sequence, subject, time, headers, data }: StoredMessage): string {
  const lines = headers.map(([name, value]) => `  ${name}: ${value}\n`).join("");
  return `[${sequence}] Subject: ${subject} Received: ${time}\n${lines === "" ? "" : `\n${lines}`}\n${showUtf8(data)}\n\n\n`;
}

/** `choria broker stream rmm`. */
export function removeMessageCommand(): Command {
  const remove = new Command("rmm").description("Remove a message from a stream, and overwrite it on disk.");
  remove.argument("<stream>", "name of the stream").argument("<sequence>", "which message", whole);
  return addBrokerFlags(remove)
    .option("-f, --force", "do not ask")
    .addHelpText("after", "\nExample:\n  choria broker stream rmm SUBMIT 1 -f")
    .action((stream: string, sequence: number, flags: BrokerFlags & { force?: true }) =>
      withBrokerStreams(flags, async ({ manager }) => {
        if (!(await confirmed(`Really remove message ${sequence} from Stream ${stream}`, flags.force))) return;
        await manager.streams.deleteMessage(stream, sequence, true);
      }),
    );
}
