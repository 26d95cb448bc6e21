import { askEverybody, type Broadcaster, discoveryWindow } from "../discovery/mod.ts";
import type { Filter } from "../protocol/mod.ts";
import type { Clock } from "../std/mod.ts";
import type { DiscoverOptions } from "./discover.ts";

/** How nodes are pinged. */
export interface PingOptions extends Pick<DiscoverOptions, "filter" | "collective" | "onRejected" | "signal"> {
  /**
   * Longest wait for answers, in milliseconds.
   * @default the configuration's `discovery_timeout`
   */
  timeout?: number;
  /**
   * End as soon as answers stop coming, rather than wait for the whole timeout.
   * @default true unless a timeout is given
   */
  windowed?: boolean;
  /** End when this many nodes have answered. */
  expect?: number;
  /** Told when the question is out. */
  onSent?: () => void;
}

/** A node's answer to a ping. */
export interface PingReply {
  sender: string;
  /** From sending the question to receiving the answer, in milliseconds. */
  time: number;
}

/** Ask every node that a filter matches for a sign of life, and give each answer as it comes. */
export async function* pingNodes(
  broadcaster: Broadcaster,
  clock: Clock,
  query: { collective: string; filter: Filter; timeout: number },
  options: PingOptions,
  signal: AbortSignal,
): AsyncGenerator<PingReply> {
  const { windowed = options.timeout === undefined, expect = 0 } = options;
  const times = new Map<string, number>();
  const timed: Broadcaster = {
    async ask(question, onAnswer) {
      const open = await broadcaster.ask(question, (sender, elapsed) => {
        if (!times.has(sender)) times.set(sender, elapsed);
        onAnswer(sender, elapsed);
      });
      options.onSent?.();
      return open;
    },
  };
  let count = 0;
  const full = { ...query, ...(windowed ? { window: discoveryWindow } : {}) };
  for await (const sender of askEverybody(timed, clock, full, signal)) {
    yield { sender, time: times.get(sender) ?? 0 };
    if (++count === expect) return;
  }
}
