import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseInterval } from "../../lib/machine/interval.ts";
import { checkManifest, decodeManifest, inspectManifest, ManifestError, machineDot } from "../../lib/machine/mod.ts";
import durations from "../fixtures/machines/duration.json" with { type: "json" };
import vectors from "../fixtures/machines/manifest.json" with { type: "json" };

const manifest = (change: (text: string) => string = (text) => text) =>
  change(`name: mach
version: 1.0.0
initial_state: AA
transitions:
- name: to_b
  from: [AA]
  destination: BB
watchers:
- name: ww
  type: exec
  interval: 10s
  properties:
    command: "true"
`);

function faultOf(text: string): string | undefined {
  try {
    decodeManifest(text);
    return undefined;
  } catch (error) {
    return error instanceof ManifestError ? error.message : `another error: ${error}`;
  }
}

interface ManifestCase {
  case: string;
  yaml: string;
  load_error?: string;
  graph?: string;
}

describe("a manifest", () => {
  for (const { case: name, yaml, load_error: wanted, graph } of vectors.cases as ManifestCase[]) {
    // What a reader of YAML says of what is none is its own affair.
    if (name === "not yaml") continue;
    test(`"${name}" loads, or fails to, as with peers`, () => {
      const fault = faultOf(yaml)?.replace(/ \(machine\.yaml line \d+\)$/, "");
      expect(fault).toBe(wanted?.split("\n")[0]);
    });
    if (graph !== undefined) {
      test(`"${name}" is drawn as by peers`, () => expect(machineDot(decodeManifest(yaml).manifest)).toBe(graph));
    }
  }

  test("has texts as they are written, and durations in milliseconds", () => {
    const text = manifest((given) => given.replace("1.0.0", "1.0").replace("10s", "1.5d\n  announce_interval: 1h"));
    expect(decodeManifest(text).manifest).toEqual({
      name: "mach",
      version: "1.0",
      initialState: "AA",
      splayStart: 0,
      transitions: [{ name: "to_b", from: ["AA"], destination: "BB", description: "", subscribe: [] }],
      watchers: [
        {
          name: "ww",
          type: "exec",
          stateMatch: [],
          foreignStates: [],
          successTransition: "",
          failTransition: "",
          interval: 36 * 3_600_000,
          announceInterval: 3_600_000,
          properties: { command: "true" },
        },
      ],
    });
  });

  test("has modes of files that begin with a zero as octal numbers", () => {
    const watcher = "{name: w, type: file, properties: {mode: 0640, text: '0640', other: 640, zero: 0, version: 08}}";
    const text = `name: m\nversion: 1.0.0\ninitial_state: A\ntransitions: [{name: x, from: [A], destination: B}]\nwatchers: [${watcher}]\n`;
    expect(decodeManifest(text).manifest.watchers[0]?.properties).toEqual({
      mode: 0o640,
      text: "0640",
      other: 640,
      zero: 0,
      version: 8,
    });
  });

  test("that is no YAML is refused with its line", () => {
    expect(faultOf("name: x\nfoo: [\n")).toMatch(/^could not load machine.yaml: \[3:1\] .* \(machine.yaml line 3\)$/);
    expect(faultOf("a: 1\na: 2")).toContain('[2:1] mapping key "a" already defined');
    expect(faultOf("- 1")).toContain("[1:1] sequence was used where mapping is expected");
    expect(faultOf(manifest((text) => text.replace("properties:", "properties: 7\n  x:")))).toContain(
      "[12:15] number was used where mapping is expected",
    );
  });

  test("tells of keys that mean nothing, with their lines", () => {
    const text = manifest((given) => given.replace("  type: exec", "  type: exec\n  intervall: 1s"));
    expect(decodeManifest(`${text}bogus: 1\n`).warnings).toEqual([
      { text: 'the key "bogus" of the manifest means nothing', line: 15 },
      { text: 'the key "intervall" of the watcher "ww" means nothing', line: 11 },
    ]);
  });

  test("may repeat itself by anchors and merges", () => {
    const anchored = manifest((given) => given.replace("- name: ww", "- &w\n  name: ww"));
    const text = `${anchored}- {<<: *w, name: other}\n`;
    expect(decodeManifest(text).manifest.watchers.map(({ name, interval }) => [name, interval])).toEqual([
      ["ww", 10_000],
      ["other", 10_000],
    ]);
  });
});

