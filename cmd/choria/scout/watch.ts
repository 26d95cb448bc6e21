import { Command, InvalidArgumentError } from "commander";
import { Screen } from "../../../lib/cli/mod.ts";
import {
  type BoardFilter,
  checkLine,
  figureText,
  followScout,
  longestHistory,
  ScoutBoard,
  type ScoutEvent,
  showsCheck,
  showsTransition,
  transitionLine,
} from "../../../lib/scout/mod.ts";
import { errorText, jsonLine, parseDuration, systemClock } from "../../../lib/std/mod.ts";
import { gather } from "../client/filters.ts";
import { addClientFlags, type ClientFlags, type ClientSession, withFleet } from "../client/open.ts";
import { refusals } from "../client/refusals.ts";
import { paintState } from "./colors.ts";
import { WatchView } from "./watch_view.ts";

interface WatchFlags extends ClientFlags {
  identity?: string;
  check?: string;
  perf?: true;
  /** Milliseconds. */
  history: number;
  ok: boolean;
  ignoreMachineTransition: string[];
  plain?: true;
  json?: true;
}

const examples = `
Examples:
  choria scout watch
  choria scout watch --history 30m --no-ok
  choria scout watch --identity web --check disk --perf
  choria scout watch --json > events.jsonl

Keys: / filters as you type, o hides or shows what is OK, p shows figures, Tab goes to the next pane, arrows and PgUp
scroll it, + and - make it larger and smaller, ^L clears, ^R resets the view, q, Esc or ^C end it. Where the output is no
terminal it is a line an event.

Needs a token that may view events, and for --history one that may read streams.`;

/** `choria scout watch`: checks and transitions of the fleet as they happen. */
export function watchCommand(): Command {
  const watch = new Command("watch").description("Watch checks and transitions of the fleet as they happen.");
  return addClientFlags(watch)
    .option("--identity <text>", "nodes with this in their name")
    .option("--check <text>", "checks with this in their name")
    .option("--perf", "show the figures that checks measure")
    .option("--history <duration>", "begin with what happened this long ago, up to 1h", parseHistory, 0)
    .option("--ok", "show checks that are OK", true)
    .option("--no-ok", "hide checks that are OK")
    .option("--ignore-machine-transition <name>", "hide transitions of a machine; may be repeated", gather, [])
    .option("--plain", "write a line an event in place of the screen")
    .option("-j, --json", "write each event as the document that was sent")
    .addHelpText("after", examples)
    .action((flags: WatchFlags) => withFleet(flags, (session) => watchScout(flags, session)));
}

function parseHistory(text: string): number {
  let history: number;
  try {
    history = parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
  if (history > longestHistory) throw new InvalidArgumentError("maximum history that can be fetched is 1 hour");
  return Math.max(0, history);
}

function watchScout(flags: WatchFlags, session: ClientSession): Promise<void> {
  const isScreen = !flags.plain && !flags.json && session.terminal.isInteractive && process.stdin.isTTY;
  return isScreen ? watchOnScreen(flags, session) : watchPlain(flags, session);
}

function filterOf({ identity, check, ok, ignoreMachineTransition }: WatchFlags): BoardFilter {
  return {
    ...(identity === undefined ? {} : { identity }),
    ...(check === undefined ? {} : { check }),
    showsOk: ok,
    ignoredMachines: ignoreMachineTransition,
  };
}

/** How often the screen is drawn at most where no key is pressed, in milliseconds. */
const frame = 200;

async function watchOnScreen(flags: WatchFlags, { fleet, terminal, signal }: ClientSession): Promise<void> {
  const { connection, caller } = fleet;
  const board = new ScoutBoard();
  const view = new WatchView({
    board,
    filter: filterOf(flags),
    showsFigures: flags.perf ?? false,
    title: () => `${connection.server || "disconnected"} as ${caller}`,
    paint: terminal.paint,
  });
  const { promise: ended, resolve: quit } = Promise.withResolvers<void>();
  let isStale = true;
  const feed = await followScout(connection, {
    history: flags.history,
    now: systemClock.now,
    onEvent(event, seenAt) {
      board.add(event, seenAt);
      isStale = true;
    },
    onDamaged: () => view.damaged(),
  });
  using screen = new Screen({
    input: process.stdin,
    output: process.stdout,
    onKey(key) {
      const wish = view.press(key);
      if (wish === "quit") return quit();
      if (wish === "refresh") screen.refresh();
      draw();
    },
    onResize: () => draw(),
  });
  let drawnAt = 0;
  const draw = () => {
    isStale = false;
    drawnAt = systemClock.now();
    screen.draw(view.draw(screen.size, drawnAt));
  };
  // The clock in the title goes on when nothing else does.
  using _frames = systemClock.every(frame, () => {
    if (isStale || systemClock.now() - drawnAt >= 1_000) draw();
  });
  signal.addEventListener("abort", () => quit(), { once: true });
  draw();
  try {
    signal.throwIfAborted();
    await Promise.race([ended, feed.broken, refusals(connection, caller)]);
  } finally {
    await feed.stop();
  }
  signal.throwIfAborted();
}

async function watchPlain(flags: WatchFlags, { fleet, terminal, signal }: ClientSession): Promise<void> {
  const { connection, caller } = fleet;
  const filter = filterOf(flags);
  const widths = { identity: 0, machine: 0 };
  const write = (line: string) => terminal.out.write(`${line}\n`);
  const lines = (event: ScoutEvent): string[] => {
    if (event.kind === "transition") return showsTransition(event, filter) ? [transitionLine(event)] : [];
    if (!showsCheck(event, filter)) return [];
    widths.identity = Math.max(widths.identity, event.identity.length);
    widths.machine = Math.max(widths.machine, event.machine.length);
    const figures = flags.perf ? event.perfdata.map((figure) => `    ${figureText(figure)}`) : [];
    return [paintState(event.status, terminal.paint, checkLine(event, widths)), ...figures];
  };
  const feed = await followScout(connection, {
    history: flags.history,
    now: systemClock.now,
    onEvent: (event, _seenAt, document) => {
      const shown = lines(event);
      if (flags.json && shown.length > 0) write(jsonLine(document));
      else for (const line of shown) write(line);
    },
  });
  const { promise: ended, resolve: quit } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => quit(), { once: true });
  try {
    signal.throwIfAborted();
    await Promise.race([ended, feed.broken, refusals(connection, caller)]);
  } finally {
    await feed.stop();
  }
  signal.throwIfAborted();
}
