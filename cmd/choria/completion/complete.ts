import type { Command, Option } from "commander";
import { commands } from "../commands.ts";
import { networkNames } from "./argument_names.ts";
import { type KnownDdls, knownDdls } from "./ddls.ts";
import { completeRequest } from "./request.ts";

/** Something a word may become. */
export interface Completion {
  value: string;
  description?: string;
}

/** What a shell does with the completions; the numbers are those of the scripts. */
export const directives = { files: 0, noFiles: 4, noSpaceNoFiles: 6 } as const;

/** What the last word may become. */
export interface Completions {
  items: readonly Completion[];
  directive: (typeof directives)[keyof typeof directives];
}

/** How far the words lead into the commands. */
interface Place {
  command: Command;
  /** Names of the commands on the way, without that of the program. */
  path: readonly string[];
  /** Words that are neither commands nor flags nor their values. */
  positionals: readonly string[];
  /** The flag whose value comes next. */
  pending: Option | undefined;
}

/**
 * What the last of some words may become: commands, flags, and where DDLs say so agents, actions and inputs.
 *
 * @param words The words after the program's name; the last is the one that is completed, and may be empty.
 */
export async function completeWords(words: readonly string[]): Promise<Completions> {
  const last = words.at(-1) ?? "";
  const [name, ...before] = words.slice(0, -1);
  const all = await candidates(name, before, last);
  return { ...all, items: all.items.filter(({ value }) => value.startsWith(last)) };
}

async function candidates(name: string | undefined, before: readonly string[], last: string): Promise<Completions> {
  if (name === undefined) return noFiles(commandNames());
  const entry = commands.find((one) => one.name === name || one.aliases?.includes(name));
  if (entry === undefined) return noFiles([]);
  const { command } = await entry.load();
  const place = walk(command(), entry.name, before);
  const ddls = knownDdls(valueAfter(before, "--config"));
  if (place.pending !== undefined) return flagValues(place.pending, ddls);
  if (last.startsWith("-")) return noFiles(flagNames(place.command));
  const names = networkNames(place.path, place.command.registeredArguments[place.positionals.length]?.name());
  if (names === undefined) return words(place, ddls, last);
  const { completeNames } = await import("./network_names.ts");
  return noFiles(await completeNames(names, valueAfter(before, "--choria-config") ?? valueAfter(before, "--config")));
}

function noFiles(items: readonly Completion[]): Completions {
  return { items, directive: directives.noFiles };
}

function commandNames(): Completion[] {
  const shown = commands.filter(({ hidden }) => !hidden);
  return [...shown.map(({ name, summary }) => ({ value: name, description: summary })), { value: "help" }];
}

function walk(root: Command, name: string, before: readonly string[]): Place {
  let command = root;
  const path = [name];
  const positionals: string[] = [];
  let pending: Option | undefined;
  for (const word of before) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (word.startsWith("-")) pending = takesNext(command, word);
    else if (next !== undefined && positionals.length === 0) {
      command = next;
      path.push(next.name());
    } else positionals.push(word);
  }
  return { command, path, positionals, pending };
}

/** The flag that a word stands for, where its value is the next word. */
function takesNext(command: Command, word: string): Option | undefined {
  if (word.includes("=")) return undefined;
  const option = command.options.find(({ long, short }) => long === word || short === word);
  return option?.required ? option : undefined;
}

function valueAfter(words: readonly string[], flag: string): string | undefined {
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

function flagNames(command: Command): Completion[] {
  const help: Completion = { value: "--help", description: "display help for command" };
  const flags = command.options.flatMap(({ long, short, description }) =>
    [long, short].flatMap((value) => (value ? [{ value, description }] : [])),
  );
  return [...flags, help];
}

async function flagValues(option: Option, ddls: KnownDdls): Promise<Completions> {
  if (option.argChoices !== undefined) return noFiles(option.argChoices.map((value) => ({ value })));
  if (option.long === "--wa") return noFiles(await ddls.agents());
  if (option.long === "--dm") {
    return noFiles(["mc", "broadcast", "flatfile", "external", "inventory"].map((value) => ({ value })));
  }
  return { items: [], directive: directives.files };
}

async function words({ command, path, positionals }: Place, ddls: KnownDdls, last: string): Promise<Completions> {
  if (command.commands.length > 0 && positionals.length === 0) {
    return noFiles(
      command.commands.map((one) => ({ value: one.name(), description: one.summary() || one.description() })),
    );
  }
  const place = path.join(" ");
  if (place === "req") return completeRequest(positionals, last, ddls);
  if (place === "plugin doc" && positionals.length === 0) return noFiles(await ddls.agents());
  if (place === "plugin schema") return noFiles(positionals.length === 0 ? [{ value: "agent" }] : await ddls.agents());
  if (place === "completion") return noFiles(["bash", "zsh", "fish"].map((value) => ({ value })));
  return {
    items: [],
    directive: command.registeredArguments.length > positionals.length ? directives.files : directives.noFiles,
  };
}
