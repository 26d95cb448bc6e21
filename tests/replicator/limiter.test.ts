import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import {
  advisoryOf,
  advisorySubject,
  inspect,
  Limiter,
  loadState,
  parseReplicatorConfig,
  ReplicatorMetrics,
  saveState,
  Tracker,
} from "../../lib/replicator/mod.ts";
import { encodeUtf8, silentLogger } from "../../lib/std/mod.ts";
import decisions from "../fixtures/replicator/limiter/decisions.json";
import stateFile from "../fixtures/replicator/limiter/state-file.json";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";

const clockStart = Date.UTC(2026, 10, 22, 5, 9, 9);

function limiter(clock: FakeClock, settings: string, stateStore = "", logger = silentLogger): Limiter {
  const yaml = `name: SITE1\nstreams: [{stream: LIM, source_url: a, target_url: b, ${settings}}]`;
  const [entry] = parseReplicatorConfig(yaml).entries;
  if (entry === undefined) throw new Error("there is no entry");
  const metrics = new ReplicatorMetrics();
  const options = { entry, replicator: "SITE1", consumer: "SR_SITE1", stateStore, connection: undefined, metrics };
  return new Limiter({ ...options, clock, logger, isPaused: () => false, random: () => 0 });
}

const message = (payload: string, subject = "lim.x") => ({ subject, data: encodeUtf8(payload), headers: undefined });

test("messages are let through and left out as the original does", async () => {
  const clock = new FakeClock(clockStart);
  const limits = limiter(
    clock,
    "inspect_field: sender, inspect_force_field: force, inspect_duration: 40s, size_trigger: 100",
  );
  for (const { step, payload, copied } of decisions.steps) {
    const verdict = limits.look(message(payload));
    expect(`${step}: ${verdict.isDue}`).toBe(`${step}: ${copied}`);
    if (verdict.isDue) limits.copied(verdict.value);
  }
  await limits.stop();
});

test("a clock that is set back does not silence values until it is where it was", async () => {
  const tracker = new Tracker({ interval: 40_000, warn: 20_000, sizeTrigger: 0 }, () => 0);
  tracker.see("a", 1, clockStart);
  tracker.copied("a", clockStart);
  expect(tracker.isDue("a", 1, clockStart - 1_000)).toBe(false);
  expect(tracker.isDue("a", 1, clockStart - 3_600_000)).toBe(true);
});

test("a value is due again when its interval is over", async () => {
  const clock = new FakeClock(clockStart);
  const limits = limiter(clock, "inspect_field: sender, inspect_duration: 40s");
  const see = () => {
    const verdict = limits.look(message('{"sender":"a"}'));
    if (verdict.isDue) limits.copied(verdict.value);
    return verdict.isDue;
  };
  expect(see()).toBe(true);
  await clock.advance(30_000);
  expect(see()).toBe(false);
  await clock.advance(9_500);
  expect(see()).toBe(true);
  await limits.stop();
});

test("a copy that is under way counts, one that came to nothing does not", async () => {
  const clock = new FakeClock(clockStart);
  const limits = limiter(clock, "inspect_field: sender, inspect_duration: 40s");
  expect(limits.look(message('{"sender":"a"}')).isDue).toBe(true);
  expect(limits.look(message('{"sender":"a"}')).isDue).toBe(false);
  limits.refused("a");
  expect(limits.look(message('{"sender":"a"}')).isDue).toBe(true);
  await limits.stop();
});

test("headers and tokens of subjects limit as fields do", async () => {
  const clock = new FakeClock(clockStart);
  const limits = limiter(clock, "inspect_subject_token: 2, inspect_duration: 40s");
  const due = ["m.a.1", "m.a.2", "m.b.1", "m"].map((subject) => limits.look(message("", subject)).isDue);
  expect(due).toEqual([true, false, true, true]);
  await limits.stop();
});

