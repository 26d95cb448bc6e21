import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeEvent,
  describeEvent,
  encodeEvent,
  eventSubject,
  eventTypes,
  LifecycleError,
  type LifecycleEvent,
  newEvent,
  publishEvent,
} from "../../lib/lifecycle/mod.ts";
import { decodeUtf8 } from "../../lib/std/mod.ts";
import golden from "../fixtures/lifecycle/events.json";

const base = { id: "b9a3", identity: "n1", component: "CLI", timestamp: 1 };
const slot = { ...base, type: "governor", governor: "TEST" } as const;

describe("events of the original", () => {
  for (const { subject, body } of golden) {
    test(`${subject} is read, and written byte for byte`, () => {
      const event = decodeEvent(body);
      const format = body.includes("specversion") ? "cloudevent" : "plain";
      expect(decodeUtf8(encodeEvent(event, format))).toBe(body);
      expect(eventSubject(event.type, event.component)).toBe(subject);
    });
  }
});

describe("documents without a sample", () => {
  test("of a governor", () => {
    const event: LifecycleEvent = { ...slot, sequence: 1, action: "enter" };
    const text =
      '{"protocol":"io.choria.lifecycle.v1.governor","id":"b9a3","identity":"n1","component":"CLI","timestamp":1,' +
      '"governor":"TEST","sequence":1,"event_type":"enter"}';
    expect(decodeUtf8(encodeEvent(event, "plain"))).toBe(text);
    expect(decodeEvent(text)).toEqual(event);
  });

  test("of an upgrade", () => {
    const event: LifecycleEvent = { ...base, type: "upgraded", version: "0.29.3", newVersion: "0.29.4" };
    const text =
      '{"protocol":"io.choria.lifecycle.v1.upgraded","id":"b9a3","identity":"n1","component":"CLI","timestamp":1,' +
      '"version":"0.29.3","new_version":"0.29.4"}';
    expect(decodeUtf8(encodeEvent(event, "plain"))).toBe(text);
    expect(decodeEvent(text)).toEqual(event);
  });

  test("of an envelope around an older event", () => {
    const data = {
      protocol: "choria:lifecycle:alive:1",
      identity: "n1",
      component: "server",
      timestamp: 5,
      version: "1",
    };
    const text = JSON.stringify({ specversion: "1.0", source: "io.choria.lifecycle", data });
    expect(decodeEvent(text)).toEqual({
      type: "alive",
      id: "",
      identity: "n1",
      component: "server",
      timestamp: 5,
      version: "1",
    });
  });
});

test("every event survives being written and read in either format", () => {
  const common = {
    id: fc.uuid(),
    identity: fc.string(),
    component: fc.stringMatching(/^\w+$/),
    timestamp: fc.nat(),
  };
  const events: fc.Arbitrary<LifecycleEvent> = fc.oneof(
    fc.record({ ...common, type: fc.constantFrom("startup" as const, "alive" as const), version: fc.string() }),
    fc.record({ ...common, type: fc.constantFrom("shutdown" as const, "provisioned" as const) }),
    fc.record({ ...common, type: fc.constant("upgraded" as const), version: fc.string(), newVersion: fc.string() }),
    fc.record({
      ...common,
      type: fc.constant("governor" as const),
      governor: fc.string({ minLength: 1 }),
      sequence: fc.nat(),
      action: fc.constantFrom("enter" as const, "exit" as const, "timeouts" as const, "eviction" as const),
    }),
  );
  fc.assert(
    fc.property(events, fc.constantFrom("cloudevent" as const, "plain" as const), (event, format) => {
      expect(decodeEvent(encodeEvent(event, format))).toEqual(event);
    }),
  );
});

