import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { systemClock } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { isRunning } from "../../support/processes.ts";
import { waitFor } from "../../support/wait.ts";

type Options = Partial<Omit<TestMachineOptions, "definition">> & {
  definition?: Partial<TestMachineOptions["definition"]>;
};

function execMachine(properties: JsonObject, { definition, ...rest }: Options = {}): TestMachine {
  return new TestMachine({
    folder: tmpdir(),
    ...rest,
    definition: { successTransition: "good", failTransition: "bad", ...definition, type: "exec", properties },
  });
}

/** Run once, by a change of state. */
async function runOnce(machine: TestMachine): Promise<JsonObject> {
  await machine.start();
  machine.enter("NEXT");
  await waitFor("the run", () => machine.events.length > 0);
  return machine.announced[0] ?? {};
}

describe("an exec watcher", () => {
  test("publishes a success and fires its transition", async () => {
    using machine = execMachine({ command: "true" });
    const { previous_run_time: took, ...fields } = await runOnce(machine);
    expect(fields).toEqual({ command: "true", previous_outcome: "success" });
    expect(Number.isInteger(took) && Number(took) > 0).toBe(true);
    expect(machine.events).toEqual(["good"]);
  });

  test.each([
    ["a non-zero exit", "false"],
    ["a program that is not there", "/nonexistent/program --now"],
    ["a program that is not on the PATH", "surely-not-installed"],
    ["a quote that is not closed", "echo 'x"],
    ["an empty command line", "''"],
    ["nothing but a comment", "# nothing"],
    ["an end by signal", "sh -c 'kill -9 $$'"],
  ])("takes %s as an error", async (_, command) => {
    using machine = execMachine({ command });
    expect((await runOnce(machine)).previous_outcome).toBe("error");
    expect(machine.events).toEqual(["bad"]);
  });

  test("takes a template that cannot be filled in as an error, and runs nothing", async () => {
    using folder = temporaryFolder();
    using machine = execMachine(
      { command: `touch ${folder.file("ran")}` },
      {
        render: () => {
          throw new Error("no such function");
        },
      },
    );
    expect((await runOnce(machine)).previous_outcome).toBe("error");
    expect(existsSync(folder.file("ran"))).toBe(false);
  });

  test("publishes the command as the manifest has it and runs what the template gives", async () => {
    using folder = temporaryFolder();
    using machine = execMachine(
      { command: "sh -c 'echo WHO > WHERE'", environment: ["WHO=WHO"] },
      { render: (text) => text.replace("WHO >", "$WHO >").replace("WHERE", folder.file("out")) },
    );
    expect((await runOnce(machine)).command).toBe("sh -c 'echo WHO > WHERE'");
    expect(readFileSync(folder.file("out"), "utf8")).toBe("WHO\n");
  });

  test("gives the command little more than its names, in the machine's folder", async () => {
    using folder = temporaryFolder();
    const script =
      "#!/bin/sh\nenv | grep -v -e ^PWD= -e ^_= -e ^SHLVL= | sort > env.txt; cat > stdin.txt; pwd >> env.txt\n";
    writeFileSync(folder.file("env.sh"), script);
    chmodSync(folder.file("env.sh"), 0o755);
    using machine = execMachine(
      { command: "./env.sh", environment: "HELLO=world wide" },
      { folder: folder.path, name: "exec_a" },
    );
    await runOnce(machine);
    const lines = readFileSync(folder.file("env.txt"), "utf8").trim().split("\n");
    expect(lines.map((line) => line.replace(/^(WATCHER_\w+)=.*/, "$1=…"))).toEqual([
      "HELLO=world wide",
      "MACHINE_NAME=exec_a",
      "MACHINE_WATCHER_NAME=w",
      `PATH=${process.env.PATH}:${folder.path}`,
      "WATCHER_DATA=…",
      "WATCHER_FACTS=…",
      folder.path,
    ]);
    expect(readFileSync(folder.file("stdin.txt"), "utf8")).toBe("");
  });

  test("hands out data and facts in files of its own that are gone afterwards", async () => {
    using folder = temporaryFolder();
    const script = `sh -c 'cat $WATCHER_DATA $WATCHER_FACTS > OUT; stat -c %a $WATCHER_DATA $WATCHER_FACTS >> OUT; echo $WATCHER_DATA $WATCHER_FACTS > NAMES'`;
    using machine = execMachine(
      { command: script.replaceAll("OUT", folder.file("out")).replace("NAMES", folder.file("names")) },
      { data: { a: 1 }, facts: { country: "mt" } },
    );
    await runOnce(machine);
    expect(readFileSync(folder.file("out"), "utf8")).toBe('{"a":1}{"country":"mt"}600\n600\n');
    for (const name of readFileSync(folder.file("names"), "utf8").trim().split(" "))
      expect(existsSync(name)).toBe(false);
  });

  test("leaves no file behind when the machine stops in the middle of a run, not even for a moment", async () => {
    using folder = temporaryFolder();
    const script = `sh -c 'echo $WATCHER_DATA $WATCHER_FACTS > NAMES.new; mv NAMES.new NAMES; sleep 60'`;
    const machine = execMachine({ command: script.replaceAll("NAMES", folder.file("names")), timeout: "1m" });
    await machine.start();
    machine.enter("NEXT");
    await waitFor("the run", () => existsSync(folder.file("names")));
    const names = readFileSync(folder.file("names"), "utf8").trim().split(" ");
    expect(names.map((name) => existsSync(name))).toEqual([true, true]);
    machine[Symbol.dispose]();
    expect(names.map((name) => existsSync(name))).toEqual([false, false]);
  });

  test("puts what the command prints into the machine's data", async () => {
    using machine = execMachine({ command: `echo '{"answer":42,"nested":{"a":[1,2]}}'`, parse_as_data: true });
    await runOnce(machine);
    expect(machine.data.all).toEqual({ answer: 42, nested: { a: [1, 2] } });
  });

  test.each([
    ["no JSON", "echo hello"],
    ["no object", "echo '[1]'"],
    ["an object and more", `sh -c "echo '{}'; echo oops >&2"`],
    ["nothing", "true"],
    ["no text", "printf '\\377'"],
  ])("takes output that is %s as an error where data is wanted", async (_, command) => {
    using machine = execMachine({ command, parse_as_data: "1" });
    expect((await runOnce(machine)).previous_outcome).toBe("error");
    expect(machine.data.all).toEqual({});
  });

  test("runs after an interval, and then at each", async () => {
    using machine = execMachine({ command: "true" }, { definition: { interval: 2_000 } });
    await machine.start();
    await machine.clock.advance(1_999);
    expect(machine.announced).toEqual([]);
    for (let runs = 1; runs <= 3; runs++) {
      await machine.clock.advance(runs === 1 ? 1 : 2_000);
      await waitFor("a run", () => machine.events.length === runs);
    }
    machine.enter("NEXT");
    await waitFor("a run for the state", () => machine.events.length === 4);
    await machine.clock.advance(2_000);
    await waitFor("the run that was due", () => machine.events.length === 5);
  });

  test("runs within half a minute of the start where it is asked to, then at its interval", async () => {
    const options = { definition: { interval: 3_600_000 }, random: () => 0.5 };
    using machine = execMachine({ command: "true", gather_initial_state: true }, options);
    await machine.start();
    await machine.clock.advance(14_999);
    expect(machine.announced).toEqual([]);
    await machine.clock.advance(1);
    await waitFor("the first run", () => machine.events.length === 1);
    await machine.clock.advance(3_600_000);
    await waitFor("the second", () => machine.events.length === 2);
  });

  test("neither runs nor publishes in other states", async () => {
    using machine = execMachine({ command: "true" }, { definition: { stateMatch: ["ON"], interval: 1_000 } });
    const watcher = await machine.start();
    await machine.clock.advance(5_000);
    machine.enter("OTHER");
    await machine.clock.advance(5_000);
    expect(machine.announced).toEqual([]);
    expect(machine.events).toEqual([]);
    expect(watcher.snapshot().fields).toEqual({ command: "true", previous_outcome: "skipped", previous_run_time: 0 });
    expect(watcher.snapshot().text).toBe("m#w command: true, previous: skipped ran: 0.000s");
  });

  test("keeps successes to itself where it is told to, but not errors", async () => {
    using quiet = execMachine({ command: "true", suppress_success_announce: true });
    await runOnce(quiet);
    using loud = execMachine({ command: "false", suppress_success_announce: true });
    await runOnce(loud);
    expect([quiet.announced.length, loud.announced.length]).toEqual([0, 1]);
  });

  test("ends a command that hangs, and all that it started", async () => {
    using folder = temporaryFolder();
    using machine = execMachine(
      { command: `sh -c 'sleep 60 & echo $! > ${folder.file("pid")}; wait'`, timeout: "300ms" },
      { clock: systemClock },
    );
    expect((await runOnce(machine)).previous_outcome).toBe("error");
    const pid = Number(readFileSync(folder.file("pid"), "utf8"));
    await waitFor("the child to be gone", () => !isRunning(pid));
  });

  test("ends a command that floods", async () => {
    using machine = execMachine({ command: "yes", timeout: "1m" });
    expect((await runOnce(machine)).previous_outcome).toBe("error");
  });

  test("ends what runs when the machine stops, and tells nothing of it", async () => {
    using folder = temporaryFolder();
    using machine = execMachine({ command: `sh -c 'echo $$ > ${folder.file("pid")}; exec sleep 60'`, timeout: "1m" });
    await machine.start();
    machine.enter("NEXT");
    const pid = Number(
      await waitFor("the command", () => existsSync(folder.file("pid")) && readFileSync(folder.file("pid"), "utf8")),
    );
    machine.stop();
    await waitFor("the command to be gone", () => !isRunning(pid));
    expect(machine.announced).toEqual([]);
    expect(machine.events).toEqual([]);
  });

  test("a disowned command has all the time, and outlives the machine", async () => {
    using folder = temporaryFolder();
    const script = "touch started; while [ ! -e go ]; do sleep 0.02; done; touch done";
    const options = { folder: folder.path };
    using machine = execMachine({ command: `sh -c '${script}'`, timeout: "1s", disown: true }, options);
    await machine.start();
    machine.enter("NEXT");
    await waitFor("the command", () => existsSync(folder.file("started")));
    await machine.clock.advance(86_400_000);
    machine.stop();
    writeFileSync(folder.file("go"), "");
    await waitFor("the command to end by itself", () => existsSync(folder.file("done")));
    expect(machine.events).toEqual([]);
  });

  test("the end of a disowned command is waited for", async () => {
    using machine = execMachine({ command: "sh -c 'echo noise; exit 3'", disown: true });
    expect((await runOnce(machine)).previous_outcome).toBe("error");
  });

  test("fails where it needs a slot of a governor and there is no broker", async () => {
    using folder = temporaryFolder();
    using machine = execMachine({ command: `touch ${folder.file("ran")}`, governor: "slow" });
    expect((await runOnce(machine)).previous_outcome).toBe("error");
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test.each([
    [{}, 0, "could not set properties: command is required"],
    [{ command: "x" }, 100, "interval 100ms is too small"],
    [
      { command: "x", disown: true, parse_as_data: true },
      0,
      "could not set properties: cannot parse output as data while disowning child processes",
    ],
  ])("refuses properties %p with the interval %d", async (properties, interval, error) => {
    await expect(execMachine(properties, { definition: { interval } }).load()).rejects.toThrow(error);
  });
});
