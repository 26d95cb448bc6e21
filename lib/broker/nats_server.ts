import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { errorText, isFile } from "../std/mod.ts";

/** A nats-server that can be the broker. */
export interface NatsServer {
  path: string;
  /** For example `2.15.1`. */
  version: string;
}

/** Where {@link findNatsServer} looks. */
export interface FindOptions {
  /** The process's environment: `NATS_SERVER` and `PATH`. */
  env: Readonly<Record<string, string | undefined>>;
  /** Where `setup.sh` puts what the machine lacks. */
  cache: string;
}

/** There is no nats-server on this machine. */
export class NatsServerMissingError extends Error {
  override readonly name = "NatsServerMissingError";
}

const oldest = [2, 11] as const;
const wayOut = "run ./setup.sh, which installs it, or name one in the environment variable NATS_SERVER";

/** The project's own place for nats-server. */
export const cachedNatsServer: string = join(import.meta.dir, "../../.choria/tools/bin/nats-server");

/**
 * Find a nats-server of version 2.11 or newer: the one that `NATS_SERVER` names, else one on the `PATH`, else the
 * project's own.
 *
 * @throws {NatsServerMissingError} when there is none, else {@link Error} saying what was found where, and what to do.
 */
export async function findNatsServer(
  options: FindOptions = { env: process.env, cache: cachedNatsServer },
): Promise<NatsServer> {
  const { env, cache } = options;
  if (env.NATS_SERVER) return usable(env.NATS_SERVER);
  const found = [...onPath(env.PATH ?? ""), cache].filter(isExecutable);
  const faults: string[] = [];
  for (const path of found) {
    try {
      return await usable(path);
    } catch (error) {
      faults.push(errorText(error));
    }
  }
  if (faults[0] !== undefined) throw new Error(faults[0]);
  throw new NatsServerMissingError(`Cannot start the broker: nats-server is not installed: ${wayOut}`);
}

/** The version in what `nats-server --version` prints, or undefined. */
export function parseNatsVersion(text: string): string | undefined {
  return /\bv?(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
}

async function usable(path: string): Promise<NatsServer> {
  const version = parseNatsVersion(await versionText(path));
  if (version === undefined) throw new Error(`Cannot start the broker: ${path} is not a nats-server: ${wayOut}`);
  if (!isNewEnough(version)) {
    const least = oldest.join(".");
    throw new Error(`Cannot start the broker: ${path} is nats-server ${version}, older than ${least}: ${wayOut}`);
  }
  return { path, version };
}

async function versionText(path: string): Promise<string> {
  try {
    const child = Bun.spawn([path, "--version"], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: 10_000,
    });
    return await new Response(child.stdout).text();
  } catch (error) {
    throw new Error(`Cannot start the broker: ${path} does not run (${errorText(error)}): ${wayOut}`, { cause: error });
  }
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

function onPath(path: string): string[] {
  return path.split(delimiter).flatMap((folder) => (folder === "" ? [] : [join(folder, "nats-server")]));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return isFile(path);
  } catch {
    return false;
  }
}
