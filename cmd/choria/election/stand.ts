import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { createLogger, errorText, silentLogger, systemClock, writeFileAtomic } from "../../../lib/std/mod.ts";
import { startElection } from "../../../lib/streams/mod.ts";
import type { ClientSession } from "../client/open.ts";
import { checkProgram, runAttached } from "../governor/run.ts";

/** Which election somebody stands in. */
export interface Candidacy {
  name: string;
  bucket: string;
  isDebug: boolean;
}

/**
 * Wait until the election is won, run a program, and stand no longer.
 *
 * @param terminate End the program when leadership is lost.
 * @returns the program's exit code.
 */
export async function runAsLeader(
  candidacy: Candidacy,
  command: readonly string[],
  terminate: boolean,
  session: ClientSession,
): Promise<number> {
  checkProgram(command);
  const won = Promise.withResolvers<void>();
  const ending = new AbortController();
  const signal = AbortSignal.any([session.signal, ending.signal]);
  session.signal.addEventListener("abort", () => won.reject(session.signal.reason), { once: true });
  await using _election = stand(candidacy, session, {
    onWon: () => won.resolve(),
    onLost: () => terminate && ending.abort(new Error("leadership was lost")),
  });
  await won.promise;
  return await runAttached(command, signal);
}

/** Have a file there while the election is won, until interrupted. */
export async function keepFile(candidacy: Candidacy, file: string, session: ClientSession): Promise<void> {
  const { signal } = session;
  const remove = () => rmSync(file, { force: true });
  // What an earlier run has left says nothing about this one.
  remove();
  const done = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => done.resolve(), { once: true });
  try {
    await using _election = stand(candidacy, session, {
      onWon() {
        try {
          writeFileAtomic(file, `${candidacy.name}\n`);
        } catch (error) {
          done.reject(new Error(`Cannot write ${file}: ${errorText(error)}`, { cause: error }));
        }
      },
      onLost: remove,
    });
    await done.promise;
  } finally {
    remove();
  }
  signal.throwIfAborted();
}

function stand(
  { name, bucket, isDebug }: Candidacy,
  { fleet, config }: ClientSession,
  told: { onWon: () => void; onLost: () => void },
) {
  return startElection({
    connection: fleet.connection,
    name,
    bucket,
    identity: config.get("identity") || hostname(),
    clock: systemClock,
    logger: isDebug ? createLogger({ level: "debug", destination: "stderr" }) : silentLogger,
    ...told,
  });
}
