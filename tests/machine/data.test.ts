import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { openMachineData } from "../../lib/machine/data.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";

describe("what a machine remembers", () => {
  test("is a compact document with keys in order, for its owner alone", () => {
    using folder = temporaryFolder();
    const data = openMachineData(folder.path, new RecordingLogger());
    data.set("b", { z: [{ y: 1, x: null }], a: true });
    data.merge({ c: "text", a: 1.5 });
    const file = folder.file("machine_data.json");
    expect(readFileSync(file, "utf8")).toBe('{"a":1.5,"b":{"a":true,"z":[{"x":null,"y":1}]},"c":"text"}');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    data.delete("b");
    data.delete("nothing");
    expect(readFileSync(file, "utf8")).toBe('{"a":1.5,"c":"text"}');
    expect(openMachineData(folder.path, new RecordingLogger()).all).toEqual({ a: 1.5, c: "text" });
  });

  test("is nothing where the file cannot be read, which is said once", () => {
    using folder = temporaryFolder();
    for (const text of ["{", "[1]"]) {
      const logger = new RecordingLogger();
      writeFileSync(folder.file("machine_data.json"), text);
      expect(openMachineData(folder.path, logger).all).toEqual({});
      expect(logger.lines.map(({ level }) => level)).toEqual(["warn"]);
    }
    const logger = new RecordingLogger();
    expect(openMachineData(folder.file("nowhere"), logger).get("a")).toBeUndefined();
    expect(logger.lines).toEqual([]);
  });

  test("stays as it was where it cannot be written", () => {
    using folder = temporaryFolder();
    const data = openMachineData(folder.path, new RecordingLogger());
    data.set("a", 1);
    expect(() => data.set("b", "x".repeat(9_000_000))).toThrow("a machine remembers 8388608 bytes at most");
    expect(data.all).toEqual({ a: 1 });
    const lost = openMachineData(folder.file("nowhere"), new RecordingLogger());
    expect(() => lost.set("a", 1)).toThrow();
    expect(lost.get("a")).toBeUndefined();
  });

  test("takes names that objects have by themselves like any others", () => {
    using folder = temporaryFolder();
    const data = openMachineData(folder.path, new RecordingLogger());
    expect(data.get("constructor")).toBeUndefined();
    data.merge(JSON.parse('{"__proto__":{"polluted":true}}'));
    expect(data.get("__proto__")).toEqual({ polluted: true });
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(openMachineData(folder.path, new RecordingLogger()).get("__proto__")).toEqual({ polluted: true });
  });
});
