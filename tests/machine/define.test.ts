import { describe, expect, test } from "bun:test";
import {
  compileMachine,
  decodeManifest,
  defineMachine,
  type MachineSpec,
  ManifestError,
} from "../../lib/machine/mod.ts";

const light = defineMachine({
  name: "light",
  version: "1.0.0",
  states: ["RED", "GREEN"],
  initialState: "RED",
  splayStart: 5,
  transitions: {
    go: {
      from: ["RED"],
      destination: "GREEN",
      description: "Off we go",
      subscribe: [{ machine: "other", event: "on" }],
    },
    stop: { from: ["GREEN"], destination: "RED" },
  },
  watchers: {
    green: { type: "timer", stateMatch: ["GREEN"], failTransition: "stop", properties: { timer: "30s" } },
    look: {
      type: "exec",
      interval: "1d",
      announceInterval: "1h30m",
      foreignStates: [{ machine: "other", state: "ON" }],
      successTransition: "go",
      properties: { command: "true", environment: ["A=1"], timeout: "500ms", parse_as_data: false },
    },
  },
});

/** The machine, with one thing about it changed. */
const transitions = { go: { from: ["RED"], destination: "GREEN" } } as const;
const base = {
  name: "x",
  version: "1.0.0",
  states: ["RED", "GREEN"],
  initialState: "RED",
  watchers: {},
  transitions,
} as const;

describe("a machine written in TypeScript", () => {
  test("becomes the manifest that it describes", () => {
    expect(decodeManifest(compileMachine(light)).manifest).toEqual({
      name: "light",
      version: "1.0.0",
      initialState: "RED",
      splayStart: 5,
      transitions: [
        {
          name: "go",
          from: ["RED"],
          destination: "GREEN",
          description: "Off we go",
          subscribe: [{ machine: "other", event: "on" }],
        },
        { name: "stop", from: ["GREEN"], destination: "RED", description: "", subscribe: [] },
      ],
      watchers: [
        {
          name: "green",
          type: "timer",
          stateMatch: ["GREEN"],
          foreignStates: [],
          successTransition: "",
          failTransition: "stop",
          interval: 0,
          announceInterval: 0,
          properties: { timer: "30s" },
        },
        {
          name: "look",
          type: "exec",
          stateMatch: [],
          foreignStates: [{ machine: "other", state: "ON" }],
          successTransition: "go",
          failTransition: "",
          interval: 86_400_000,
          announceInterval: 5_400_000,
          properties: { command: "true", environment: ["A=1"], timeout: "500ms", parse_as_data: false },
        },
      ],
    });
  });

  test("that is misspelt does not pass the type system", () => {
    // @ts-expect-error a state that is not among the states
    defineMachine({ ...base, initialState: "REDD" });
    // @ts-expect-error a transition to a state that is not among the states
    defineMachine({ ...base, transitions: { go: { from: ["RED"], destination: "GREN" } } });
    // @ts-expect-error a transition from a state that is not among the states
    defineMachine({ ...base, transitions: { go: { from: ["RD"], destination: "GREEN" } } });
    // @ts-expect-error a kind of watcher that does not exist
    defineMachine({ ...base, watchers: { w: { type: "timmer", properties: { timer: "1s" } } } });
    // @ts-expect-error a state to watch in that is not among the states
    defineMachine({ ...base, watchers: { w: { type: "timer", stateMatch: ["GREN"], properties: { timer: "1s" } } } });
    // @ts-expect-error a transition to fire that is not among the transitions
    defineMachine({ ...base, watchers: { w: { type: "timer", failTransition: "goo", properties: { timer: "1s" } } } });
    // @ts-expect-error a property that the kind does not have
    defineMachine({ ...base, watchers: { w: { type: "timer", properties: { timer: "1s", splai: true } } } });
    // @ts-expect-error a property that the kind cannot be without
    defineMachine({ ...base, watchers: { w: { type: "exec", properties: { timeout: "1s" } } } });
    // @ts-expect-error a duration that Go does not know
    defineMachine({ ...base, watchers: { w: { type: "timer", properties: { timer: "1d" } } } });
    // @ts-expect-error an interval without a unit
    defineMachine({ ...base, watchers: { w: { type: "timer", interval: "10", properties: { timer: "1s" } } } });
    // @ts-expect-error a property of another type
    defineMachine({ ...base, watchers: { w: { type: "timer", properties: { timer: "1s", splay: "yes" } } } });
    const right = defineMachine({
      ...base,
      watchers: { w: { type: "timer", properties: { timer: "1s", splay: true } } },
    });
    expect(right.watchers.w?.type).toBe("timer");
  });

  test("is refused where nobody has checked its types", () => {
    const machine: MachineSpec = { ...light, initialState: "" };
    expect(() => compileMachine(machine)).toThrow(ManifestError);
  });
});
