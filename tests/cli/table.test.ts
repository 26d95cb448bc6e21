import { describe, expect, test } from "bun:test";
import { formatTable } from "../../lib/cli/mod.ts";

describe("a table", () => {
  test("has lines below its title and its headings and above its footer, and none between rows", () => {
    const rows = [
      ["a", 1],
      ["b\nc", 22],
    ];
    expect(formatTable({ title: "Title", head: ["Name", "Count"], rows, footer: ["", 23] })).toBe(
      [
        "╭──────────────╮",
        "│    Title     │",
        "├──────┬───────┤",
        "│ Name │ Count │",
        "├──────┼───────┤",
        "│ a    │     1 │",
        "│ b    │    22 │",
        "│ c    │       │",
        "├──────┼───────┤",
        "│      │    23 │",
        "╰──────┴───────╯",
      ].join("\n"),
    );
  });

  test("may have no title, no footer and no rows", () => {
    expect(formatTable({ head: ["A"], rows: [["├ x"], ["y"]] }).split("\n")).toHaveLength(6);
    expect(formatTable({ head: ["A"], rows: [], footer: ["1"] }).split("\n")).toHaveLength(5);
    expect(
      formatTable({ title: "T", head: ["A"], rows: [] })
        .split("\n")
        .at(-1),
    ).toStartWith("╰");
  });

  test("of a thousand rows is drawn at once", () => {
    const rows = Array.from({ length: 1_000 }, (_, i) => [`STREAM_${i}`, "", "2026-11-22 12:00:00", i, "0 B", "never"]);
    const start = performance.now();
    const lines = formatTable({ title: "Streams", head: ["A", "B", "C", "D", "E", "F"], rows }).split("\n");
    expect(lines).toHaveLength(1_006);
    // Four of these seconds are for whatever else the machine does.
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
