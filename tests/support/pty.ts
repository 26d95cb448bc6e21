import { checkout } from "../cmd/support.ts";

/** A program on a terminal of its own, and what stands on that terminal. */
export class TestTerminal implements AsyncDisposable {
  readonly process: Bun.Subprocess;
  /** Everything that was sent to the terminal. */
  sent = "";
  readonly #terminal: Bun.Terminal;
  readonly #decoder = new TextDecoder();
  #rows: string[] = [];
  #row = 0;
  #column = 0;

  constructor(command: string[], { columns = 80, rows = 24, env = {} } = {}) {
    this.#terminal = new Bun.Terminal({
      cols: columns,
      rows,
      data: (_terminal, data) => this.#take(this.#decoder.decode(data, { stream: true })),
    });
    this.process = Bun.spawn(command, {
      cwd: checkout,
      env: { PATH: process.env.PATH, HOME: "/nonexistent", TERM: "xterm-256color", ...env },
      terminal: this.#terminal,
    });
  }

  /** The screen as text. */
  get screen(): string {
    return this.#rows.join("\n");
  }

  /** Its lines. */
  get lines(): readonly string[] {
    return this.#rows;
  }

  /** Type. */
  press(keys: string): void {
    this.#terminal.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#rows = [];
    this.#terminal.resize(columns, rows);
    // The terminal does not control the process, so nobody else tells it.
    this.process.kill("SIGWINCH");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
    this.#terminal.close();
  }

  #take(text: string): void {
    this.sent += text;
    const [plain = "", ...others] = text.split("\u{1b}");
    this.#write(plain);
    for (const other of others) {
      const [sequence = ""] = /^\[[?\d;]*[A-Za-z]/.exec(other) ?? [];
      this.#obey(sequence);
      this.#write(other.slice(sequence.length));
    }
  }

  #obey(sequence: string): void {
    const move = /^\[(\d+);(\d+)H$/.exec(sequence);
    if (move !== null) [this.#row, this.#column] = [Number(move[1]) - 1, Number(move[2]) - 1];
    else if (sequence === "[2J") this.#rows = [];
    else if (sequence === "[K") this.#put("", Number.POSITIVE_INFINITY);
  }

  #write(text: string): void {
    for (const part of text.match(/[\r\n]|[^\r\n]+/g) ?? []) {
      if (part === "\n") this.#row++;
      else if (part === "\r") this.#column = 0;
      else this.#put(part, part.length);
    }
  }

  #put(text: string, erased: number): void {
    while (this.#rows.length <= this.#row) this.#rows.push("");
    const line = (this.#rows[this.#row] ?? "").padEnd(this.#column);
    this.#rows[this.#row] = line.slice(0, this.#column) + text + line.slice(this.#column + erased);
    this.#column += text.length;
  }
}
