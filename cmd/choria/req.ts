import { Command } from "commander";
import type { Terminal, TextSink } from "../../lib/cli/mod.ts";
import {
  type DisplayChoice,
  displayModes,
  type FleetReply,
  type FleetRequest,
  jsonLinesWriter,
  jsonWriter,
  type LimitOptions,
  ReplyFilter,
  type RequestOptions,
  type RequestStats,
  type ResultWriter,
  sendersWriter,
  tableWriter,
  textWriter,
} from "../../lib/client/mod.ts";
import type { Config } from "../../lib/config/mod.ts";
import { convertInputs, findAction } from "../../lib/ddl/mod.ts";
import { errorText, writeFileAtomic } from "../../lib/std/mod.ts";
import {
  addDiscoveryFlags,
  addFilterFlags,
  type DiscoveryFlags,
  type FilterFlags,
  parseChoice,
  parseCount,
  parsePairs,
  parseSeconds,
} from "./client/filters.ts";
import { discoverOptions } from "./client/nodes.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "./client/open.ts";
import { isComplete, someFailed } from "./client/replies.ts";

interface ReqFlags extends ClientFlags, FilterFlags, DiscoveryFlags {
  json?: true;
  jsonl?: true;
  table?: true;
  senders?: true;
  limit?: string;
  limitSeed: number;
  batch: number;
  batchSleep: number;
  workers: number;
  np?: true;
  verbose?: true;
  display?: DisplayChoice;
  outputFile?: string;
  replyTo?: string;
  filterReplies?: string;
  sort?: true;
  exitZero?: true;
}

/** `choria req`: call an action of an agent on many nodes. */
export function command(): Command {
  const req = new Command("req")
    .aliases(["rpc", "request"])
    .description("Call an action of an agent on every node that the filters match.")
    .argument("<agent>", "which agent")
    .argument("<action>", "which of its actions")
    .argument("[inputs...]", "inputs of the action, as key=value");
  addClientFlags(addDiscoveryFlags(addFilterFlags(req)));
  return addLayoutFlags(addPaceFlags(req))
    .addHelpText("after", examples)
    .action((agent: string, action: string, inputs: string[], flags: ReqFlags) =>
      withFleet(flags, (session) => runReq(agent, action, inputs, flags, session)),
    );
}

const examples = `
Examples:
  choria req rpcutil get_fact fact=os.family -C web
  choria req requests request url=https://example.net --batch 10 --table
  choria req rpcutil ping -j -F country=mt | choria req choria_util info

Ends with 0 when every node answered and none failed, 2 when some did not, 1 on errors, 130 when interrupted.`;

function addPaceFlags(command: Command): Command {
  return command
    .option("--limit <number>", "take only so many of the nodes, or a share such as 10%")
    .option("--limit-seed <number>", "make a random choice of nodes the same each time", parseCount, 0)
    .option("--batch <number>", "ask so many nodes at a time", parseCount, 0)
    .option("--batch-sleep <seconds>", "wait between batches", parseSeconds, 1)
    .option("--workers <number>", "accepted for its old meaning, without effect", parseCount, 3)
    .option("-r, --reply-to <subject>", "have replies sent there, and do not wait for any");
}

function addLayoutFlags(command: Command): Command {
  return command
    .option("-j, --json", "write one JSON document")
    .option("--jsonl", "write a JSON document a line, as things happen")
    .option("--table", "write a table of the replies that ended well")
    .option("--senders", "write nothing but names of nodes whose replies ended well")
    .option(
      "--filter-replies <expression>",
      'show only replies for which this holds, such as: ok() && data("value") > 5',
    )
    .option("--np", "show no progress bar")
    .option("-v, --verbose", "show every reply in full, and all figures")
    .option("--display <which>", `show other replies than the DDL has it: ${displayModes}`, parseChoice(displayModes))
    .option("-o, --output-file <file>", "write the results into a file")
    .option("--sort", "sort the replies by name")
    .option("--exit-zero", "end with 0 even when nodes failed or did not answer");
}

