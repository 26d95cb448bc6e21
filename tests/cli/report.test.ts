import { expect, test } from "bun:test";
import { formatReport } from "../../lib/cli/mod.ts";

test("formatReport() aligns labels throughout and leaves empty sections out", () => {
  const text = formatReport("Title", [
    { rows: [["A", "1"]] },
    { heading: "Nothing", rows: [] },
    {
      heading: "More",
      rows: [
        ["Longer", "2"],
        ["B", "3"],
      ],
    },
  ]);
  expect(text).toBe("Title\n\n       A: 1\n\nMore:\n\n  Longer: 2\n       B: 3\n");
});
