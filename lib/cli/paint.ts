/** Colours text, or leaves it as it is where colours are not wanted. */
export interface Paint {
  /** Whether text is coloured at all. */
  readonly enabled: boolean;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  /** Bright white, for headings. */
  heading(text: string): string;
}

/** Make a {@link Paint}. */
export function createPaint(enabled: boolean): Paint {
  const code = (start: number) => (text: string) => (enabled ? `\u001b[${start}m${text}\u001b[0m` : text);
  return { enabled, red: code(31), green: code(32), yellow: code(33), heading: code(97) };
}

/** What decides about colours. */
export interface PaintChoice {
  /** Environment variables. */
  env: Readonly<Record<string, string | undefined>>;
  /** Whether the output goes to a terminal. */
  isTerminal: boolean;
  /**
   * What the configuration says.
   * @default true
   */
  wanted?: boolean;
}

/** Whether to colour: only on a terminal that can, and neither `NO_COLOR` nor the configuration says no. */
export function wantsColor({ env, isTerminal, wanted = true }: PaintChoice): boolean {
  return wanted && isTerminal && !env.NO_COLOR && env.TERM !== "dumb";
}
