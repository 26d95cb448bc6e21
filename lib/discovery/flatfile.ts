import { readFileSync } from "node:fs";
import { errorText, isObject, isStringList } from "../std/mod.ts";
import { checkIdentities } from "./identity.ts";
import type { NodeSource } from "./source.ts";

/**
 * How a file lists nodes: one a line, a JSON or YAML list, or the JSON results of `choria req`, `ping`, `discover` or
 * `facts`.
 */
export type NodeFileFormat = "text" | "json" | "yaml" | "rpc";

/**
 * Find nodes in a file. Filters do not apply to it.
 *
 * @param select GJSON path to the list of names, where a JSON or YAML file holds more than that.
 */
export function flatfileSource(
  path: string,
  format: NodeFileFormat = formatOf(path),
  select: string | undefined = undefined,
): NodeSource {
  return {
    name: "flatfile",
    async *discover() {
      yield* await parseNodes(readNodeFile(path), format, path, select);
    },
  };
}

/** Nodes at hand, for example from standard input. */
export function listSource(nodes: Iterable<string>, name = "flatfile"): NodeSource {
  return {
    name,
    async *discover() {
      yield* new Set(nodes);
    },
  };
}

/** The format that a file's ending stands for. */
export function formatOf(path: string): NodeFileFormat {
  if (path.endsWith(".json")) return "json";
  return /\.ya?ml$/.test(path) ? "yaml" : "text";
}

/**
 * The nodes that a text lists, each once.
 *
 * @param place Names the text in errors.
 * @param select GJSON path to the list of names in JSON or YAML.
 * @throws {Error} naming the place when it lists something else; `invalid identity string "x"`.
 */
export async function parseNodes(
  text: string,
  format: NodeFileFormat,
  place: string,
  select?: string,
): Promise<string[]> {
  const names = await parseNames(text, format, place, select);
  checkIdentities(names, place);
  return [...new Set(names)];
}

async function parseNames(
  text: string,
  format: NodeFileFormat,
  place: string,
  select: string | undefined,
): Promise<string[]> {
  if (format === "text") {
    return text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  }
  const value = await parseValue(text, format, place);
  const names = format === "rpc" ? sendersOf(value) : select === undefined ? value : await pick(value, select);
  if (isStringList(names)) return names;
  const wanted = format === "rpc" ? "the JSON results of another command" : "a list of names";
  throw new Error(`Cannot read nodes from ${place}: expected ${wanted}`);
}

async function pick(value: unknown, path: string): Promise<unknown> {
  const { lookup } = await import("../expr/mod.ts");
  return lookup(value, path);
}

async function parseValue(text: string, format: NodeFileFormat, place: string): Promise<unknown> {
  try {
    if (format !== "yaml") return JSON.parse(text);
    const { parse } = await import("yaml");
    return parse(text);
  } catch (error) {
    throw new Error(`Cannot read nodes from ${place}: ${errorText(error)}`, { cause: error });
  }
}

/** Nodes of the results of a request, of a search for nodes or of a report on a fact. */
function sendersOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { replies } = value;
  if (Array.isArray(replies)) return replies.map((reply: unknown) => (isObject(reply) ? reply.sender : undefined));
  const groups = Object.values(value);
  return groups.length > 0 ? groups.flatMap((group) => (isObject(group) ? group.identities : undefined)) : undefined;
}

function readNodeFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`Cannot read nodes from ${path}: ${errorText(error)}`, { cause: error });
  }
}
