/**
 * A list of waiting times for repeated tries, each jittered so that a fleet that lost its broker does
 * not come back in step.
 */
export interface Backoff {
  /**
   * How long to wait before try number `attempt` (0 is the first wait), in milliseconds, drawn evenly
   * from half to one and a half times the list's entry; past its end the last entry repeats.
   */
  delay(attempt: number): number;
}

/** Make a {@link Backoff} from waiting times in milliseconds. */
export function backoff(steps: readonly number[], random: () => number = Math.random): Backoff {
  return {
    delay(attempt) {
      const step = steps[Math.min(Math.max(attempt, 0), steps.length - 1)] ?? 0;
      return Math.round(step * (0.5 + random()));
    },
  };
}

const climb = (from: number, to: number, by: number): number[] =>
  Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);

/** Waiting times for a first connection: 0.5 s climbing to 5 s. */
export const fiveSecondSteps: readonly number[] = [500, 750, ...climb(1_000, 5_000, 500)];

/** Waiting times for reconnecting and for periodic work that may slow down: 0.5 s climbing to 20 s. */
export const twentySecondSteps: readonly number[] = [500, 750, ...climb(1_000, 20_000, 500)];
