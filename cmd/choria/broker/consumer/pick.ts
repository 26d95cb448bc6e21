import type { ConsumerInfo } from "@nats-io/jetstream";
import { terminalQuestions } from "../../../../lib/cli/mod.ts";
import type { StreamSession } from "../session.ts";
import { pickStream } from "../stream/pick.ts";

/**
 * The consumer of a name; where no name is given, the one that somebody at the terminal picks.
 *
 * @throws {Error} when there is nobody to pick one.
 */
export async function pickConsumer(
  session: StreamSession,
  stream: string | undefined,
  name: string | undefined,
): Promise<ConsumerInfo> {
  const { manager } = session;
  const { config } = await pickStream(session, stream);
  if (name !== undefined) return manager.consumers.info(config.name, name);
  if (!process.stdin.isTTY || !session.terminal.isInteractive) {
    throw new Error("cannot pick a Consumer without a terminal and no Consumer name supplied");
  }
  const names = (await Array.fromAsync(manager.consumers.list(config.name))).map((one) => one.name).sort();
  const [first] = names;
  if (first === undefined) throw new Error(`no consumers are defined on stream ${config.name}`);
  return manager.consumers.info(config.name, await terminalQuestions.choose("Select a Consumer", names, first));
}