describe("hostile manifests", () => {
  test("that multiply by aliases are refused", () => {
    const levels = Array.from({ length: 12 }, (_, at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(9)}]`).slice(1);
    const bomb = `a0: &a0 [${"x,".repeat(9)}]\n${levels.join("\n")}\n`;
    const text = manifest((given) => given.replace("properties:", "properties:\n    bomb: *a11"));
    const started = performance.now();
    expect(faultOf(bomb + text)).toContain("the aliases stand for too many values");
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test("that refer to themselves, or to nothing, are refused", () => {
    expect(faultOf("a: &a [*a]")).toContain('there is no anchor "a" above');
    expect(faultOf("a: *b")).toMatch(/could not load machine\.yaml: .*[Aa]n?chor|alias/);
  });

  test("that are nested deep are refused", () => {
    for (const open of ["[", "{a: ", "- "]) {
      const fault = faultOf(`name: ${open === "- " ? "\n" : ""}${open.repeat(5_000)}`);
      expect(fault).toStartWith("could not load machine.yaml: ");
    }
  });

  test("with the names of built-in properties change nothing but themselves", () => {
    const text = manifest((given) => given.replace("properties:", "properties:\n    __proto__: {polluted: true}"));
    const { properties } = decodeManifest(`${text}__proto__: {name: x}\nconstructor: 1\n`).manifest.watchers[0] ?? {};
    expect(Object.getPrototypeOf(properties)).toBe(Object.prototype);
    expect(Object.keys(properties ?? {})).toEqual(["__proto__", "command"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  test("of megabytes are read in bounded time, or refused", () => {
    const started = performance.now();
    const many = Array.from({ length: 10_000 }, (_, at) => `- {name: w${at}, type: exec}\n`).join("");
    expect(inspectManifest(manifest() + many).manifest.watchers).toHaveLength(10_001);
    expect(faultOf("x".repeat(9_000_000))).toContain("larger than");
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  test("never throw anything but what they are refused with", () => {
    const part = fc.constantFrom(
      "name",
      ": ",
      "\n",
      "  ",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "&a ",
      "*a",
      "<<",
      "!!x ",
      "'",
      '"',
      "|",
      "?",
      "1",
      "watchers",
      "transitions",
      "from",
      "properties",
      "\t",
      "~",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: part }, fc.string())), (parts) => {
        const fault = faultOf(parts.join(""));
        expect(fault === undefined || fault.startsWith("could not load machine.yaml: ")).toBeTrue();
      }),
      { numRuns: 300 },
    );
  });
});

describe("an interval", () => {
  for (const { in: text, ns, error } of durations.cases as { in: string; ns?: number; error?: string }[]) {
    test(`${JSON.stringify(text)} is ${error ?? `${ns} ns`}`, () => {
      if (error === undefined) expect(parseInterval(text) * 1e6).toBe(ns ?? Number.NaN);
      else expect(() => parseInterval(text)).toThrow(error);
    });
  }
});

describe("checkManifest()", () => {
  const reasons = async (text: string) => {
    const { faults, warnings } = await checkManifest(text);
    return { faults: faults.map(({ reason, line }) => [line, reason]), warnings: warnings.map(({ line }) => line) };
  };

  test("finds everything that is wrong at once, with lines and a way out", async () => {
    const { faults } = await checkManifest(
      manifest((text) =>
        text.replace(
          "interval: 10s",
          "interval: 10s\n  state_match: [CC]\n  success_transition: to_c\n  announce_interval: 1s",
        ),
      ),
    );
    expect(faults).toEqual([
      {
        reason: "validation failed: announce interval 1s is too small for watcher ww",
        line: 14,
        advice: "give one minute or more, for example `1m`, `6h` or `1d`",
      },
      {
        reason: "validation failed: invalid state CC in state match for watcher ww",
        line: 12,
        advice: "the states of this machine are AA, BB",
      },
      {
        reason: "validation failed: invalid success_transition to_c specified in watcher ww",
        line: 13,
        advice: "the transitions of this machine are to_b",
      },
    ]);
  });

  test("finds what would keep the machine from starting", async () => {
    const text = `${manifest((given) => given.replace("command", "comand"))}- {name: ww, type: timer}\n- {name: x, type: nope}\n`;
    expect(await reasons(text)).toEqual({
      faults: [
        [9, "could not create exec watcher 'ww': could not set properties: command is required"],
        [14, "watcher ww already exist"],
        [15, "unknown watcher 'nope'"],
      ],
      warnings: [13],
    });
  });

  test("warns of states that nothing leads to", async () => {
    const text = manifest((given) =>
      given.replace("watchers:", "- {name: lost, from: [CC], destination: DD}\nwatchers:"),
    );
    const { warnings } = await checkManifest(text);
    expect(warnings.map(({ reason }) => reason)).toEqual([
      "no transition leads to the state CC",
      "no transition leads to the state DD",
    ]);
  });
});