describe("state files", () => {
  test("those of the original are taken over and give themselves again", () => {
    using folder = temporaryFolder();
    const file = folder.file("LIM_SITE1.json");
    writeFileSync(file, JSON.stringify(stateFile));
    const now = Date.parse("2026-11-22T05:09:20Z");
    const tracker = new Tracker({ interval: 40_000, warn: 12_000, sizeTrigger: 0 });
    loadState(tracker, file, now);
    expect(tracker.size).toBe(5);
    expect(tracker.isDue("b", 14, now)).toBe(false);
    saveState(tracker, file);
    const saved = JSON.parse(readFileSync(file, "utf8"));
    expect(Object.keys(saved.Items).sort()).toEqual(Object.keys(stateFile.Items).sort());
    expect(saved.Items.b).toEqual({
      seen: "2026-11-22T05:09:09.548Z",
      copied: "2026-11-22T05:09:09.551Z",
      size: 14,
    });
    expect(Object.keys(saved.Items[12] ?? {})).toEqual(["seen", "copied", "size"]);
  });

  test("copies that nobody has acknowledged are not saved as copied", () => {
    const tracker = new Tracker({ interval: 40_000, warn: 12_000, sizeTrigger: 0 });
    tracker.see("a", 1, clockStart);
    tracker.underway("a", clockStart);
    expect(tracker.encode()).toEqual({
      Items: { a: { seen: new Date(clockStart).toISOString(), copied: "0001-01-01T00:00:00Z", size: 1 } },
    });
  });

  test("one that is damaged is left aside, with a warning", async () => {
    using folder = temporaryFolder();
    const logger = new RecordingLogger();
    for (const text of ["", "[]", '{"Items":5}', '{"Items":{"a":{"seen":7}}}', "\0"]) {
      writeFileSync(folder.file("LIM_SITE1.json"), text);
      const clock = new FakeClock(clockStart);
      const limits = limiter(clock, "inspect_field: sender, inspect_duration: 40s", folder.path, logger);
      expect(limits.look(message('{"sender":"a"}')).isDue).toBe(true);
      await limits.stop();
    }
    const warnings = logger.messages.filter((text) => text.startsWith("State loading failed, starting without state"));
    expect(warnings).toHaveLength(4);
  });

  test("an empty table removes its file", () => {
    using folder = temporaryFolder();
    const file = folder.file("x.json");
    writeFileSync(file, "{}");
    saveState(new Tracker({ interval: 1, warn: 1, sizeTrigger: 0 }), file);
    expect(Bun.file(file).size).toBe(0);
  });
});

describe("what becomes of values", () => {
  const settings = { interval: 40_000, warn: 12_000, sizeTrigger: 0 };

  test("new, silent, back and gone are told, each once", () => {
    const tracker = new Tracker(settings);
    const events: (string | undefined)[] = [];
    events.push(tracker.see("b", 1, clockStart)?.event);
    events.push(tracker.see("b", 1, clockStart + 1_000)?.event);
    events.push(...tracker.scrub(clockStart + 18_000).map(({ event }) => event));
    events.push(...tracker.scrub(clockStart + 19_000).map(({ event }) => event));
    events.push(tracker.see("b", 1, clockStart + 21_000)?.event);
    events.push(...tracker.scrub(clockStart + 62_000).map(({ event }) => event));
    events.push(tracker.see("b", 1, clockStart + 63_000)?.event);
    expect(events).toEqual(["new", undefined, "timeout", "recover", "expire", "new"]);
  });

  test("what was gone for longer than two intervals is forgotten in silence", () => {
    const tracker = new Tracker(settings);
    tracker.see("b", 1, clockStart);
    expect(tracker.scrub(clockStart + 81_000)).toEqual([]);
    expect(tracker.size).toBe(0);
  });

  test("an advisory is the document that peers know", () => {
    const advisory = advisoryOf(
      { event: "expire", value: "c", seen: 1_795_324_149_600 },
      "sender",
      "SITE1",
      1_795_324_197_400,
    );
    expect(advisory).toEqual({
      protocol: "io.choria.sr.v2.age_advisory",
      event_id: expect.stringMatching(/^\w{27}$/),
      inspect_field: "sender",
      age: 48,
      seen: 1_795_324_149,
      replicator: "SITE1",
      timestamp: 1_795_324_197,
      event: "expire",
      value: "c",
    });
    expect(advisorySubject("adv.%s.%v", { event: "new", value: '{"x":1}' })).toBe('adv.new.{"x":1}');
    expect(advisorySubject("adv.%v", { event: "new", value: "a b\r\nPUB x 1" })).toBe("adv.a_b__PUB_x_1");
    expect(advisorySubject("adv.%v", { event: "new", value: "$&%s" })).toBe("adv.$&%s");
  });
});

test("no body upsets the inspection, and every value is short enough to go around", () => {
  const entry = { inspectField: "a.b", inspectForceField: "f", inspectHeader: "", inspectSubjectToken: 0 };
  const check = (data: Uint8Array) => {
    const { value } = inspect({ subject: "x", data, headers: undefined }, entry);
    expect(value.length).toBeLessThanOrEqual(1_024);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), check));
  fc.assert(fc.property(fc.json(), (text) => check(encodeUtf8(`{"a":{"b":${text}}}`))));
  check(encodeUtf8(`{"a":${"[".repeat(100_000)}`));
  for (const depth of [1_000, 20_000, 200_000])
    check(encodeUtf8(`{"a":{"b":${"[".repeat(depth)}${"]".repeat(depth)}}}`));
  check(encodeUtf8(`{"a":{"b":"${"x".repeat(5_000)}"}}`));
  const exact = inspect(
    { subject: "x", data: encodeUtf8('{"a":{"b":12345678901234567890}}'), headers: undefined },
    entry,
  );
  expect(exact.value).toBe("12345678901234567890");
});
