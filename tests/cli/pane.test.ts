import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { createPaint, cutText, drawPane, fitLine, textWidth } from "../../lib/cli/mod.ts";

const plain = createPaint(false);

describe("a line", () => {
  test("takes exactly as many columns as it may", () => {
    expect(fitLine("abc", 5, plain)).toBe("abc  ");
    expect(fitLine("abcdef", 5, plain)).toBe("abcd…");
    expect(fitLine([{ text: "ab", style: "red" }, { text: "cdef" }], 5, plain)).toBe("abcd…");
  });

  test("does not halve wide characters", () => {
    expect(cutText("漢字漢字", 4)).toBe("漢…");
    expect(fitLine("漢字漢字", 4, plain)).toBe("漢… ");
  });

  test("is never wider or narrower, and never moves the cursor, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(60), (text, width) => {
        const line = fitLine(`${text}\u{1b}[2J\n\u{7}`, width, plain);
        return textWidth(line) === width && !/\p{Cc}/u.test(line);
      }),
    );
  });

  test("is coloured after it was cut", () => {
    expect(fitLine([{ text: "abcdef", style: "red" }], 4, createPaint(true))).toBe("\u{1b}[31mabc…\u{1b}[0m");
  });
});

describe("a pane", () => {
  test("has its title and its note in the border, and as many lines as fit", () => {
    const pane = { title: "Checks", note: "3", lines: ["one", "two", "three"] };
    expect(drawPane(pane, { columns: 24, rows: 4 }, plain)).toEqual([
      "╭─ Checks ───────── 3 ─╮",
      "│one                   │",
      "│two                   │",
      "╰──────────────────────╯",
    ]);
  });

  test("is filled up where lines are missing", () => {
    const lines = drawPane({ title: "T", lines: [] }, { columns: 10, rows: 3 }, plain);
    expect(lines).toEqual(["╭─ T ────╮", "│        │", "╰────────╯"]);
  });

  test("leaves its note out where there is no room", () => {
    const [top] = drawPane({ title: "Checks", note: "1234567", lines: [] }, { columns: 16, rows: 2 }, plain);
    expect(top).toBe("╭─ Checks ─────╮");
  });
});
