import { expect, test } from "bun:test";
import { formatOrigin, mapStreamSubject, mapSubject, parseDelivery, parseOrigin } from "../../lib/replicator/mod.ts";
import vectors from "../fixtures/replicator/subject-mapping.json";

for (const vector of vectors) {
  test(`prefix ${vector.prefix} and removal of ${vector.remove} map subjects as the original does`, () => {
    const mapping = { prefix: vector.prefix ?? "", remove: vector.remove ?? "" };
    for (const [subject, mapped] of Object.entries(vector.mapped ?? {}))
      expect(mapSubject(subject, mapping)).toBe(mapped);
    const subjects = (vector.source_stream_subjects ?? []).map((subject) => mapStreamSubject(subject, mapping));
    expect(subjects).toEqual(vector.target_stream_subjects ?? []);
  });
}

test("mappings that the server refuses stay as they are, and refused", () => {
  expect(mapStreamSubject("m.>", { prefix: "P2.", remove: "" })).toBe("P2..m.>");
  expect(mapStreamSubject("m.>", { prefix: "", remove: "m" })).toBe(".>");
  expect(mapSubject("m.m.amber", { prefix: "P4", remove: "m" })).toBe("P4..aber");
});

test("a delivery is read from reply subjects with and without a domain", () => {
  const expected = { deliveries: 2, sequence: 7, consumerSequence: 9, time: 1_795_323_999_486, pending: 3 };
  const tail = "S.C.2.7.9.1795323999486064041.3";
  expect(parseDelivery(`$JS.ACK.${tail}`)).toEqual(expected);
  expect(parseDelivery(`$JS.ACK.hub.ACC.${tail}`)).toEqual(expected);
  expect(parseDelivery(`$JS.ACK.hub.ACC.${tail}.random`)).toEqual(expected);
  for (const bad of [
    "",
    "_INBOX.x",
    "$JS.ACK.S.C.x.7.9.1.3",
    "$JS.ACK.S.C.1.0.0.1795323999486064041.3",
    "$JS.ACK.a.b",
  ]) {
    expect(parseDelivery(bad)).toBeUndefined();
  }
});

test("an origin is five fields with numbers, of which the replicator's name may have blanks", () => {
  const origin = { stream: "ORDERS", sequence: 2, replicator: "SITE1", entry: "w1", time: 1_795_323_999_486 };
  expect(parseOrigin("ORDERS 2 SITE1 w1 1795323999486")).toEqual(origin);
  expect(parseOrigin(formatOrigin({ ...origin, replicator: "Site One" }))).toEqual({
    ...origin,
    replicator: "Site One",
  });
  for (const bad of ["", "ORDERS", "ORDERS x SITE1 w1 1", "ORDERS 1 SITE1 w1 later", "ORDERS 1 w1 1"]) {
    expect(parseOrigin(bad)).toBeUndefined();
  }
});
