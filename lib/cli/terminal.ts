import { harmlessSink } from "./harmless.ts";
import { createPaint, type Paint, wantsColor } from "./paint.ts";

/** Something that takes text: a stream, or a test's list. */
export interface TextSink {
  write(text: string): unknown;
}

/** A stream of the process as far as it matters here. */
export interface TerminalStream extends TextSink {
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

/** Where a command writes. */
export interface Terminal {
  /** Results. */
  readonly out: TextSink;
  /** Errors and warnings. */
  readonly err: TextSink;
  /** Whether results go to a terminal. */
  readonly isInteractive: boolean;
  /** Whether errors go to a terminal. */
  readonly isErrorInteractive: boolean;
  /** Width of the terminal; 80 where there is none. */
  readonly columns: number;
  readonly paint: Paint;
  /** The stream of results as progress bars need it. */
  readonly stream: TerminalStream;
}

/** How {@link openTerminal} finds its streams. */
export interface TerminalOptions {
  stdout: TerminalStream;
  stderr: TerminalStream;
  env: Readonly<Record<string, string | undefined>>;
  /**
   * What the configuration says about colours.
   * @default true
   */
  color?: boolean;
}

/**
 * A {@link Terminal} over the streams of a process. On terminals only text and its colours get through; files and pipes
 * get everything as it is.
 */
export function openTerminal({ stdout, stderr, env, color = true }: TerminalOptions): Terminal {
  const isInteractive = stdout.isTTY === true;
  const isErrorInteractive = stderr.isTTY === true;
  return {
    out: isInteractive ? harmlessSink(stdout) : stdout,
    err: isErrorInteractive ? harmlessSink(stderr) : stderr,
    stream: stdout,
    isInteractive,
    isErrorInteractive,
    columns: stdout.columns && stdout.columns > 0 ? stdout.columns : 80,
    paint: createPaint(wantsColor({ env, isTerminal: isInteractive, wanted: color })),
  };
}
