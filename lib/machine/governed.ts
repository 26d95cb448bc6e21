import { newEvent, publishEvent } from "../lifecycle/mod.ts";
import { enterGovernor, GovernorError } from "../streams/mod.ts";
import type { WatcherContext } from "./watcher.ts";

/** How {@link governed} waits. */
export interface GovernedOptions {
  /** Name of the governor, with its templates filled in; empty for none. */
  governor: string;
  /** Longest wait for a slot, in milliseconds; 0 takes the default. @default 300_000 */
  timeout: number;
}

const defaultTimeout = 300_000;

/**
 * Do some work while holding a slot of a governor, which limits how many nodes do it at a time. Slots taken, left and
 * waited for in vain are told as lifecycle events of the machine.
 *
 * @throws {GovernorError} where there was no slot in time, and what the work throws.
 */
export async function governed<T>(
  context: WatcherContext,
  options: GovernedOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (options.governor === "") return work();
  const slot = await enter(context, options);
  tell(context, options.governor, "enter", slot.sequence);
  try {
    return await work();
  } finally {
    await slot.leave();
    tell(context, options.governor, "exit", slot.sequence);
  }
}

async function enter(context: WatcherContext, { governor, timeout }: GovernedOptions) {
  const { machine, definition, signal } = context;
  const { connection, collective, identity, clock } = machine.node;
  if (connection === undefined) throw new GovernorError(`Cannot enter governor ${governor} without a broker`);
  try {
    return await enterGovernor({
      connection,
      collective,
      name: governor,
      // The blanks are those of the original, which others look for.
      holder: `Auto Agent  ${machine.name}#${definition.name} @ ${identity}`,
      timeout: timeout === 0 ? defaultTimeout : timeout,
      clock,
      signal,
    });
  } catch (error) {
    if (error instanceof GovernorError && error.isFull) tell(context, governor, "timeouts", 0);
    throw error;
  }
}

function tell(
  { machine, logger }: WatcherContext,
  governor: string,
  action: "enter" | "exit" | "timeouts",
  sequence: number,
): void {
  const { connection, identity, clock } = machine.node;
  if (connection === undefined) return;
  try {
    const fields = { type: "governor", identity, component: machine.name, governor, action, sequence } as const;
    publishEvent(connection, newEvent(fields, clock.now()), "plain");
  } catch (error) {
    logger.warn("A governor's event could not be published", { governor, reason: String(error) });
  }
}