describe("documents that are no events are refused", () => {
  const cases: [document: unknown, reason: string][] = [
    ["x", "unsupported event format"],
    [[], "unsupported event format"],
    [{ protocol: "choria:lifecycle:alive:1", timestamp: 1 }, "unsupported event format"],
    [{ specversion: "0.3", source: "io.choria.lifecycle", data: {} }, "unsupported event format"],
    [{ specversion: "1.0", source: "io.choria.machine", data: {} }, "unsupported event format"],
    [{ specversion: "1.0", source: "io.choria.lifecycle" }, "unsupported event format"],
    [{ specversion: "1.0", source: "io.choria.lifecycle", data: {} }, "unknown protocol '' received"],
    [{ protocol: "io.choria.lifecycle.v1.odd" }, "unknown protocol 'io.choria.lifecycle.v1.odd' received"],
    [{ protocol: "io.choria.lifecycle.v1.shutdown" }, "/timestamp: expected a whole number"],
    [{ protocol: "io.choria.lifecycle.v1.shutdown", timestamp: 1, identity: 5 }, "/identity: expected a string"],
    [{ protocol: "io.choria.lifecycle.v1.governor", timestamp: 1 }, "governor name is not set"],
    [{ protocol: "io.choria.lifecycle.v1.governor", timestamp: 1, governor: "G", event_type: "x" }, "/event_type"],
  ];
  for (const [document, reason] of cases) {
    test(JSON.stringify(document), () => expect(() => decodeEvent(JSON.stringify(document))).toThrow(reason));
  }

  test("whatever they are", () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        try {
          decodeEvent(text);
        } catch (error) {
          expect(error).toBeInstanceOf(LifecycleError);
        }
      }),
    );
  });
});

describe("an event for people", () => {
  const cases: [event: LifecycleEvent, text: string][] = [
    [{ ...base, type: "startup", version: "1.2" }, "[startup] n1: CLI version 1.2"],
    [{ ...base, type: "alive", version: "1.2" }, "[alive] n1: CLI version 1.2"],
    [{ ...base, type: "shutdown" }, "[shutdown] n1: CLI"],
    [{ ...base, type: "provisioned" }, "[provisioned] n1: CLI"],
    [{ ...base, type: "upgraded", version: "1", newVersion: "2" }, "[upgraded] n1: CLI version 1 to 2"],
    [{ ...slot, sequence: 3, action: "enter" }, "[governor] n1: obtained slot 3 on TEST"],
    [{ ...slot, sequence: 0, action: "enter" }, "[governor] n1: obtained slot on TEST"],
    [{ ...slot, sequence: 3, action: "exit" }, "[governor] n1: vacated slot 3 on TEST"],
    [{ ...slot, sequence: 0, action: "exit" }, "[governor] n1: vacated TEST"],
    [{ ...slot, sequence: 0, action: "timeouts" }, "[governor] n1: failed to obtain a slot on TEST"],
    [{ ...slot, sequence: 3, action: "eviction" }, "[governor] n1: evicted from slot 3 on TEST"],
    [{ ...slot, sequence: 0, action: "eviction" }, "[governor] n1: evicted from TEST"],
  ];
  for (const [event, text] of cases) test(text, () => expect(describeEvent(event)).toBe(text));
});

test("a new event has a fresh id and the time in whole seconds", () => {
  const fields = { type: "shutdown", identity: "n1", component: "server" } as const;
  const [one, two] = [newEvent(fields, 1_999), newEvent(fields, 1_999)];
  expect(one.timestamp).toBe(1);
  expect(one.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  expect(one.id).not.toBe(two.id);
});

test("events are published on a subject of their type and component", () => {
  const sent: [string, string][] = [];
  const connection = { publish: (subject: string, data: Uint8Array) => void sent.push([subject, decodeUtf8(data)]) };
  const event = newEvent({ type: "startup", identity: "n1", component: "server", version: "1" }, 1_000);
  publishEvent(connection, event);
  publishEvent(connection, event, "plain");
  expect(sent.map(([subject]) => subject)).toEqual(Array(2).fill("choria.lifecycle.event.startup.server"));
  expect(sent.map(([, body]) => body.includes("specversion"))).toEqual([true, false]);
});

test("events without a component, or with one that is no part of a subject, are not published", () => {
  const event = newEvent({ type: "shutdown", identity: "n1", component: "" }, 0);
  expect(() => encodeEvent(event)).toThrow("event is not complete, component has not been set");
  for (const component of ["a.b", "a b", "*", ">"])
    expect(() => encodeEvent({ ...event, component })).toThrow(TypeError);
});

test("subjects stand for any type and component that is not given", () => {
  expect(eventSubject()).toBe("choria.lifecycle.event.*.*");
  expect(eventSubject("startup")).toBe("choria.lifecycle.event.startup.*");
  expect([...eventTypes].sort()).toEqual([...eventTypes]);
});
