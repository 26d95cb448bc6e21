import { Command } from "commander";
import { type JobNews, jobNews } from "../../../lib/executor/mod.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { refusals } from "../client/refusals.ts";

const examples = `
Examples:
  choria executor watch
  choria executor watch 640e660a0cd964032faa

With an id, the output of that command is shown from its beginning, and the exit code is the command's. Needs a token
that may use streams, and a broker that keeps the events of commands.`;

/** `choria executor watch`: follow the long-running commands of the fleet. */
export function watchCommand(): Command {
  const watch = new Command("watch")
    .description("Follow the commands of the fleet as they run, or one of them to its end.")
    .argument("[id]", "show the output of this command");
  return addClientFlags(watch)
    .addHelpText("after", examples)
    .action((id: string | undefined, flags: ClientFlags) => withFleet(flags, (session) => watchJobs(id, session)));
}

async function watchJobs(id: string | undefined, session: ClientSession): Promise<void> {
  const { fleet, signal } = session;
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  try {
    await Promise.race([
      id === undefined ? showAll(session, either) : showOne(id, session, either),
      refusals(fleet.connection, fleet.caller),
    ]);
  } finally {
    ending.abort();
  }
  signal.throwIfAborted();
}

async function showAll({ fleet, terminal }: ClientSession, signal: AbortSignal): Promise<void> {
  terminal.out.write(`Waiting for commands on ${fleet.connection.server}\n`);
  for await (const news of jobNews(fleet.connection, { signal })) {
    const text = describe(news);
    if (text === undefined) continue;
    const { identity, id } = news;
    const line = `${new Date().toTimeString().slice(0, 8)} ${identity || "-"} ${id}: ${text}`;
    // Commands and errors may hold line breaks, which would make lines of others' of them.
    terminal.out.write(`${line.replace(/[\r\n]+/g, " ")}\n`);
  }
}

/** What is told of commands among others; signs of life are not. */
function describe(news: JobNews): string | undefined {
  switch (news.event) {
    case "spec":
      return `${news.job.command} for ${news.job.caller} by ${news.job.agent}#${news.job.action}`;
    case "pid":
      return `runs as process ${news.pid}`;
    case "out":
      return `${news.data.length} bytes on ${news.stream}`;
    case "exit":
      return exitText(news);
    case "hb":
      return undefined;
  }
}

function exitText({ exit: { code, error } }: JobNews & { event: "exit" }): string {
  return error === "" ? `ended with exit code ${code}` : `ended with exit code ${code}: ${error}`;
}

/** Other messages than those of its output go to standard error. */
async function showOne(id: string, { fleet, terminal }: ClientSession, signal: AbortSignal): Promise<void> {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  for await (const news of jobNews(fleet.connection, { id, signal })) {
    if (news.event === "out") {
      const text = decoders[news.stream].decode(news.data, { stream: true });
      (news.stream === "stdout" ? terminal.out : terminal.err).write(text);
    }
    if (news.event !== "exit") continue;
    const { code, error } = news.exit;
    if (error !== "") terminal.err.write(`${exitText(news)}\n`);
    process.exitCode = code >= 0 && code <= 255 ? code : 1;
    return;
  }
}