async function runReq(
  agent: string,
  actionName: string,
  inputs: readonly string[],
  flags: ReqFlags,
  session: ClientSession,
): Promise<void> {
  const file = outputFile(flags);
  const writer = writerOf(flags, session, file?.sink ?? session.terminal.out);
  try {
    const given = parsePairs(inputs);
    const keep = flags.filterReplies === undefined ? {} : { keep: keeper(flags.filterReplies, session.terminal) };
    const { fleet, config } = session;
    const ddl = await fleet.ddl(agent);
    const data = convertInputs(findAction(ddl, actionName), given);
    const options = { ...(await requestOptions(flags, config)), ...keep, ddl, signal: session.signal };
    const request = fleet.request(agent, actionName, data, withEvents(options, writer));
    await run(request, writer, flags, session);
    if (!flags.exitZero) process.exitCode = exitCode(request.stats, flags);
  } catch (error) {
    if (!(writer.failed?.(error) ?? false) || session.signal.aborted) throw error;
    process.exitCode = flags.exitZero ? 0 : 1;
  } finally {
    file?.close();
  }
}

/** A reply about which the expression has no answer is hidden, and the user told why. */
function keeper(expression: string, { err }: Terminal): (reply: FleetReply) => boolean {
  const filter = new ReplyFilter(expression);
  return (reply) => {
    try {
      return filter.matches(reply);
    } catch (error) {
      err.write(`choria: the reply of ${reply.sender} is hidden, --filter-replies failed: ${errorText(error)}\n`);
      return false;
    }
  };
}

/** Read the replies; an interrupt still shows what there is. */
async function run(
  request: FleetRequest,
  writer: ResultWriter,
  flags: ReqFlags,
  { terminal, signal }: ClientSession,
): Promise<void> {
  try {
    for await (const reply of request) writer.reply(reply, request);
  } catch (error) {
    if (signal.aborted && request.stats.startTime > 0) end(request, writer);
    throw error;
  }
  if (flags.replyTo === undefined) end(request, writer);
  else terminal.out.write(`${request.stats.requestId}\n`);
}

function end(request: FleetRequest, writer: ResultWriter): void {
  writer.finish?.();
  writer.end(request);
}

function exitCode(stats: RequestStats, flags: ReqFlags): number {
  if (flags.replyTo !== undefined) return 0;
  return isComplete(stats) ? 0 : someFailed;
}

async function requestOptions(flags: ReqFlags, config: Config): Promise<RequestOptions> {
  return {
    ...(await discoverOptions(flags, config)),
    ...(flags.limit === undefined ? {} : { limit: limitOptions(flags.limit, flags.limitSeed, config) }),
    ...(flags.replyTo === undefined ? {} : { replyTo: flags.replyTo }),
    batch: flags.batch,
    batchSleep: (flags.batchSleep || 1) * 1_000,
  };
}

function limitOptions(limit: string, seed: number, config: Config): LimitOptions {
  return { limit, seed, method: config.get("rpclimitmethod") };
}

function withEvents(options: RequestOptions, writer: ResultWriter): RequestOptions {
  return {
    ...options,
    onEvent(event) {
      if (event.kind === "discovering") writer.discovering(event.method);
      else if (event.kind === "discovered") writer.discovered(event.method, event.nodes, event.time);
      else if (event.kind === "sending") writer.sending?.(event.total);
      else if (event.kind === "progress") writer.progress?.(event.done);
    },
  };
}

function writerOf(flags: ReqFlags, { terminal }: ClientSession, out: TextSink): ResultWriter {
  const sort = flags.sort ?? false;
  if (flags.senders) return sendersWriter(out, flags.json ?? false, sort);
  if (flags.json) return jsonWriter(out, sort);
  if (flags.jsonl) return jsonLinesWriter(out);
  const text = textWriter({
    terminal,
    out,
    sort,
    isVerbose: flags.verbose ?? false,
    display: flags.display,
    hasProgress: !flags.np && flags.replyTo === undefined,
    tellsDiscovery: flags.replyTo === undefined,
  });
  return flags.table ? tableWriter(text, out, sort) : text;
}

/** Results for a file are gathered, so that the file is there whole or not at all. */
function outputFile(flags: ReqFlags): { sink: TextSink; close: () => void } | undefined {
  const path = flags.outputFile;
  if (path === undefined) return undefined;
  const parts: string[] = [];
  return {
    sink: { write: (text) => parts.push(text) },
    close: () => writeFileAtomic(path, parts.join("")),
  };
}
