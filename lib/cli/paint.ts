/** Colours text, or leaves it as it is where colours are not wanted. */
export interface Paint {
  /** Whether text is coloured at all. */
  readonly enabled: boolean;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  magenta(text: string): string;
  cyan(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
  /** Text and background change places. */
  inverse(text: string): string;
  /** Bright white, for headings. */
  heading(text: string): string;
}

/** A way in which a {@link Paint} draws text. */
export type PaintStyle = Exclude<keyof Paint, "enabled">;

/** Make a {@link Paint}. */
export function createPaint(enabled: boolean): Paint {
  const code = (start: number) => (text: string) => (enabled ? `\u001b[${start}m${text}\u001b[0m` : text);
  return {
    enabled,
    red: code(31),
    green: code(32),
    yellow: code(33),
    magenta: code(35),
    cyan: code(36),
    heading: code(97),
    bold: code(1),
    dim: code(2),
    inverse: code(7),
  };
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
