import type { StreamInfo } from "@nats-io/jetstream";
import { terminalQuestions } from "../../../../lib/cli/mod.ts";
import { findStream } from "../../../../lib/streams/mod.ts";
import type { StreamSession } from "../session.ts";

/** Streams that the brokers or libraries keep for themselves, which people seldom ask for. */
export function isInternal(name: string): boolean {
  return /^(KV|OBJ|MQTT|\$)_/.test(name) || name.startsWith("$");
}

/**
 * The stream of a name; where there is none, or no name, the one that somebody at the terminal picks.
 *
 * @throws {Error} when there is nobody to pick one.
 */
export async function pickStream(session: StreamSession, name: string | undefined): Promise<StreamInfo> {
  const { manager } = session;
  if (name !== undefined) {
    const found = await findStream(manager, name);
    if (found !== undefined) return found;
  }
  const isAlone = !process.stdin.isTTY || !session.terminal.isInteractive;
  if (name !== undefined && isAlone) throw new Error(`stream "${name}" does not exist`);
  if (isAlone) {
    throw new Error(
      "could not pick a Stream to operate on: cannot pick a Stream without a terminal and no Stream name supplied",
    );
  }
  const names = (await Array.fromAsync(manager.streams.names())).sort();
  const [first] = names;
  if (first === undefined) throw new Error("could not pick a Stream to operate on: no streams are defined");
  return manager.streams.info(await terminalQuestions.choose("Select a Stream", names, first));
}
