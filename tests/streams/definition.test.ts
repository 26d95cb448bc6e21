import { describe, expect, test } from "bun:test";
import {
  checkStream,
  defaultDuplicateWindow,
  differences,
  newBucket,
  newStream,
  settingsDocument,
} from "../../lib/streams/mod.ts";

const day = 86_400_000;

describe("a new stream", () => {
  test("has no limits unless somebody says so", () => {
    expect(newStream("ORDERS", { subjects: ["orders.>"] })).toEqual({
      name: "ORDERS",
      subjects: ["orders.>"],
      retention: "limits",
      storage: "file",
      discard: "old",
      num_replicas: 1,
      max_consumers: -1,
      max_msgs: -1,
      max_msgs_per_subject: -1,
      max_bytes: -1,
      max_msg_size: -1,
      max_age: 0,
      allow_direct: true,
      duplicate_window: 120e9,
    });
  });

  test("remembers duplicates no longer than messages live", () => {
    expect(newStream("A", { maxAge: 30_000 })).toMatchObject({ max_age: 30e9, duplicate_window: 30e9 });
    expect([undefined, -1, 0, 30_000, day].map(defaultDuplicateWindow)).toEqual([
      ...[120_000, 120_000, 120_000, 30_000, 120_000],
    ]);
  });

  test("takes what settings say over what its base says", () => {
    const base = { name: "OLD", subjects: ["old"], max_msgs: 5, storage: "memory" as const };
    const stream = newStream("NEW", { subjects: ["new"], maxAge: day }, base);
    expect(stream).toMatchObject({
      name: "NEW",
      subjects: ["new"],
      max_msgs: 5,
      storage: "memory",
      max_age: day * 1e6,
    });
  });

  test("says where it comes from and goes to in JetStream's words", () => {
    const document = settingsDocument({
      mirror: "A",
      sources: ["B", "C"],
      cluster: "east",
      tags: ["ssd"],
      transform: { source: "a.>", destination: "b.>" },
      republish: { source: ">", destination: "copy.>", headersOnly: true },
      acknowledge: false,
      metadata: { owner: "me" },
    });
    expect(document).toEqual({
      mirror: { name: "A" },
      sources: [{ name: "B" }, { name: "C" }],
      placement: { cluster: "east", tags: ["ssd"] },
      subject_transform: { src: "a.>", dest: "b.>" },
      republish: { src: ">", dest: "copy.>", headers_only: true },
      no_ack: true,
      metadata: { owner: "me" },
    });
  });
});

describe("a stream is refused before a broker is asked when", () => {
  const good = newStream("GOOD", { subjects: ["good.>"] });
  const cases: [why: string, problem: RegExp, stream: Parameters<typeof checkStream>[0]][] = [
    ["its name holds a dot", /"A\.B" is no name/, { ...good, name: "A.B" }],
    ["it has no name", /"" is no name/, { ...good, name: "" }],
    ["nothing reaches it", /needs subjects/, { ...good, subjects: [] }],
    ["a subject ends in a dot", /"a\." is no subject/, { ...good, subjects: ["a."] }],
    ["a subject goes on after >", /"a\.>\.b" is no subject/, { ...good, subjects: ["a.>.b"] }],
    ["it has six replicas", /1 to 5 replicas/, { ...good, num_replicas: 6 }],
    ["it remembers duplicates for too long", /for longer than/, { ...good, max_age: 1e9 }],
    ["a mirror has subjects", /mirror has no subjects/, { ...good, mirror: { name: "X" } }],
    ["it discards per subject but old messages", /per subject only/, { ...good, discard_new_per_subject: true }],
  ];
  test.each(cases)("%s", (_why, problem, stream) => {
    expect(checkStream(stream).join()).toMatch(problem);
  });

  test("and only then", () => {
    expect(checkStream(good)).toEqual([]);
  });
});

test("differences() tells what goes and what comes, key by key", () => {
  expect(differences({ a: 1, b: [1], c: "x" }, { a: 2, b: [1], d: true })).toEqual([
    { key: "a", before: "1", after: "2" },
    { key: "c", before: '"x"', after: undefined },
    { key: "d", before: undefined, after: "true" },
  ]);
});

describe("a new bucket", () => {
  test("is a stream as every client of NATS makes them", () => {
    expect(newBucket("B")).toMatchObject({
      name: "KV_B",
      subjects: ["$KV.B.>"],
      discard: "new",
      max_msgs_per_subject: 5,
      allow_rollup_hdrs: true,
      deny_delete: true,
      allow_direct: true,
      max_msg_size: -1,
      duplicate_window: 120e9,
    });
  });

  test("keeps 1 to 64 values, under a name that subjects can hold", () => {
    expect(() => newBucket("B", { history: 65 })).toThrow("1 to 64");
    expect(() => newBucket("B", { history: 0 })).toThrow("1 to 64");
    for (const name of ["", "a.b", "a b", "*"]) expect(() => newBucket(name)).toThrow("bucket name");
  });
});
