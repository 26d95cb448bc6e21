import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Key, KeyDecoder } from "../../lib/cli/mod.ts";

const esc = "\u{1b}";

function keysOf(...pieces: string[]): Key[] {
  const decoder = new KeyDecoder();
  return [...pieces.flatMap((piece) => decoder.push(piece)), ...decoder.flush()];
}

const typed = (text: string): Key[] => [...text].map((character) => ({ name: "text", text: character }));

describe("keys", () => {
  test("are what terminals send for them", () => {
    expect(keysOf(`${esc}[A${esc}OB${esc}[5~${esc}[6~${esc}[H${esc}[4~`)).toEqual(
      (["up", "down", "pageup", "pagedown", "home", "end"] as const).map((name) => ({ name })),
    );
    expect(keysOf("\r\u{7f}\t\u{12}\u{c}\u{3}")).toEqual([
      { name: "enter" },
      { name: "backspace" },
      { name: "tab" },
      { name: "ctrl", letter: "r" },
      { name: "ctrl", letter: "l" },
      { name: "ctrl", letter: "c" },
    ]);
  });

  test("are the same with a modifier held", () => {
    expect(keysOf(`${esc}[1;5A`)).toEqual([{ name: "up" }]);
  });

  test("come out of whatever pieces a sequence arrives in", () => {
    expect(keysOf(esc, "[", "5", "~x")).toEqual([{ name: "pageup" }, { name: "text", text: "x" }]);
  });

  test("include an escape that nothing follows", () => {
    expect(keysOf(esc)).toEqual([{ name: "escape" }]);
    expect(keysOf(`${esc}q`)).toEqual([{ name: "escape" }, { name: "text", text: "q" }]);
  });

  test("leave out sequences that stand for nothing known", () => {
    expect(keysOf(`${esc}[99~a`)).toEqual(typed("a"));
  });

  test("hold text of any language", () => {
    expect(keysOf("aé漢👍")).toEqual(typed("aé漢👍"));
  });

  test("never hold more back than one sequence", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (pieces) => {
        const decoder = new KeyDecoder();
        for (const piece of pieces) decoder.push(piece);
        decoder.flush();
        return !decoder.isWaiting && decoder.push("q").length === 1;
      }),
    );
  });
});
