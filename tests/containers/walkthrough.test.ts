import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { matchOutput } from "../../containers/walkthrough/match.ts";
import { render } from "../../containers/walkthrough/terminal.ts";
import { parseTranscript } from "../../containers/walkthrough/transcript.ts";
import { listeners } from "../support/reachable.ts";

const matches = (expected: string, output: string, values = new Map<string, string>()) =>
  matchOutput(expected.split("\n"), output, values) === undefined;

test("numbers and times are values, words are not", () => {
  expect(matches("# replies max: #ms", "10 replies max: 12ms")).toBe(true);
  expect(matches("10 replies max: #ms", "9 replies max: 12ms")).toBe(false);
  expect(matches("Token saved to …", "Token saved to /tmp/x")).toBe(true);
  expect(matches("Token saved", "Token lost")).toBe(false);
});

test("lines are expected in order, and all of them", () => {
  expect(matches("one\ntwo", "one\n\n two ")).toBe(true);
  expect(matches("one\ntwo", "two\none")).toBe(false);
  expect(matches("one", "one\ntwo")).toBe(false);
  expect(matches("one\n...", "one\ntwo\nthree")).toBe(true);
  expect(matches("...\nthree", "one\ntwo\nthree")).toBe(true);
  expect(matches("one\n...\nfour", "one\ntwo\nthree")).toBe(false);
});

test("a word with a name is the same word from then on", () => {
  const values = new Map<string, string>();
  expect(matches("{node} and {node}", "a.b and c.d", values)).toBe(false);
  expect(matches("{node} and {node}", "a.b and a.b", values)).toBe(true);
  expect(values.get("node")).toBe("a.b");
  expect(matches("node {node}", "node c.d", values)).toBe(false);
});

test("tables match whatever the width of their columns", () => {
  expect(
    matches("│ Name │ State │\n│ x │ OK │", "╭────╮\n│ Name   │ State │\n├───┼──┤\n│ x      │ OK    │\n╰──╯"),
  ).toBe(true);
});

test("a terminal shows what was written last", () => {
  expect(render("? Name  c\u001b[2K\u001b[G? Name  \u001b[36mchoria\u001b[39m\r\nDone\r\n")).toBe(
    "? Name  choria\nDone\n",
  );
  expect(render("? Storage\n❯ file\n  memory\u001b[2A\u001b[G\u001b[J? Storage file\n")).toBe("? Storage file\n");
});

test("the document has every command of the guides", () => {
  const document = resolve(import.meta.dir, "../../containers/walkthrough/walkthrough.md");
  const steps = parseTranscript(readFileSync(document, "utf8"));
  expect(steps.length).toBeGreaterThan(50);
  const typed = steps.map(({ command }) => command).join("\n");
  for (const command of [
    "choria scout watch",
    "stream add CHORIA_REGISTRATION",
    "reprovision token=s3cret",
    "openssl rsa",
  ]) {
    expect(typed).toContain(command);
  }
});

test("listeners on loopback are nobody else's business", () => {
  const tables = `  sl  local_address rem_address   st
   0: 0100007F:201E 00000000:0000 0A 0
   1: 00000000:107E 00000000:0000 0A 0
   2: 0B00007F:A3C1 00000000:0000 0A 0
   3: 0D00A8C0:107E 0100A8C0:D431 01 0
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 0
   1: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 0`;
  expect(listeners(tables)).toEqual([0x107e, 0x1f91]);
});
