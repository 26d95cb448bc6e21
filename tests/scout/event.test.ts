import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MachineEventError } from "../../lib/machine/mod.ts";
import { checkLine, decodeScoutEvent, figureText, transitionLine } from "../../lib/scout/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import recorded from "../fixtures/scout/events.json" with { type: "json" };

const decode = (document: unknown) => decodeScoutEvent(encodeUtf8(JSON.stringify(document)));

/** A check's document whose data differs. */
function check(data: object): object {
  const found = recorded.find(({ subject }) => subject.endsWith("nagios.state"));
  return { ...found?.body, data: { ...found?.body.data, ...data } };
}

describe("events of machines", () => {
  test("are read as the original publishes them", () => {
    for (const { subject, body } of recorded) {
      const event = decode(body);
      const { identity, machine, timestamp } = body.data;
      expect(event).toMatchObject({ identity, machine, time: timestamp * 1_000 });
      expect(event.kind).toBe(subject.endsWith("transition") ? "transition" : "check");
    }
    const figures = recorded.map(({ body }) => decode(body)).flatMap((e) => (e.kind === "check" ? e.perfdata : []));
    expect(figures).toContainEqual({ label: "b", value: 50, unit: "%" });
  });

  test("are refused when they are something else", () => {
    for (const document of [{}, [], "x", { specversion: "1.0", data: {} }, check({ protocol: "other" })]) {
      expect(() => decode(document)).toThrow(MachineEventError);
    }
    expect(() => decode(check({ identity: "" }))).toThrow("/data/identity: expected a name");
    expect(() => decode(check({ machine: "x".repeat(300) }))).toThrow("/data/machine");
    expect(() => decode(check({ timestamp: "now" }))).toThrow("/timestamp: expected a whole number");
    expect(() => decode(check({ identity: "a\nb" }))).toThrow("on one line");
    expect(() => decode(check({ output: 1 }))).toThrow("/data/output: expected a text");
    expect(() => decodeScoutEvent(encodeUtf8(JSON.stringify(check({ output: "x".repeat(300_000) }))))).toThrow(
      "Larger",
    );
  });

  test("are one line each, whatever is in them", () => {
    const perfdata = [{ label: "a\n", value: 1, unit: "\r" }];
    const event = decode(check({ status: "OK\nNO", output: "one\u{1b}[2J\ntwo\r", perfdata }));
    if (event.kind !== "check") throw new Error("it is no check");
    const lines = [checkLine(event, { identity: 0, machine: 0 }), ...event.perfdata.map(figureText)];
    expect(lines.filter((line) => /\p{Cc}/u.test(line))).toEqual([]);
  });

  test("lose what is wrong with their figures, and what is too much", () => {
    const perfdata = [{ label: "a", value: "1" }, { label: "b", value: 2 }, null, 7];
    expect(decode(check({ perfdata }))).toMatchObject({ perfdata: [{ label: "b", value: 2, unit: "" }] });
    expect(decode(check({ perfdata: "x", output: "y".repeat(10_000) }))).toMatchObject({ perfdata: [] });
  });

  test("never do anything but be read or be refused", () => {
    const data = fc.dictionary(
      fc.constantFrom("protocol", "timestamp", "identity", "machine", "perfdata"),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(data, (changes) => {
        try {
          decode(check(changes));
        } catch (error) {
          return error instanceof MachineEventError;
        }
        return true;
      }),
    );
  });
});

describe("lines", () => {
  const at = new Date(2026, 10, 22, 15, 4, 5).getTime();
  const base = { time: at, identity: "n1.example.net", machine: "check_0" };

  test("tell a check with its state in four letters, and its output without figures", () => {
    const result = { kind: "check", ...base, output: "OK - fine\nreally | a=1s", perfdata: [] } as const;
    const line = (status: string) => checkLine({ ...result, status }, { identity: 16, machine: 8 });
    expect(line("OK")).toBe("15:04:05 OK     n1.example.net  check_0: OK - fine really");
    expect(
      ["WARNING", "CRITICAL", "UNKNOWN", "", "ODD", "constructor"].map((status) => line(status).slice(9, 13)),
    ).toEqual(["WARN", "CRIT", "UNKN", "INVA", "ODD ", "cons"]);
  });

  test("tell a transition", () => {
    const transition = { kind: "transition", ...base, transition: "WARNING", from: "OK", to: "WARNING" } as const;
    expect(transitionLine(transition)).toBe("15:04:05 n1.example.net       OK => WARNING check_0");
  });
});
