import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { ProcessError, runProcess, splitCommand } from "../process/mod.ts";
import { decodeUtf8, errorText, isStringList, type JsonObject, parseObject } from "../std/mod.ts";
import { checkIdentities } from "./identity.ts";
import type { DiscoveryQuery, NodeSource } from "./source.ts";

/** Names of the documents by which a command is asked for nodes and answers. */
export const externalProtocols = {
  request: "io.choria.choria.discovery.v1.external_request",
  reply: "io.choria.choria.discovery.v1.external_reply",
} as const;

/** Shortest time that a command is given, in milliseconds. */
const shortest = 1_000;

/** How a command that finds nodes is called. */
export interface ExternalOptions {
  /** The command and its arguments, in one line as for a shell. Nothing in it is expanded. */
  command: string;
  /** Options for the command. */
  options?: Readonly<Record<string, string>>;
}

/**
 * Find nodes by a command. It is called with the names of two files and of the request's protocol: it reads the
 * filter from the first and writes the nodes into the second. The same stands in the environment variables
 * `CHORIA_EXTERNAL_REQUEST`, `CHORIA_EXTERNAL_REPLY` and `CHORIA_EXTERNAL_PROTOCOL`; of the others it gets `PATH`.
 */
export function externalSource({ command, options = {} }: ExternalOptions): NodeSource {
  return {
    name: "external",
    async *discover(query, signal) {
      yield* await ask(command, options, query, signal);
    },
  };
}

async function ask(
  command: string,
  options: Readonly<Record<string, string>>,
  query: DiscoveryQuery,
  signal: AbortSignal,
): Promise<Iterable<string>> {
  const words = splitCommand(command);
  const timeout = Math.max(query.timeout, shortest);
  const folder = mkdtempSync(join(tmpdir(), "choria-discovery-"));
  const [request, reply] = [join(folder, "request.json"), join(folder, "reply.json")];
  try {
    writeFileSync(request, JSON.stringify(requestDocument(query, options, timeout)), { mode: 0o600 });
    writeFileSync(reply, "", { mode: 0o600 });
    await run([...words, request, reply, externalProtocols.request], environment(request, reply), timeout, signal);
    return readReply(readFileSync(reply), words[0] ?? command);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function requestDocument(
  query: DiscoveryQuery,
  options: Readonly<Record<string, string>>,
  timeout: number,
): JsonObject {
  return {
    $schema: "https://choria.io/schemas/choria/discovery/v1/external_request.json",
    protocol: externalProtocols.request,
    collective: query.collective,
    filter: query.filter,
    federations: [],
    options,
    timeout: timeout / 1_000,
  };
}

function environment(request: string, reply: string): Record<string, string | undefined> {
  return {
    PATH: process.env.PATH,
    CHORIA_EXTERNAL_REQUEST: request,
    CHORIA_EXTERNAL_REPLY: reply,
    CHORIA_EXTERNAL_PROTOCOL: externalProtocols.request,
  };
}

async function run(
  command: readonly string[],
  env: Record<string, string | undefined>,
  timeout: number,
  signal: AbortSignal,
): Promise<void> {
  const name = basename(command[0] ?? "");
  try {
    const { exitCode, stderr } = await runProcess(command, { timeout, env, signal, captureStderr: true });
    if (exitCode === 0) return;
    const said = decodeUtf8(stderr).trim();
    throw new Error(`executing ${name} failed: exit status ${exitCode}${said === "" ? "" : `: ${said}`}`);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ProcessError)) throw error;
    throw new Error(`executing ${name} failed: ${error.message}`, { cause: error });
  }
}

function readReply(data: Uint8Array, command: string): Iterable<string> {
  const { protocol, nodes, error } = parseReply(data, command);
  if (protocol !== externalProtocols.reply) {
    throw new Error(`invalid response received, expected protocol "${externalProtocols.reply}" got "${protocol}"`);
  }
  if (typeof error === "string" && error !== "") throw new Error(error);
  const found = nodes ?? [];
  if (!isStringList(found)) throw new Error(`Cannot read the nodes of ${command}: expected a list of names`);
  checkIdentities(found, `the reply of ${command}`);
  return new Set(found);
}

function parseReply(data: Uint8Array, command: string): JsonObject {
  try {
    return parseObject(data);
  } catch (error) {
    throw new Error(`Cannot read the reply of ${command}: ${errorText(error)}`, { cause: error });
  }
}
