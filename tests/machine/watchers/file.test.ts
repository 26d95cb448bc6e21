import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import type { Watcher } from "../../../lib/machine/mod.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

type Options = Partial<Omit<TestMachineOptions, "definition">> & {
  definition?: Partial<TestMachineOptions["definition"]>;
};

function fileMachine(folder: string, properties: JsonObject, { definition, ...rest }: Options = {}): TestMachine {
  return new TestMachine({
    folder,
    ...rest,
    definition: { successTransition: "good", failTransition: "bad", ...definition, type: "file", properties },
  });
}

/** Turn the clock on by an interval and wait for what the watcher tells. */
async function look(machine: TestMachine): Promise<void> {
  const before = machine.announced.length;
  await machine.clock.advance(5_000);
  await waitFor("news", () => machine.announced.length > before);
}

/** Turn the clock on by an interval and wait until the watcher has looked and has nothing to tell. */
async function lookInVain(machine: TestMachine, watcher: Watcher): Promise<void> {
  const before = machine.announced.length;
  await machine.clock.advance(5_000);
  await waitFor("a look", () => /^(unchanged|skipped)$/.test(String(watcher.snapshot().fields.previous_outcome)));
  expect(machine.announced).toHaveLength(before);
}

describe("a file watcher", () => {
  test("tells of a file that is there at first, of changes, and of its absence at each look", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("watched"), "1");
    using machine = fileMachine(folder.path, { path: "watched" });
    const watcher = await machine.start();
    await look(machine);
    expect(machine.announced).toEqual([{ path: folder.file("watched"), previous_outcome: "changed" }]);
    await lookInVain(machine, watcher);
    expect(watcher.snapshot().fields.previous_outcome).toBe("unchanged");
    utimesSync(folder.file("watched"), new Date(), new Date(Date.now() + 5_000));
    await look(machine);
    rmSync(folder.file("watched"));
    await look(machine);
    await look(machine);
    writeFileSync(folder.file("watched"), "2");
    await look(machine);
    expect(machine.announced.map((fields) => fields.previous_outcome)).toEqual([
      "changed",
      "changed",
      "error",
      "error",
      "changed",
    ]);
    expect(machine.events).toEqual(["good", "good", "bad", "bad", "good"]);
    expect(watcher.snapshot().text).toBe(`m#w path: ${folder.file("watched")}, previous: changed`);
  });

  test("tells only of changes since the start where it is asked to", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("watched"), "1");
    using machine = fileMachine("/", { path: folder.file("watched"), gather_initial_state: true });
    const watcher = await machine.start();
    await lookInVain(machine, watcher);
    utimesSync(folder.file("watched"), new Date(), new Date(Date.now() + 5_000));
    await look(machine);
    expect(machine.events).toEqual(["good"]);
  });

  test("looks when the machine changes its state, and not in states of others", async () => {
    using folder = temporaryFolder();
    using machine = fileMachine(folder.path, { path: "missing" }, { definition: { stateMatch: ["ON"] } });
    const watcher = await machine.start();
    await lookInVain(machine, watcher);
    expect(watcher.snapshot().fields.previous_outcome).toBe("skipped");
    machine.enter("ON");
    await waitFor("the look", () => machine.events.length === 1);
    expect(machine.announced).toEqual([{ path: folder.file("missing"), previous_outcome: "error" }]);
  });

  test("watches folders, pipes and devices without reading them", async () => {
    using folder = temporaryFolder();
    Bun.spawnSync(["mkfifo", folder.file("pipe")]);
    for (const path of [folder.path, folder.file("pipe"), "/dev/zero"]) {
      using machine = fileMachine(folder.path, { path });
      await machine.start();
      await look(machine);
      expect(machine.events).toEqual(["good"]);
    }
  });
});

