import { describe, expect, test } from "bun:test";
import {
  createPaint,
  formatProgress,
  formatTable,
  inColumns,
  labelledLines,
  plotValues,
  suggest,
  wantsColor,
} from "../../lib/cli/mod.ts";

const plain = createPaint(false);

describe("progress bars", () => {
  test("look as operators know them", () => {
    expect(formatProgress({ done: 1, total: 3, elapsed: 5 }, 50, plain)).toBe(
      "1 / 3    0s [==============>---------------------------------]  33%",
    );
    expect(formatProgress({ done: 10, total: 10, elapsed: 5 }, 80, plain)).toBe(
      "10 / 10    0s [==============================================================================] 100%",
    );
    expect(formatProgress({ done: 0, total: 10, elapsed: 0 }, 50, plain)).toBe(
      "0 / 10   --- [------------------------------------------------]   0%",
    );
  });

  test("never grow past their width, whatever is counted", () => {
    for (const [done, total] of [
      [12, 10],
      [0, 0],
      [1, 1_000],
      [999, 1_000],
    ] as const) {
      const line = formatProgress({ done, total, elapsed: 63_000 }, 50, plain);
      expect(line).toMatch(/ 1m3s \[[=>-]{48}\] /);
    }
  });

  test("are red until they are done", () => {
    const paint = createPaint(true);
    expect(formatProgress({ done: 1, total: 2, elapsed: 1 }, 50, paint)).toStartWith("\u001b[31m1 / 2");
    expect(formatProgress({ done: 2, total: 2, elapsed: 1 }, 50, paint)).toStartWith("\u001b[32m2 / 2");
  });
});

describe("tables", () => {
  test("have rounded corners, a centred title and a footer", () => {
    const table = formatTable({
      title: "Scout status history",
      head: ["Name", "State", "Last Check", "History"],
      rows: [
        ["check_choria", "OK", "2m3s", "OK"],
        ["two\nlines", "OK", "", ""],
      ],
      footer: ["", "", "", 2],
    });
    expect(table).toMatchSnapshot();
  });

  test("without rows keep their headings", () => {
    expect(formatTable({ head: ["Sender"], rows: [] })).toBe("╭────────╮\n│ Sender │\n╰────────╯");
  });
});

describe("columns", () => {
  test("of items are aligned", () => {
    expect(inColumns(["a", "bbb", "c", "dd"])).toEqual(["    a     bbb    c", "    dd"]);
    expect(inColumns([])).toEqual([]);
  });

  test("of labels meet at the colon, values of many lines stay below their first", () => {
    const rows = [
      ["Fact", "x"],
      ["Value", "1\n2"],
    ] as const;
    expect(labelledLines(rows)).toEqual(["    Fact: x", "   Value: 1\n          2"]);
  });
});

describe("plots", () => {
  test("draw each value as high as it is", () => {
    expect(plotValues([1, 5, 3, 0, 8], { height: 6, width: 20, caption: "replies" })).toMatchSnapshot();
  });

  test("of more values than columns show the largest of each group", () => {
    const values = Array.from({ length: 1_000 }, (_, i) => (i === 500 ? 9 : 1));
    expect(plotValues(values, { height: 3, width: 10 }).split("\n")[0]).toContain("█");
  });

  test("of nothing are empty", () => {
    expect(plotValues([])).toBe("");
  });
});

describe("colours", () => {
  test("are left out off a terminal, on a dumb one, and where NO_COLOR or the configuration says so", () => {
    expect(wantsColor({ env: { TERM: "xterm" }, isTerminal: true })).toBe(true);
    expect(wantsColor({ env: { TERM: "xterm" }, isTerminal: false })).toBe(false);
    expect(wantsColor({ env: { TERM: "dumb" }, isTerminal: true })).toBe(false);
    expect(wantsColor({ env: { NO_COLOR: "1" }, isTerminal: true })).toBe(false);
    expect(wantsColor({ env: {}, isTerminal: true, wanted: false })).toBe(false);
  });
});

describe("suggestions", () => {
  const known = ["buildinfo", "jwt", "login", "ping", "req"];
  test("name the word that was most likely meant, and none where nothing comes near", () => {
    expect(suggest("pnig", known)).toBe("ping");
    expect(suggest("lgoin", known)).toBe("login");
    expect(suggest("build", known)).toBe("buildinfo");
    expect(suggest("xyzzy", known)).toBeUndefined();
  });
});
