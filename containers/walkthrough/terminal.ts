/** A command on a terminal, driven as a person would. */
export interface TerminalRun {
  /** What stands on the screen, a line at a time, colours left out. */
  text(): string;
  /** Milliseconds since it last wrote anything. */
  quiet(): number;
  type(keys: string): void;
  readonly exited: Promise<number>;
  kill(): void;
}

/** Start a command on a terminal of its own. */
export function startOnTerminal(
  command: string[],
  options: { cwd: string; env: Record<string, string | undefined> },
): TerminalRun {
  const decoder = new TextDecoder();
  let written = "";
  let last = Date.now();
  const child = Bun.spawn(command, {
    ...options,
    terminal: {
      cols: 200,
      rows: 50,
      data(_terminal, bytes) {
        written += decoder.decode(bytes, { stream: true });
        last = Date.now();
      },
    },
  });
  return {
    text: () => render(written),
    quiet: () => Date.now() - last,
    type: (keys) => void child.terminal?.write(keys),
    exited: child.exited,
    kill: () => child.kill("SIGINT"),
  };
}

const control = "\u001b";
const pieces = new RegExp(
  `${control}\\[([0-9;?]*)([A-Za-z])|${control}[()][A-Z0-9]|${control}[78=>]|[\r\n]|[^${control}]`,
  "gu",
);

/** What stands on a terminal, without end downwards, once this was written to it; colours are left out. */
export function render(written: string): string {
  const screen = new Screen();
  for (const [piece, parameter = "", final] of written.matchAll(pieces)) {
    if (final !== undefined) screen.control(final, parameter);
    else if (piece === "\r") screen.column = 0;
    else if (piece === "\n") screen.breakLine();
    else if (!piece.startsWith(control)) screen.put(piece);
  }
  return screen.text();
}

class Screen {
  column = 0;
  #row = 0;
  readonly #rows: string[][] = [[]];

  put(character: string): void {
    const row = this.#rows[this.#row] ?? [];
    while (row.length < this.column) row.push(" ");
    row[this.column++] = character;
  }

  breakLine(): void {
    this.column = 0;
    this.#row++;
    while (this.#rows.length <= this.#row) this.#rows.push([]);
  }

  control(final: string, parameter: string): void {
    const count = Number(parameter) || 1;
    if (final === "A") this.#row = Math.max(0, this.#row - count);
    else if (final === "B") this.#row = Math.min(this.#rows.length - 1, this.#row + count);
    else if (final === "C") this.column += count;
    else if (final === "D") this.column = Math.max(0, this.column - count);
    else if (final === "G") this.column = count - 1;
    else if (final === "K") this.#eraseLine(parameter);
    else if (final === "J") this.#eraseBelow();
  }

  text(): string {
    return this.#rows.map((row) => row.join("").trimEnd()).join("\n");
  }

  #eraseLine(parameter: string): void {
    this.#rows[this.#row]?.splice(parameter === "2" ? 0 : this.column);
  }

  #eraseBelow(): void {
    this.#eraseLine("");
    this.#rows.length = this.#row + 1;
  }
}
