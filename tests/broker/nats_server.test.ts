import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { findNatsServer, parseNatsVersion } from "../../lib/broker/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { natsServerPath } from "../support/nats.ts";

function program(path: string, text: string): string {
  writeFileSync(path, `#!/bin/sh\necho '${text}'\n`);
  chmodSync(path, 0o755);
  return path;
}

test("the nats-server of this machine is found", async () => {
  const { version } = await findNatsServer({ env: { NATS_SERVER: natsServerPath() }, cache: "/nonexistent" });
  expect(version).toMatch(/^2\.\d+\.\d+/);
});

test("the environment wins over the path, the path over the project's own", async () => {
  using folder = temporaryFolder();
  const named = program(folder.file("named"), "nats-server: v2.11.1");
  program(folder.file("nats-server"), "nats-server: v2.12.2");
  const cache = program(folder.file("cache"), "nats-server: v2.15.3-RC.1");
  const env = { NATS_SERVER: named, PATH: `/nonexistent:${folder.path}` };
  expect((await findNatsServer({ env, cache })).version).toBe("2.11.1");
  expect((await findNatsServer({ env: { PATH: env.PATH }, cache })).version).toBe("2.12.2");
  expect((await findNatsServer({ env: {}, cache })).version).toBe("2.15.3-RC.1");
});

test("one that is too old on the path does not hide the project's own", async () => {
  using folder = temporaryFolder();
  program(folder.file("nats-server"), "nats-server: v2.9.10");
  const cache = program(folder.file("cache"), "nats-server: v2.15.1");
  expect(await findNatsServer({ env: { PATH: folder.path }, cache })).toEqual({ path: cache, version: "2.15.1" });
});

test.each([
  ["nats-server: v2.9.10", /is nats-server 2\.9\.10, older than 2\.11: run \.\/setup\.sh/],
  ["nats-server: v1.4.1", /older than 2\.11/],
  ["hello", /is not a nats-server: run \.\/setup\.sh/],
])("one that says %j is refused with the way out", async (text, expected) => {
  using folder = temporaryFolder();
  const path = program(folder.file("nats-server"), text);
  await expect(findNatsServer({ env: { NATS_SERVER: path }, cache: "/nonexistent" })).rejects.toThrow(expected);
});

test("where there is none the error says what to do", async () => {
  await expect(findNatsServer({ env: {}, cache: "/nonexistent" })).rejects.toThrow(
    "Cannot start the broker: nats-server is not installed: run ./setup.sh, which installs it, or name one in the environment variable NATS_SERVER",
  );
  await expect(findNatsServer({ env: { NATS_SERVER: "/nonexistent" }, cache: "" })).rejects.toThrow("does not run");
});

test("a version is read from whatever stands around it", () => {
  expect(parseNatsVersion("nats-server: v2.15.1\n")).toBe("2.15.1");
  expect(parseNatsVersion("no version here")).toBeUndefined();
});
