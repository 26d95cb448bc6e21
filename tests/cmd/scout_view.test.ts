import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { WatchView, type WatchViewOptions } from "../../cmd/choria/scout/watch_view.ts";
import { createPaint, type Key, textWidth } from "../../lib/cli/mod.ts";
import { ScoutBoard } from "../../lib/scout/mod.ts";

const now = new Date(2026, 10, 22, 15, 4, 5).getTime();
const size = { columns: 80, rows: 24 };

function newView(options: Partial<WatchViewOptions> = {}) {
  const board = new ScoutBoard();
  const paint = createPaint(false);
  const view = new WatchView({
    board,
    filter: {},
    showsFigures: false,
    title: () => "nats://b:4222",
    paint,
    ...options,
  });
  const add = (machine: string, status = "OK", identity = "n1.example.net") =>
    board.add(
      {
        kind: "check",
        time: now - 5_000,
        identity,
        machine,
        status,
        output: `${status} it is`,
        perfdata: [{ label: "used", value: 81, unit: "%" }],
      },
      now,
    );
  const text = () => view.draw(size, now).join("\n");
  const press = (...keys: (string | Key)[]) =>
    keys.map((key) => view.press(typeof key === "string" ? { name: "text", text: key } : key)).at(-1);
  return { board, view, add, text, press };
}

/** Lines between the borders of the first pane, without its sides. */
const checks = (text: string) =>
  text
    .split("\n")
    .slice(
      2,
      text.split("\n").findIndex((line) => line.startsWith("╰")),
    )
    .map((line) => line.slice(1, -1).trim())
    .filter(Boolean);

describe("the screen of scout watch", () => {
  test("shows checks, what is wrong and since when, and how many are how", () => {
    const { add, text } = newView();
    add("check_disk");
    add("check_load", "CRITICAL");
    expect(checks(text())).toEqual([
      "15:04:00 OK   n1.example.net check_disk: OK it is",
      "15:04:00 CRIT n1.example.net check_load: CRITICAL it is",
    ]);
    expect(text()).toContain("│ 15:04:05: IDENTITIES: 1 OK: 1 WARNING: 0 CRITICAL: 1 UNKNOWN: 0");
    expect(text()).toContain("│ CRIT  n1.example.net check_load for 5s: CRITICAL it is");
    expect(text()).toStartWith(" Choria Scout  nats://b:4222");
  });

  test("has shorter names for states where there is less room", () => {
    const { add, view } = newView();
    add("check_disk", "MAINTENANCE");
    const text = view.draw({ columns: 60, rows: 24 }, now).join("\n");
    expect(text).toContain("│ 15:04:05: NODES: 1 OK: 0 WARN: 0 CRIT: 0 UNKN: 0 MAINT: 1");
  });

  test("shows figures, and hides what is OK, by a key each", () => {
    const { add, text, press } = newView();
    add("check_disk");
    press("p");
    expect(checks(text())[1]).toBe("used = 81 %");
    press("o");
    expect(checks(text())).toEqual([]);
    press("o", "p");
    expect(checks(text())).toHaveLength(1);
  });

  test("filters while words are typed", () => {
    const { add, text, press } = newView();
    add("check_disk");
    add("check_load");
    press("/", "L", "o", "a", "d", "x", { name: "backspace" });
    expect(checks(text())).toHaveLength(1);
    expect(text()).toContain(" filter: Load");
    press({ name: "enter" }, "q");
    expect(text()).toContain("filter: Load (Esc drops it)");
    expect(press({ name: "escape" })).toBeUndefined();
    expect(checks(text())).toHaveLength(2);
    expect(press("/", "q", { name: "ctrl", letter: "u" })).toBeUndefined();
    expect(checks(text())).toHaveLength(2);
  });

  test("follows the latest, and stays where it was scrolled to while others come", () => {
    const { add, text, press } = newView();
    for (let i = 100; i < 160; i++) add(`check_${i}`);
    expect(checks(text()).at(-1)).toContain("check_159");
    press({ name: "pageup" });
    const seen = checks(text());
    add("check_160");
    expect(checks(text())).toEqual(seen);
    press({ name: "home" });
    expect(checks(text())[0]).toContain("check_100");
    press({ name: "end" });
    expect(checks(text()).at(-1)).toContain("check_160");
  });

  test("gives the pane of the keys more room, and less", () => {
    const { text, press } = newView();
    const height = () =>
      text()
        .split("\n")
        .findIndex((line) => line.startsWith("╰"));
    const before = height();
    press("+", "+");
    text();
    expect(height()).toBe(before + 2);
    press({ name: "tab" }, "+");
    expect(height()).toBe(before + 1);
    press({ name: "ctrl", letter: "r" });
    expect(height()).toBe(before);
  });

  test("clears events, and ends, by keys", () => {
    const { add, text, press } = newView();
    add("check_disk", "WARNING");
    expect(press({ name: "ctrl", letter: "l" })).toBe("refresh");
    expect(checks(text())).toEqual([]);
    expect(text()).toContain("WARNING: 1");
    for (const key of ["q", { name: "escape" }, { name: "ctrl", letter: "c" }] as const)
      expect(press(key)).toBe("quit");
  });

  test("counts what it could not read", () => {
    const { view, text } = newView();
    view.damaged();
    expect(text()).toContain("1 unreadable");
  });

  test("fills terminals of any size, whatever is shown and pressed", () => {
    const key = fc.constantFrom<Key>(
      { name: "up" },
      { name: "pageup" },
      { name: "end" },
      { name: "tab" },
      { name: "text", text: "+" },
      { name: "text", text: "-" },
      { name: "text", text: "o" },
      { name: "text", text: "/" },
      { name: "ctrl", letter: "r" },
    );
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
    const check = fc.tuple(text, fc.constantFrom("OK", "CRITICAL", "MAINTENANCE", ""), text);
    const sizes = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 70 }) });
    fc.assert(
      fc.property(fc.array(check, { maxLength: 40 }), fc.array(key, { maxLength: 30 }), sizes, (all, keys, screen) => {
        const { view, add } = newView();
        for (const [machine, status, identity] of all) add(machine, status, identity);
        return keys.every((pressed) => {
          view.press(pressed);
          const lines = view.draw(screen, now);
          return lines.length === screen.rows && lines.every((line) => textWidth(line) === screen.columns);
        });
      }),
      { numRuns: 60 },
    );
  });
});
