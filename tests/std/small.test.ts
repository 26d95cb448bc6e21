import { describe, expect, test } from "bun:test";
import {
  errorChain,
  errorCode,
  errorText,
  formatGoTime,
  formatRfc3339,
  formatRfc3339Nanos,
  LruMap,
  version,
} from "../../lib/std/mod.ts";
import manifest from "../../package.json";

test("version is that of package.json", () => {
  expect(version).toBe(manifest.version);
});

describe("LruMap", () => {
  test("forgets what was not used for longest", () => {
    const map = new LruMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.get("a");
    map.set("c", 3);
    expect([map.get("a"), map.get("b"), map.get("c")]).toEqual([1, undefined, 3]);
    expect(map.size).toBe(2);
  });

  test("replaces a value without forgetting another", () => {
    const map = new LruMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.set("a", 3);
    expect([map.get("a"), map.get("b")]).toEqual([3, 2]);
    map.delete("a");
    expect(map.get("a")).toBeUndefined();
    expect(map.size).toBe(1);
  });
});

test("errorText() and errorChain() tell whatever was thrown", () => {
  expect(errorText("plain")).toBe("plain");
  expect(errorText(new Error("no"))).toBe("no");
  expect(errorChain(new Error("outer", { cause: new Error("inner", { cause: "root" }) }))).toBe("outer: inner: root");
  const loop = new Error("loop");
  loop.cause = loop;
  expect(errorChain(loop).length).toBeLessThan(100);
});

test("errorCode() gives the system's code", () => {
  expect(errorCode(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe("ENOENT");
  expect(errorCode(new Error("x"))).toBeUndefined();
  expect(errorCode("x")).toBeUndefined();
});

test("times are written as Go and RFC 3339 have them", () => {
  const at = Date.UTC(2027, 10, 22, 4, 28, 49, 999);
  expect(formatGoTime(at)).toBe("2027-11-22 04:28:49 +0000 UTC");
  expect(formatRfc3339(at)).toBe("2027-11-22T04:28:49Z");
});

test("a time in nanoseconds has as many digits as it takes, whenever it is", () => {
  const texts = [1_795_321_498_658_002_900n, 1_795_321_498_000_000_000n, -1n, -(1n << 63n)].map(formatRfc3339Nanos);
  expect(texts).toEqual([
    "2026-11-22T04:24:58.6580029Z",
    "2026-11-22T04:24:58Z",
    "1969-12-31T23:59:59.999999999Z",
    "1677-09-21T00:12:43.145224192Z",
  ]);
});