describe("a file watcher with contents", () => {
  const { uid, gid } = userInfo();
  const managed = { path: "out", owner: String(uid), group: String(gid), mode: "0640" };

  test("writes the file, and again when anybody changes it", async () => {
    using folder = temporaryFolder();
    const out = folder.file("out");
    using machine = fileMachine(
      folder.path,
      { ...managed, contents: "country={{ c }}\n" },
      { render: (text) => text.replace("{{ c }}", "mt") },
    );
    const watcher = await machine.start();
    await look(machine);
    expect(readFileSync(out, "utf8")).toBe("country=mt\n");
    expect(statSync(out).mode & 0o7777).toBe(0o640);
    await lookInVain(machine, watcher);
    expect(machine.events).toEqual(["good"]);
    const before = statSync(out).mtime;
    const changes = [
      () => writeFileSync(out, "country=xx\n"),
      () => chmodSync(out, 0o600),
      () => utimesSync(out, before, new Date(Date.now() + 5_000)),
      () => rmSync(out),
      () => {
        // As somebody does who covers the tracks.
        writeFileSync(out, "country=xy\n");
        utimesSync(out, before, before);
      },
    ];
    for (const [count, change] of changes.entries()) {
      change();
      await look(machine);
      expect([count, readFileSync(out, "utf8"), machine.events.length]).toEqual([count, "country=mt\n", count + 2]);
    }
    expect(readdirSync(folder.path)).toEqual(["out"]);
  });

  test("lets a file be that is as it should be at the start", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("out"), "x");
    chmodSync(folder.file("out"), 0o640);
    const gather_initial_state = true;
    using machine = fileMachine(folder.path, { ...managed, contents: "x", gather_initial_state });
    const watcher = await machine.start();
    await lookInVain(machine, watcher);
    using other = fileMachine(folder.path, { ...managed, contents: "x" });
    await other.start();
    await look(other);
    expect(other.events).toEqual(["good"]);
  });

  test("replaces a symbolic link and leaves alone what it leads to", async () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("precious"), "precious");
    symlinkSync(folder.file("precious"), folder.file("out"));
    using machine = fileMachine(folder.path, { ...managed, contents: "precious", gather_initial_state: true });
    await machine.start();
    await look(machine);
    expect(lstatSync(folder.file("out")).isFile()).toBe(true);
    expect(readFileSync(folder.file("precious"), "utf8")).toBe("precious");
    expect(machine.events).toEqual(["good"]);
  });

  test("neither reads nor replaces pipes and folders", async () => {
    using folder = temporaryFolder();
    Bun.spawnSync(["mkfifo", folder.file("out")]);
    mkdirSync(folder.file("folder"));
    for (const path of ["out", "folder"]) {
      using machine = fileMachine(folder.path, { ...managed, path, contents: "x" });
      await machine.start();
      await look(machine);
      expect(machine.events).toEqual(["bad"]);
    }
    expect(lstatSync(folder.file("out")).isFIFO()).toBe(true);
  });

  test("fails where an account, the folder or a template is not there", async () => {
    using folder = temporaryFolder();
    const broken: JsonObject[] = [
      { ...managed, owner: "nobody-of-this-name" },
      { ...managed, path: "missing/out" },
      { ...managed, mode: "99999999" },
    ];
    for (const properties of broken) {
      using machine = fileMachine(folder.path, { ...properties, contents: "x" });
      await machine.start();
      await look(machine);
      expect(machine.events).toEqual(["bad"]);
    }
    using machine = fileMachine(
      folder.path,
      { ...managed, contents: "{{" },
      {
        render: () => {
          throw new Error("unclosed action");
        },
      },
    );
    await machine.start();
    await look(machine);
    expect(machine.events).toEqual(["bad"]);
    expect(existsSync(folder.file("out"))).toBe(false);
  });

  test("takes a mode without a leading zero for a decimal number, and warns", async () => {
    using folder = temporaryFolder();
    using machine = fileMachine(folder.path, { ...managed, mode: 416, contents: "x" });
    await machine.start();
    await look(machine);
    expect(statSync(folder.file("out")).mode & 0o7777).toBe(0o640);
    expect(machine.logger.messages[0]).toContain("decimal");
  });

  test.each([
    [{}, 0, "could not set properties: path is required"],
    [{ path: "x", contents: "y" }, 0, "owner is required when managing content"],
    [{ path: "x", contents: "y", owner: "root" }, 0, "group is required when managing content"],
    [{ path: "x", contents: "y", owner: "root", group: "root" }, 0, "mode is required when managing content"],
    [
      { path: "x", contents: "y", owner: "root", group: "root", mode: "u=rw" },
      0,
      "invalid mode, must be a string like 0700",
    ],
    [{ path: "x" }, 100, "interval 100ms is too small"],
  ])("refuses %p with the interval %d", async (properties, interval, error) => {
    await expect(fileMachine("/", properties, { definition: { interval } }).load()).rejects.toThrow(error);
  });
});
