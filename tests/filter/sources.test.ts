import { expect, test } from "bun:test";
import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { classesFile, factFiles } from "../../lib/filter/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

test("facts of several files are merged at the top, the later file winning whole keys", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("a.json"), '{"os":{"name":"Linux","family":"unix"},"a":1}');
  writeFileSync(folder.file("b.yaml"), "os:\n  name: BSD\nb: [1, two]\n");
  const facts = await factFiles([folder.file("a.json"), folder.file("b.yaml")], silentLogger).read();
  expect(facts).toEqual({ os: { name: "BSD" }, a: 1, b: [1, "two"] });
});

test("facts come with their keys sorted", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("a.json"), '{"z":1,"a":{"y":1,"b":[{"d":1,"c":2}]}}');
  const facts = await factFiles([folder.file("a.json")], silentLogger).read();
  expect(JSON.stringify(facts)).toBe('{"a":{"b":[{"c":2,"d":1}],"y":1},"z":1}');
});

test("files that are missing, broken or no object are logged and left out", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("good.json"), '{"a":1}');
  writeFileSync(folder.file("broken.json"), "{");
  writeFileSync(folder.file("list.yaml"), "- 1\n");
  const lines: unknown[] = [];
  const logger = { ...silentLogger, warn: (_message: string, fields?: object) => void lines.push(fields) };
  const paths = ["missing.json", "broken.json", "good.json", "list.yaml"].map(folder.file);
  expect(await factFiles(paths, logger).read()).toEqual({ a: 1 });
  expect(lines.map((line) => (line as { file: string }).file)).toEqual([paths[0], paths[1], paths[3]] as string[]);
});

test("a file that stays away is told of once, and again when it goes away anew", async () => {
  using folder = temporaryFolder();
  const path = folder.file("facts.json");
  let lines = 0;
  const logger = { ...silentLogger, warn: () => void lines++ };
  const facts = factFiles([path], logger);
  for (let i = 0; i < 3; i++) await facts.read();
  expect(lines).toBe(1);
  writeFileSync(path, "{");
  await facts.read();
  expect(lines).toBe(2);
  writeFileSync(path, "{}");
  await facts.read();
  rmSync(path);
  await facts.read();
  expect(lines).toBe(3);
});

test("without files there are no facts", async () => {
  expect(await factFiles([], silentLogger).read()).toEqual({});
});

test("changed files are read anew", async () => {
  using folder = temporaryFolder();
  const file = folder.file("a.json");
  writeFileSync(file, '{"a":1}');
  const source = factFiles([file], silentLogger);
  expect(await source.read()).toEqual({ a: 1 });
  writeFileSync(file, '{"a":2}');
  utimesSync(file, 1, 1);
  expect(await source.read()).toEqual({ a: 2 });
});

test("facts cannot reach into JavaScript's objects", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("a.json"), '{"__proto__":{"polluted":true},"a":{"__proto__":{"x":1}}}');
  const facts = await factFiles([folder.file("a.json")], silentLogger).read();
  expect(Object.getPrototypeOf(facts)).toBe(Object.prototype);
  expect("polluted" in facts).toBe(false);
});

test("a YAML file that unfolds into a giant is refused", async () => {
  using folder = temporaryFolder();
  const levels = ["a: &a [x,x,x,x,x,x,x,x,x]"];
  for (const [from, to] of ["ab", "bc", "cd", "de", "ef", "fg", "gh"]) {
    levels.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(",")}]`);
  }
  writeFileSync(folder.file("a.yaml"), levels.join("\n"));
  expect(await factFiles([folder.file("a.yaml")], silentLogger).read()).toEqual({});
});

test("classes are the lines of a file as they stand, sorted", () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("classes.txt"), "web\nRole::Db \napache\n\n");
  expect(classesFile(folder.file("classes.txt"))()).toEqual(["Role::Db ", "apache", "web"]);
});

test("without a readable file there are no classes", () => {
  using folder = temporaryFolder();
  expect(classesFile(folder.file("missing"))()).toEqual([]);
  expect(classesFile("")()).toEqual([]);
  writeFileSync(folder.file("later"), "a\n");
  const classes = classesFile(folder.file("later"));
  expect(classes()).toEqual(["a"]);
});
