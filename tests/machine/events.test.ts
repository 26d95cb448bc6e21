import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeMachineEvent,
  describeMachineEvent,
  encodeMachineEvent,
  type MachineEvent,
  MachineEventError,
  machineEventSubject,
} from "../../lib/machine/mod.ts";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";
import recorded from "../fixtures/machines/engine_run.json" with { type: "json" };

const documents = recorded.events.flatMap(({ subject, body }) =>
  subject.startsWith("choria.machine.") && isObject(body) ? [{ subject, body: body as JsonObject }] : [],
);

const head = { identity: "n1", id: "ID", version: "1.0.0", timestamp: 1, machine: "M" };
const watcher = (type: string, fields: JsonObject): MachineEvent => ({
  kind: "watcher",
  ...head,
  type,
  name: "W",
  fields,
});

describe("events of machines", () => {
  test("of the original are read, and written again as they were", () => {
    expect(documents.length).toBeGreaterThan(300);
    for (const { subject, body } of documents) {
      const event = decodeMachineEvent(JSON.stringify(body));
      expect(machineEventSubject(event)).toBe(subject);
      const ours = JSON.parse(Buffer.from(encodeMachineEvent(event)).toString());
      expect(JSON.stringify({ ...ours, id: body.id })).toBe(JSON.stringify(body));
    }
  });

  const forms: [MachineEvent, string][] = [
    [{ kind: "transition", ...head, transition: "go", from: "A", to: "B" }, "n1 M transitioned via event go: A => B"],
    [
      watcher("exec", { command: "C", previous_outcome: "success", previous_run_time: 3_400_000 }),
      "n1 M#W command: C, previous: success ran: 0.003s",
    ],
    [watcher("nagios", { status: "OK", output: "fine | a=1" }), "n1 M#W OK: fine | a=1"],
    [watcher("file", { path: "/f", previous_outcome: "changed" }), "n1 M#W path: /f, previous: changed"],
    [watcher("timer", { state: "running", timer: 2e9 }), "n1 timer M#W state: running with 2s timer"],
    [watcher("schedule", { state: "on" }), "n1 schedule M#W state: on"],
    [
      watcher("kv", { bucket: "B", key: "k", state: "changed", mode: "poll" }),
      "n1 key-value M#W polling bucket: B key: k state: changed",
    ],
    [
      watcher("archive", { source: "S", previous_outcome: "verified", previous_run_time: 0 }),
      "n1 M#W source: S, previous: verified ran: 0.000s",
    ],
    [
      watcher("plugins", { plugins: ["a", "b"], previous_outcome: "updated", previous_run_time: 1e6 }),
      "n1 M#W plugin: a, b, previous: updated ran: 0.001s",
    ],
    [watcher("metric", { metrics: { metrics: { v: 1.5, w: 2 } } }), "n1 M#W metrics: v=1.500, w=2.000"],
    [watcher("gossip", { previous_subject: "s", previous_gossip: 7 }), "n1 M#W subject: s, previous: 7"],
    [watcher("expression", { previous_outcome: "no_match" }), "n1 M#W previous: no_match"],
    [watcher("homekit", { a: 1, b: { c: 2 } }), 'n1 M#W homekit: a=1 b={"c":2}'],
    [watcher("constructor", {}), "n1 M#W constructor: "],
  ];
  for (const [event, text] of forms) {
    test(`read for people: ${text}`, () => expect(describeMachineEvent(event)).toBe(text));
  }

  test("that are none are refused and never throw anything else", () => {
    const [sample] = documents;
    const refused = (document: unknown) => {
      try {
        return describeMachineEvent(decodeMachineEvent(JSON.stringify(document)));
      } catch (error) {
        return error instanceof MachineEventError ? `refused: ${error.message}` : `another error: ${error}`;
      }
    };
    expect(refused({ ...sample?.body, source: "io.choria.lifecycle" })).toBe("refused: unsupported event format");
    expect(refused({ ...sample?.body, data: { protocol: "io.choria.machine.v2" } })).toStartWith("refused: ");
    fc.assert(
      fc.property(fc.object({ values: [fc.string(), fc.integer(), fc.constant(null)] }), (data) => {
        const protocol = "io.choria.machine.watcher.nagios.v1.state";
        const known = {
          protocol,
          identity: "a",
          id: "b",
          version: "c",
          timestamp: 1,
          machine: "m",
          name: "n",
          type: "metric",
        };
        expect(refused({ ...sample?.body, data })).not.toStartWith("another error");
        expect(refused({ ...sample?.body, data: { ...known, ...data } })).not.toStartWith("another error");
      }),
    );
  });
});
