/** A command on a terminal, driven as a person would. */
export interface TerminalRun {
  /** What stands on the screen, a line at a time, colours left out. */
  text(): string;
  /** What stands in the line of the cursor. */
  line(): string;
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
    line: () => render(written).split("\n").at(-1) ?? "",
    quiet: () => Date.now() - last,
    type: (keys) => void child.terminal?.write(keys),
    exited: child.exited,
    kill: () => child.kill("SIGINT"),
  };
}

const control = "\u001b";
const pieces = new RegExp(
  `${control}\\[([0-9;?]*)([A-Za-z])|${control}[()][A-Z0-9]|${control}[78=>]|\r|[^${control}\r]`,
  "gu",
);

/** What a terminal shows of what was written, for programs that rewrite only the line they are in. */
export function render(written: string): string {
  return written
    .split("\n")
    .map((line) => renderLine(line))
    .join("\n");
}

function renderLine(line: string): string {
  const cells: string[] = [];
  let column = 0;
  for (const [piece, parameter = "", final] of line.matchAll(pieces)) {
    if (piece === "\r") column = 0;
    else if (final === "G") column = Math.max(0, Number(parameter || "1") - 1);
    else if (final === "K") cells.splice(parameter === "2" ? 0 : column, cells.length);
    else if (!piece.startsWith(control)) {
      while (cells.length < column) cells.push(" ");
      cells[column++] = piece;
    }
  }
  return cells.join("").trimEnd();
}
