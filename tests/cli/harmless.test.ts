import { expect, test } from "bun:test";
import fc from "fast-check";
import { createPaint, harmlessText, openTerminal } from "../../lib/cli/mod.ts";

test("text, its colours, line ends and tabs reach a terminal as they are", () => {
  const paint = createPaint(true);
  const text = `${paint.red("réd")}\t${paint.heading("日本 🚀")}\n`;
  expect(harmlessText(text)).toBe(text);
});

test("nothing that a node says moves the cursor or commands a terminal", () => {
  const title = "\u{1b}]0;owned\u{7}";
  const up = "\u{1b}[2A\u{1b}[2K\rall is well";
  const c1 = "\u{9b}2J";
  expect(harmlessText(`${title}${up}${c1}\0\b\u{7f}`)).toBe(
    "\ufffd]0;owned\ufffd\ufffd[2A\ufffd[2K\ufffdall is well\ufffd2J\ufffd\ufffd\ufffd",
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const plain = harmlessText(text).replace(/\p{Cc}\[[\d;]*m/gu, "");
      expect(plain).not.toMatch(/[^\P{Cc}\n\t]/u);
    }),
  );
});

test("nothing that a node says turns the direction of what stands beside it", () => {
  expect(harmlessText("web1 \u202elacitirc\u202c: \u2066fine\u2069")).toBe(
    "web1 \ufffdlacitirc\ufffd: \ufffdfine\ufffd",
  );
  expect(harmlessText("שלום مرحبا")).toBe("שלום مرحبا");
});

test("terminals get harmless text, files and pipes everything", () => {
  for (const isTTY of [true, false]) {
    const written: string[] = [];
    const stream = { isTTY, write: (text: string) => written.push(text) };
    const { out, err } = openTerminal({ stdout: stream, stderr: stream, env: {} });
    out.write("a\u{1b}[2Jb");
    err.write("\u{7}");
    expect(written).toEqual(isTTY ? ["a\ufffd[2Jb", "\ufffd"] : ["a\u{1b}[2Jb", "\u{7}"]);
  }
});
