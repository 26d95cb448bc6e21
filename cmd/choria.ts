import { version } from "../package.json" with { type: "json" };
import { type CommandEntry, commands } from "./choria/commands.ts";

// Everything heavy is loaded by the command that needs it: asking for help or the version loads nothing.
const shown = commands.filter(({ hidden }) => !hidden);
const width = Math.max(...shown.map(({ name }) => name.length)) + 2;

const help = `Usage: choria COMMAND [options]

Orchestrate a fleet: see which nodes are there, and call actions of their agents.

Commands:
${shown.map((entry) => `  ${entry.name.padEnd(width)}${entry.summary}${aliasText(entry)}`).join("\n")}

Options:
  --debug     log details to standard error
  --version   show the version
  --help      show this; after a command, show what it takes
`;

function aliasText({ aliases = [] }: CommandEntry): string {
  return aliases.length === 0 ? "" : ` (${aliases.join(", ")})`;
}

function findEntry(name: string): CommandEntry | undefined {
  return commands.find((entry) => entry.name === name || entry.aliases?.includes(name));
}

async function unknownCommand(name: string): Promise<number> {
  const { suggest } = await import("../lib/cli/mod.ts");
  const names = shown.flatMap((entry) => [entry.name, ...(entry.aliases ?? [])]);
  const meant = suggest(name, names);
  const hint = meant === undefined ? "use choria --help for the commands there are" : `did you mean "${meant}"?`;
  process.stderr.write(`choria: error: unknown command "${name}", ${hint}\n`);
  return 1;
}

async function runCommand(entry: CommandEntry, args: readonly string[], isDebug: boolean): Promise<void> {
  const [{ Command }, { command }] = await Promise.all([import("commander"), entry.load()]);
  const parsed = command();
  const root = new Command("choria").addCommand(parsed);
  const debug = isDebug && parsed.options.some(({ long }) => long === "--debug") ? ["--debug"] : [];
  await root.parseAsync([entry.name, ...debug, ...args], { from: "user" });
}

async function main(args: readonly string[]): Promise<number> {
  const isDebug = args[0] === "--debug";
  const [name, ...rest] = isDebug ? args.slice(1) : args;
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(help);
    return name === undefined ? 1 : 0;
  }
  if (name === "--version") {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === "help" && rest[0] !== undefined) return main([rest[0], "--help"]);
  const entry = findEntry(name);
  if (entry === undefined) return unknownCommand(name);
  try {
    await runCommand(entry, rest, isDebug);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`choria: error: ${text}\n`);
    return 1;
  }
}

/** Wait until what was written has left, for a pipe takes it in its own time. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

// Whoever reads the output may go away early, as `head` does.
process.stdout.on("error", () => process.exit(0));

void main(process.argv.slice(2)).then(async (code) => {
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(code);
});
