import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  decodeUtf8,
  encodeUtf8,
  isObject,
  isStringList,
  jsonLine,
  parseExact,
  parseObject,
  showUtf8,
} from "../../lib/std/mod.ts";

test("parseExact() keeps integers that a double cannot hold", () => {
  expect(parseExact('{"time":1704168000123456789,"small":5,"half":1.5,"deep":[9007199254740993]}')).toEqual({
    time: 1704168000123456789n,
    small: 5,
    half: 1.5,
    deep: [9007199254740993n],
  });
});

test("parseExact() gives back every 64-bit integer", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }), (value) => {
      const read = parseExact(String(value));
      expect(typeof read === "number" ? BigInt(read) : read).toBe(value);
    }),
    { numRuns: 2_000 },
  );
});

test("parseExact() throws nothing but SyntaxError, however deep the document", () => {
  expect(() => parseExact("{")).toThrow(SyntaxError);
  expect(() => parseExact(`${"[".repeat(300_000)}${"]".repeat(300_000)}`)).toThrow(SyntaxError);
});

test("parseObject() takes objects alone", () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 });
  expect(parseObject(Buffer.from('{"a":"é"}'))).toEqual({ a: "é" });
  for (const text of ["[]", "1", '"x"', "null", "", "{"]) expect(() => parseObject(text)).toThrow(SyntaxError);
  expect(() => parseObject(new Uint8Array([0x7b, 0xff, 0x7d]))).toThrow(TypeError);
});

test("decodeUtf8() refuses bytes that are not UTF-8", () => {
  expect(() => decodeUtf8(new Uint8Array([0xc3, 0x28]))).toThrow(TypeError);
});

test("isObject() and isStringList() tell what is what", () => {
  expect([{}, [], null, "x", 1, undefined].map(isObject)).toEqual([true, false, false, false, false, false]);
  expect([[], ["a"], ["a", 1], "a", null].map(isStringList)).toEqual([true, true, false, false, false]);
});

test("jsonLine() leaves a document as it was sent, on one line", () => {
  const document = '{\r\n "a": "x\\ny",\n\n"b": 1.0\n}';
  const line = jsonLine(encodeUtf8(document));
  expect(line).toBe('{  "a": "x\\ny", "b": 1.0 }');
  expect(JSON.parse(line)).toEqual(JSON.parse(document));
});

test("showUtf8() shows whatever bytes there are", () => {
  expect(showUtf8(Uint8Array.of(0x61, 0xff, 0x62))).toBe("a\ufffdb");
});
