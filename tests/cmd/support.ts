import { resolve } from "node:path";
import type { TestNetwork } from "../client/support/network.ts";

/** The checkout. */
export const checkout = resolve(import.meta.dir, "../..");

/** What a process came to. */
export interface Run {
  code: number;
  out: string;
  err: string;
}

/** Where the command line runs. */
export interface RunOptions {
  env?: Record<string, string | undefined>;
  /** Standard input; closed by default. */
  input?: string;
  /** Called with the process once it runs. */
  onStart?: (child: Bun.Subprocess) => void;
}

/** Run a program to its end. */
export async function run(command: string[], { env = {}, input, onStart }: RunOptions = {}): Promise<Run> {
  const child = Bun.spawn(command, {
    cwd: checkout,
    env: { PATH: process.env.PATH, HOME: "/nonexistent", ...env },
    stdin: input === undefined ? "ignore" : new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  onStart?.(child);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

/** Run the command line as a user would, by the launcher. */
export function choria(args: string[], options: RunOptions = {}): Promise<Run> {
  return run(["./choria", ...args], options);
}

/** Write a client's configuration file for a network; keys given replace its own. */
export async function writeClientConfig(network: TestNetwork, name: string, changes: Record<string, string> = {}) {
  const file = network.file(name);
  const lines = [...network.config(changes).entries()].map(([key, { value }]) => `${key} = ${value}`);
  await Bun.write(file, `${lines.join("\n")}\n`);
  return file;
}
