import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { adapterDocument, isSubject } from "../../lib/adapters/mod.ts";
import { decodeUtf8, encodeUtf8 } from "../../lib/std/mod.ts";

const message = {
  sender: "srv1.local",
  requestId: "0123456789abcdef0123456789abcdef",
  time: 1_795_321_513_123_456_789n,
  body: encodeUtf8('{"hello":"world"}'),
};
const text = (fields: Partial<typeof message> = {}) =>
  decodeUtf8(adapterDocument({ ...message, ...fields }, "choria.node_metadata.%s").data);

describe("a document", () => {
  test("is the original's, byte for byte", () => {
    expect(text()).toBe(
      '{"protocol":"choria:adapters:choria_streams:output:1","data":"{\\"hello\\":\\"world\\"}","sender":"srv1.local","time":"2026-11-22T04:25:13.123456789Z","requestid":"0123456789abcdef0123456789abcdef"}',
    );
  });

  test("has as many digits of its time as it takes", () => {
    expect(text({ time: 1_795_321_513_100_000_000n })).toContain('"time":"2026-11-22T04:25:13.1Z"');
    expect(text({ time: 1_795_321_513_000_000_000n })).toContain('"time":"2026-11-22T04:25:13Z"');
  });

  test("escapes what the original escapes", () => {
    expect(text({ body: encodeUtf8("<a>&\u2028") })).toContain('"data":"\\u003ca\\u003e\\u0026\\u2028"');
  });

  test("holds text, whatever the bytes are", () => {
    expect(JSON.parse(text({ body: Uint8Array.of(0x61, 0xff, 0x62) })).data).toBe("a\ufffdb");
    expect(JSON.parse(text({ body: encodeUtf8("\ufeffa") })).data).toBe("\ufeffa");
  });

  test("goes to a subject of its sender's own, under an id of its own", () => {
    const { subject, id } = adapterDocument(message, "a.%s.b.%s");
    expect(subject).toBe("a.srv1.local.b.srv1.local");
    expect(id).toBe("0123456789abcdef0123456789abcdef.srv1.local");
  });

  test("whose sender would make another subject of it is refused", () => {
    for (const sender of ["a b", "*", ">", "a..b", ".a", "a.", "a\r\nb", "", "a.*.b"]) {
      expect(() => adapterDocument({ ...message, sender }, "choria.%s")).toThrow("cannot be part of a subject");
    }
  });

  test("gives back any text that it was made from", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (body) => {
        expect(JSON.parse(text({ body: encodeUtf8(body) })).data).toBe(body);
      }),
    );
  });
});

test("a subject has parts, and no wildcards", () => {
  expect(["a", "a.b", "$KV.x.ä"].map(isSubject)).toEqual([true, true, true]);
  expect(["", ".", "a.", "a b", "a.>", "*", "a\u0000"].some(isSubject)).toBe(false);
  expect(isSubject("a".repeat(2_000))).toBe(false);
});
