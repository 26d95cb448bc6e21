import type { Options, SingleBar } from "cli-progress";
import type { Paint } from "./paint.ts";
import type { Terminal } from "./terminal.ts";

/** How far a piece of work is. */
export interface ProgressState {
  done: number;
  total: number;
  /** Milliseconds since it began. */
  elapsed: number;
}

/** Narrowest terminal, less the text around the bar, on which a bar is drawn. */
const narrowest = 35;

/** How wide the bar is on a terminal of `columns`, brackets included; undefined where none fits. */
export function barWidth(columns: number): number | undefined {
  const width = Math.min(columns - 30, 80);
  return columns < narrowest || width < 3 ? undefined : width;
}

/** One line of a bar: `3 / 10    0s [=====>-------------]  30%`. */
export function formatProgress(state: ProgressState, width: number, paint: Paint): string {
  const { done, total, elapsed } = state;
  const fraction = total === 0 ? 1 : Math.min(done / total, 1);
  const inner = width - 2;
  // The opening bracket counts as the first filled place.
  const filled = Math.min(Math.max(Math.floor(width * fraction) - 1, 0), inner);
  const isDone = fraction >= 1;
  const head = isDone ? "=".repeat(inner) : `${"=".repeat(Math.max(filled - 1, 0))}${filled > 0 ? ">" : ""}`;
  const count = `${done} / ${total}`;
  const percent = String(Math.floor(fraction * 100)).padStart(3);
  const shown = fraction >= 1 ? paint.green(count) : paint.red(count);
  return `${shown} ${formatElapsed(elapsed).padStart(5)} [${head.padEnd(inner, "-")}] ${percent}%`;
}

/** Whole seconds for people: `0s`, `1m3s`; `---` before anything happened. */
function formatElapsed(ms: number): string {
  if (ms <= 0) return "---";
  const seconds = Math.floor(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

/** A bar on the terminal. */
export interface ProgressBar {
  /** Say how much is done. */
  update(done: number): void;
  /** Leave the line as it is and go to the next one. Idempotent. */
  stop(): void;
}

/**
 * Draw a progress bar, or one line at the end where the output is no terminal.
 *
 * @param now The present, milliseconds.
 * @returns undefined where the terminal is too narrow for one.
 */
export function startProgress(terminal: Terminal, total: number, now: () => number): ProgressBar | undefined {
  const width = barWidth(terminal.columns);
  if (width === undefined) return undefined;
  const start = now();
  const line = (done: number) =>
    formatProgress({ done, total, elapsed: Math.max(now() - start, 1) }, width, terminal.paint);
  return terminal.isInteractive ? drawnBar(total, line) : quietBar(terminal, line);
}

function drawnBar(total: number, line: (done: number) => string): ProgressBar {
  // Loaded by those who draw a bar: most runs of the command line do not.
  const { SingleBar } = require("cli-progress") as { SingleBar: new (options: Options) => SingleBar };
  const bar = new SingleBar({
    format: (_options, { value }) => line(value),
    stream: process.stdout,
    fps: 25,
    hideCursor: false,
    // The command ends bars when it is interrupted; handlers of signals are its own.
    gracefulExit: false,
    linewrap: null,
  });
  bar.start(total, 0);
  let isOpen = true;
  return {
    update: (done) => bar.update(done),
    stop() {
      if (isOpen) bar.stop();
      isOpen = false;
    },
  };
}

function quietBar(terminal: Terminal, line: (done: number) => string): ProgressBar {
  let last: number | undefined = 0;
  return {
    update(done) {
      last = done;
    },
    stop() {
      if (last !== undefined) terminal.out.write(`${line(last)}\n`);
      last = undefined;
    },
  };
}
