import { drawPane, fitLine, type Key, type Line, type Paint, type Pane, type Span } from "../../../lib/cli/mod.ts";
import { type BoardCounts, type BoardFilter, type ScoutBoard, timeOfDay } from "../../../lib/scout/mod.ts";
import { checkSpans, columnWidths, countSpans, figureLines, problemSpans, transitionSpans } from "./watch_lines.ts";

/** What a key asks of whoever owns the screen: to draw everything anew, or to end. */
export type WatchWish = "quit" | "refresh" | undefined;

/** What {@link WatchView} shows. */
export interface WatchViewOptions {
  board: ScoutBoard;
  filter: BoardFilter;
  /** Whether the figures of each check are shown. */
  showsFigures: boolean;
  /** What stands in the title now. */
  title: () => string;
  paint: Paint;
}

type PaneName = "checks" | "transitions" | "problems";

/** How a pane is scrolled: lines above its end, or for problems lines below its beginning. */
interface Scroll {
  offset: number;
  /** How many lines it had and how many it showed when it was last drawn. */
  total: number;
  height: number;
}

/** The screen of `choria scout watch`: what it shows, and what keys do to it. Draws text and owns no terminal. */
export class WatchView {
  readonly #options: WatchViewOptions;
  readonly #scrolls: Record<PaneName, Scroll> = {
    checks: unscrolled(),
    transitions: unscrolled(),
    problems: unscrolled(),
  };
  readonly #grown = { transitions: 0, problems: 0 };
  #focus: PaneName = "checks";
  #words = "";
  #isTyping = false;
  #showsOk: boolean;
  #showsFigures: boolean;
  #damaged = 0;

  constructor(options: WatchViewOptions) {
    this.#options = options;
    this.#showsOk = options.filter.showsOk !== false;
    this.#showsFigures = options.showsFigures;
  }

  /** Count a document that could not be read. */
  damaged(): void {
    this.#damaged++;
  }

  /** Take a key. */
  press(key: Key): WatchWish {
    if (key.name === "ctrl") return this.#control(key.letter);
    if (this.#isTyping) return this.#type(key);
    if (key.name === "text") return this.#letter(key.text);
    if (key.name === "escape" && this.#words === "") return "quit";
    if (key.name === "escape") this.#words = "";
    else if (key.name === "tab" || key.name === "right") this.#turn(1);
    else if (key.name === "backtab" || key.name === "left") this.#turn(-1);
    else this.#scroll(key.name);
    return undefined;
  }

  /** Draw everything: as many lines as the terminal has rows. */
  draw({ columns, rows }: { columns: number; rows: number }, now: number): string[] {
    const { board, paint } = this.#options;
    const counts = board.counts(now);
    const heights = paneHeights(rows - 2, this.#grown);
    const panes: [PaneName, Pane][] = [
      ["checks", this.#checksPane(heights.checks, columns)],
      ["transitions", this.#transitionsPane(heights.transitions)],
      ["problems", this.#observedPane(heights.problems, counts, columns, now)],
    ];
    const body = panes.flatMap(([name, pane]) => {
      const focused = { ...pane, isFocused: name === this.#focus };
      return drawPane(focused, { columns, rows: heights[name] }, paint);
    });
    return [this.#head(columns, now), ...body, this.#foot(columns)].slice(0, rows);
  }

  get #filter(): BoardFilter {
    return { ...this.#options.filter, showsOk: this.#showsOk, words: this.#words };
  }

  #control(letter: string): WatchWish {
    if (letter === "c") return "quit";
    if (letter === "l") this.#options.board.clear();
    if (letter === "r") this.#reset();
    if (letter === "u" && this.#isTyping) this.#words = "";
    return letter === "l" || letter === "r" ? "refresh" : undefined;
  }

  /** Look again as at the beginning. */
  #reset(): void {
    const { filter, showsFigures } = this.#options;
    this.#focus = "checks";
    this.#words = "";
    this.#isTyping = false;
    this.#showsOk = filter.showsOk !== false;
    this.#showsFigures = showsFigures;
    Object.assign(this.#grown, { transitions: 0, problems: 0 });
    for (const scroll of Object.values(this.#scrolls)) scroll.offset = 0;
  }

  /** Give the pane a row of another's, or the other way round. The checks have what the others leave. */
  #grow(by: number): void {
    const pane = this.#focus === "checks" ? "transitions" : this.#focus;
    const wanted = this.#grown[pane] + (this.#focus === "checks" ? -by : by);
    this.#grown[pane] = Math.min(Math.max(wanted, -mostGrown), mostGrown);
  }

  #type(key: Exclude<Key, { name: "ctrl" }>): undefined {
    if (key.name === "text") this.#words += key.text;
    else if (key.name === "backspace") this.#words = [...this.#words].slice(0, -1).join("");
    else if (key.name === "enter") this.#isTyping = false;
    else if (key.name === "escape") {
      this.#isTyping = false;
      this.#words = "";
    } else this.#scroll(key.name);
    return undefined;
  }

  #letter(letter: string): WatchWish {
    if (letter === "q") return "quit";
    if (letter === "/") this.#isTyping = true;
    else if (letter === "o") this.#showsOk = !this.#showsOk;
    else if (letter === "p") this.#showsFigures = !this.#showsFigures;
    else if (letter === "+") this.#grow(1);
    else if (letter === "-") this.#grow(-1);
    else if (letter === "k") this.#scroll("up");
    else if (letter === "j") this.#scroll("down");
    else if (letter === "g") this.#scroll("home");
    else if (letter === "G") this.#scroll("end");
    return undefined;
  }

  #turn(step: number): void {
    const names: PaneName[] = ["checks", "transitions", "problems"];
    this.#focus = names[(names.indexOf(this.#focus) + step + names.length) % names.length] ?? "checks";
  }

  #scroll(key: string): void {
    const scroll = this.#scrolls[this.#focus];
    const page = Math.max(1, scroll.height - 1);
    const steps: Readonly<Record<string, number>> = {
      up: 1,
      down: -1,
      pageup: page,
      pagedown: -page,
      home: scroll.total,
      end: -scroll.total,
    };
    const step = steps[key] ?? 0;
    // Problems begin at the top, events end at the bottom.
    const wanted = scroll.offset + (this.#focus === "problems" ? -step : step);
    scroll.offset = Math.min(Math.max(0, wanted), Math.max(0, scroll.total - scroll.height));
  }

  #checksPane(height: number, columns: number): Pane {
    const checks = this.#options.board.checks(this.#filter);
    const widths = columnWidths(checks, columns);
    const lines = checks.flatMap((check) => [
      checkSpans(check, widths),
      ...(this.#showsFigures ? figureLines(check) : []),
    ]);
    return { title: "Checks", note: this.#note("checks", checks.length), lines: this.#tail("checks", lines, height) };
  }

  #transitionsPane(height: number): Pane {
    const lines = this.#options.board.transitions(this.#filter).map(transitionSpans);
    const note = this.#note("transitions", lines.length);
    return { title: "Transitions", note, lines: this.#tail("transitions", lines, height) };
  }

  #observedPane(height: number, counts: BoardCounts, columns: number, now: number): Pane {
    const problems = this.#options.board.problems(this.#filter);
    const widths = columnWidths(problems, columns);
    const room = Math.max(0, height - 3);
    const scroll = this.#scrolls.problems;
    Object.assign(scroll, { total: problems.length, height: room });
    scroll.offset = Math.min(scroll.offset, Math.max(0, problems.length - room));
    const shown = problems.slice(scroll.offset, scroll.offset + room);
    const lines = [countSpans(counts, columns, now), ...shown.map((problem) => problemSpans(problem, widths, now))];
    return { title: "Observed Status", note: problems.length === 0 ? "" : `${problems.length} not OK`, lines };
  }

  /** The lines that a pane shows: its last ones, or those that it was scrolled to, which stay while others come. */
  #tail(name: PaneName, lines: readonly Line[], height: number): readonly Line[] {
    const scroll = this.#scrolls[name];
    const room = Math.max(0, height - 2);
    if (scroll.offset > 0) scroll.offset += Math.max(0, lines.length - scroll.total);
    Object.assign(scroll, { total: lines.length, height: room });
    scroll.offset = Math.min(scroll.offset, Math.max(0, lines.length - room));
    const end = lines.length - scroll.offset;
    return lines.slice(Math.max(0, end - room), end);
  }

  #note(name: PaneName, count: number): string {
    const { offset } = this.#scrolls[name];
    return offset === 0 ? String(count) : `${count}, ${offset} below`;
  }

  #head(columns: number, now: number): string {
    const { title, paint } = this.#options;
    const time = `${timeOfDay(now)} `;
    const room = Math.max(0, columns - time.length);
    return paint.inverse(fitLine(fitLine(` Choria Scout  ${title()}`, room, paint) + time, columns, paint));
  }

  #foot(columns: number): string {
    const { paint } = this.#options;
    if (this.#isTyping) {
      const spans: Span[] = [
        { text: " filter: " },
        { text: this.#words, style: "bold" },
        { text: " ", style: "inverse" },
      ];
      return fitLine([...spans, { text: "  Enter keeps it, Esc drops it", style: "dim" }], columns, paint);
    }
    const told: Span[] = [
      ...(this.#words === "" ? [] : [{ text: ` filter: ${this.#words} (Esc drops it) `, style: "yellow" } as const]),
      ...(this.#showsOk ? [] : [{ text: " without OK ", style: "yellow" } as const]),
      ...(this.#damaged === 0 ? [] : [{ text: ` ${this.#damaged} unreadable `, style: "red" } as const]),
    ];
    const help = " / filter  o OK  p figures  Tab pane  ↑↓ scroll  +- size  ^L clear  ^R reset  q";
    return fitLine([...told, { text: help, style: "dim" }], columns, paint);
  }
}

function unscrolled(): Scroll {
  return { offset: 0, total: 0, height: 0 };
}

/** How many rows each pane gets; on small terminals the least needed go first. */
function paneHeights(rows: number, grown: Record<"transitions" | "problems", number>): Record<PaneName, number> {
  if (rows < 8) return { checks: Math.max(0, rows), transitions: 0, problems: 0 };
  const share = Math.floor(rows / 4);
  const least = 3;
  const problems = clamp(Math.max(least, share) + grown.problems, least, rows - 2 * least);
  const room = rows - problems - least;
  const transitions = rows < 14 ? 0 : clamp(share + grown.transitions, Math.min(least, room), room);
  return { checks: rows - problems - transitions, transitions, problems };
}

/** Rows by which a pane may be larger or smaller than by itself. */
const mostGrown = 200;

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
