import { type Key, KeyDecoder } from "./keys.ts";

/** Where keys come from: the process's standard input, as far as it matters here. */
export interface KeySource {
  setRawMode?(isRaw: boolean): unknown;
  on(event: "data", listener: (data: Uint8Array | string) => void): unknown;
  off(event: "data", listener: (data: Uint8Array | string) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** Where the screen is drawn: the process's standard output, as far as it matters here. */
export interface ScreenOutput {
  columns?: number | undefined;
  rows?: number | undefined;
  write(text: string): unknown;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

/** How {@link Screen} is opened. */
export interface ScreenOptions {
  input: KeySource;
  output: ScreenOutput;
  /** A key was pressed. */
  onKey(key: Key): void;
  /** The terminal has another size: draw again. */
  onResize(): void;
}

/** Enter and leave: the alternate screen, a hidden cursor, no wrapping at the right edge. */
const enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J";
const leave = "\u{1b}[2J\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l";
/** Terminals that know these show a frame at once, without tearing; others pass over them. */
const frameBegin = "\u{1b}[?2026h";
const frameEnd = "\u{1b}[?2026l";

/** How long the rest of a sequence of keys may take, in milliseconds. */
const escapePatience = 40;

/** The whole terminal, until it is closed; whatever ends the process, the terminal is as it was before. */
export class Screen implements Disposable {
  readonly #options: ScreenOptions;
  readonly #keys = new KeyDecoder();
  readonly #decoder = new TextDecoder();
  readonly #onData = (data: Uint8Array | string) => this.#read(data);
  readonly #onResize = () => this.#resized();
  readonly #onExit = () => this.close();
  #shown: string[] = [];
  #escape: ReturnType<typeof setTimeout> | undefined;
  #isOpen = true;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { input, output } = options;
    process.once("exit", this.#onExit);
    output.write(enter);
    output.on("resize", this.#onResize);
    input.setRawMode?.(true);
    input.on("data", this.#onData);
    input.resume();
  }

  /** The size of the terminal; 80 by 24 where it does not tell. */
  get size(): { columns: number; rows: number } {
    const { columns, rows } = this.#options.output;
    return { columns: columns && columns > 0 ? columns : 80, rows: rows && rows > 0 ? rows : 24 };
  }

  /** Show lines from the top; only those that are not there yet are sent. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const { rows } = this.size;
    const wanted = Array.from({ length: rows }, (_, row) => lines[row] ?? "");
    const changes = wanted
      .map((line, row) => (line === this.#shown[row] ? "" : `\u{1b}[${row + 1};1H\u{1b}[K${line}\u{1b}[0m`))
      .join("");
    this.#shown = wanted;
    if (changes !== "") this.#options.output.write(frameBegin + changes + frameEnd);
  }

  /** Forget what is shown, so that everything is drawn anew. */
  refresh(): void {
    this.#shown = [];
    if (this.#isOpen) this.#options.output.write("\u{1b}[2J");
  }

  /** Give the terminal back. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#escape);
    const { input, output } = this.#options;
    process.off("exit", this.#onExit);
    output.off("resize", this.#onResize);
    input.off("data", this.#onData);
    input.setRawMode?.(false);
    input.pause();
    output.write(leave);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(data: Uint8Array | string): void {
    clearTimeout(this.#escape);
    this.#press(this.#keys.push(typeof data === "string" ? data : this.#decoder.decode(data, { stream: true })));
    if (this.#keys.isWaiting) this.#escape = setTimeout(() => this.#press(this.#keys.flush()), escapePatience);
  }

  #press(keys: readonly Key[]): void {
    for (const key of keys) if (this.#isOpen) this.#options.onKey(key);
  }

  #resized(): void {
    this.refresh();
    this.#options.onResize();
  }
}
