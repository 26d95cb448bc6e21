/**
 * Make the steps of the walk-through and compare what is seen with what it shows: `run.ts [--all] [SECTION...]`, all
 * sections unless some are named by a word of their headings. It ends with the first step that shows something else, with
 * `--all` with the last. See docs/containers.md.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { matchOutput, type Values } from "./match.ts";
import { render, startOnTerminal, type TerminalRun } from "./terminal.ts";
import { type Place, parseTranscript, type Step } from "./transcript.ts";

const checkout = resolve(import.meta.dir, "../..");
const compose = (process.env.COMPOSE ?? "docker-compose").split(" ");
const environment = { ...process.env, COMPOSE_INTERACTIVE_NO_CLI: "1" };
const password = "secret";

const places: Readonly<Record<Exclude<Place, "host">, readonly string[]>> = {
  client: ["client.choria", "bash", "-lc"],
  server: ["server.choria", "bash", "-lc"],
  "nats-box": ["nats-box.choria", "sh", "-lc"],
};

/** The command line that types a step's command where it is to be typed. */
function commandLine(step: Step, values: Values): string[] {
  const command = step.command.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values.get(name) ?? whole);
  if (step.place === "host") return ["sh", "-c", command];
  const flags = step.isInteractive || step.background ? [] : ["-T"];
  // What comes from elsewhere than a terminal may be a list of nodes, for which the command line waits.
  const typed = flags.length === 0 ? command : `exec </dev/null; ${command}`;
  return [...compose, "exec", ...flags, ...places[step.place], typed];
}

interface Seen {
  output: string;
  /** The first expected line that was not seen. */
  missing: string | undefined;
}

/** Repeat a command until it shows what is expected, or its time is over. */
async function look(step: Step, values: Values): Promise<Seen> {
  const end = Date.now() + step.within;
  for (;;) {
    const output = step.isInteractive ? await converse(step, values) : await execute(step, values);
    const missing = matchOutput(shown(step), output, values);
    if (missing === undefined || Date.now() > end) return { output, missing };
    await Bun.sleep(1_000);
  }
}

async function execute(step: Step, values: Values): Promise<string> {
  const child = Bun.spawn(commandLine(step, values), {
    cwd: checkout,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 300_000,
  });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const code = await child.exited;
  return render(`${out}${err}${code === 0 ? "" : `(exit code ${code})`}`);
}

/** Answer the prompts that a step names, and take the default for all others. */
async function converse(step: Step, values: Values): Promise<string> {
  const answers = step.expected.flatMap((line) => (line.startsWith("? ") ? [line.slice(2)] : []));
  const run = startOnTerminal(commandLine(step, values), { cwd: checkout, env: environment });
  let ended = false;
  void run.exited.then(() => {
    ended = true;
  });
  const end = Date.now() + step.within;
  let answered = "";
  while (!ended && Date.now() < end) {
    await Bun.sleep(100);
    const question = ended || run.quiet() < 400 ? undefined : openQuestion(run.text());
    if (question === undefined || question === answered) continue;
    answered = question;
    run.type(`${answerTo(question, answers)}\r`);
  }
  if (!ended) run.kill();
  return run.text();
}

/** The prompt at which a command waits, which is the last one on the screen. */
function openQuestion(text: string): string | undefined {
  return text
    .split("\n")
    .findLast((line) => line.startsWith("? "))
    ?.slice(2);
}

/** What to type at a prompt: the words that stand behind it in the document. */
function answerTo(question: string, answers: readonly string[]): string {
  for (const line of answers) {
    const [label = "", answer = ""] = line.split(/:\s+|\s{2,}/, 2);
    if (question.startsWith(label)) return /^\*+$/.test(answer) ? password : answer;
  }
  return "";
}

/** Prompts were answered; of the rest of an interactive step its result counts. */
function shown({ isInteractive, expected }: Step): string[] {
  return isInteractive ? ["...", ...expected.filter((line) => !line.startsWith("? "))] : expected;
}

interface Background {
  step: Step;
  run: TerminalRun;
}

/** Wait until a command in the background has shown what is expected. */
async function watch({ step, run }: Background, values: Values): Promise<Seen> {
  const end = Date.now() + step.within;
  for (;;) {
    const output = run.text();
    const missing = matchOutput(["...", ...step.expected, "..."], output, values);
    if (missing === undefined || Date.now() > end) return { output, missing };
    await Bun.sleep(500);
  }
}

/** End a command as a person does. */
async function interrupt(run: TerminalRun): Promise<void> {
  run.type("\u0003");
  await Promise.race([run.exited, Bun.sleep(30_000)]);
  run.kill();
}

function report(step: Step, { output, missing }: Seen, began: number): boolean {
  const seconds = ((Date.now() - began) / 1_000).toFixed(1);
  const title = `${step.place}: ${step.command}`;
  if (missing === undefined) {
    console.log(`ok      ${seconds.padStart(5)} s  ${title}`);
    return true;
  }
  console.log(`FAILED  ${seconds.padStart(5)} s  ${title}\n  walkthrough.md, line ${step.line}; not seen: ${missing}`);
  console.log(output.replaceAll(/^/gm, "    | "));
  return false;
}

/** The steps that are made, and what goes on beside them. */
class Walk {
  failed = 0;
  readonly #values: Values = new Map();
  #section = "";
  #background: Background[] = [];

  async make(step: Step): Promise<void> {
    if (step.section !== this.#section) {
      await this.#endSection();
      this.#section = step.section;
      console.log(`\n${step.section}`);
    }
    const began = Date.now();
    if (step.background === undefined) return this.#judge(step, await look(step, this.#values), began);
    const run = startOnTerminal(commandLine(step, this.#values), { cwd: checkout, env: environment });
    this.#background.push({ step, run });
  }

  async end(): Promise<void> {
    await this.#endSection();
    for (const { run } of this.#background) await interrupt(run);
  }

  /** Who watched one section has seen all by now. */
  async #endSection(): Promise<void> {
    for (const watched of this.#background.filter(({ step }) => step.section === this.#section)) {
      const began = Date.now();
      this.#judge(watched.step, await watch(watched, this.#values), began);
      if (watched.step.background === "section") await interrupt(watched.run);
    }
    this.#background = this.#background.filter(({ step }) => step.background === "walk");
  }

  #judge(step: Step, seen: Seen, began: number): void {
    if (!report(step, seen, began)) this.failed++;
  }
}

const goesOn = process.argv.includes("--all");
const wanted = process.argv
  .slice(2)
  .filter((word) => !word.startsWith("--"))
  .map((word) => word.toLowerCase());
const all = parseTranscript(readFileSync(resolve(import.meta.dir, "walkthrough.md"), "utf8"));
const steps = all.filter(
  ({ section }) => wanted.length === 0 || wanted.some((word) => section.toLowerCase().includes(word)),
);
const walk = new Walk();
for (const step of steps) {
  await walk.make(step);
  // What comes later builds on what failed, and each would wait for its time.
  if (walk.failed > 0 && !goesOn) break;
}
await walk.end();
console.log(`\n${steps.length} steps, ${walk.failed} not as shown`);
process.exitCode = walk.failed > 0 ? 1 : 0;
