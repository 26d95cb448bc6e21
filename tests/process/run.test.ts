import { describe, expect, test } from "bun:test";
import { ProcessError, runProcess, splitCommand } from "../../lib/process/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { isRunning } from "../support/processes.ts";
import { waitFor } from "../support/wait.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

async function faultOf(command: string[], options: Parameters<typeof runProcess>[1]): Promise<string> {
  try {
    await runProcess(command, options);
    return "none";
  } catch (error) {
    return error instanceof ProcessError ? error.fault : String(error);
  }
}

describe("runProcess", () => {
  test("gives input on stdin and collects stdout, stderr and the exit code", async () => {
    const result = await runProcess(["sh", "-c", "cat; echo oops >&2; exit 3"], {
      input: "hello",
      timeout: 5_000,
      captureStderr: true,
    });
    expect(text(result.stdout)).toBe("hello");
    expect(text(result.stderr)).toBe("oops\n");
    expect(result.exitCode).toBe(3);
    expect(result.signal).toBeNull();
  });

  test("tells which signal ended a program", async () => {
    const result = await runProcess(["sh", "-c", "kill -TERM $$"], { timeout: 5_000 });
    expect(result.signal).toBe("SIGTERM");
  });

  test("kills the whole process group when the time is over", async () => {
    using folder = temporaryFolder();
    const script = `sleep 60 & echo $! > ${folder.file("pid")}; wait`;
    expect(await faultOf(["sh", "-c", script], { timeout: 300 })).toBe("timeout");
    const pid = Number(await Bun.file(folder.file("pid")).text());
    await waitFor("the grandchild to be gone", () => !isRunning(pid));
  });

  test("a grandchild that holds stdout open does not outlive the limit either", async () => {
    expect(await faultOf(["sh", "-c", "sleep 60 & exit 0"], { timeout: 300 })).toBe("timeout");
  });

  test("nor does one that left the process group", async () => {
    using folder = temporaryFolder();
    const script = `setsid sleep 60 & echo $! > ${folder.file("pid")}; echo hi; sleep 60`;
    expect(await faultOf(["sh", "-c", script], { timeout: 300 })).toBe("timeout");
    process.kill(Number(await Bun.file(folder.file("pid")).text()), "SIGKILL");
  });

  test("stops a program that prints too much", async () => {
    expect(await faultOf(["yes"], { timeout: 5_000, maxOutput: 10_000 })).toBe("output");
  });

  test("says that a program cannot be started", async () => {
    expect(await faultOf(["/nonexistent/program"], { timeout: 5_000 })).toBe("start");
  });

  test("can be called off, before and while it runs", async () => {
    const controller = new AbortController();
    const running = faultOf(["sleep", "60"], { timeout: 5_000, signal: controller.signal });
    controller.abort();
    expect(await running).toBe("cancelled");
    expect(await faultOf(["sleep", "60"], { timeout: 5_000, signal: controller.signal })).toBe("cancelled");
  });

  test("a program that never reads its input does not hang the run", async () => {
    const result = await runProcess(["true"], { input: "x".repeat(1_000_000), timeout: 5_000 });
    expect(result.exitCode).toBe(0);
  });
});

describe("a run that ends with its program", () => {
  test("kills what is left of the process group, and keeps what was printed", async () => {
    using folder = temporaryFolder();
    const script = `sleep 60 & echo $! > ${folder.file("pid")}; echo done`;
    const result = await runProcess(["sh", "-c", script], { timeout: 10_000, endWithProgram: true });
    expect([text(result.stdout), result.exitCode]).toEqual(["done\n", 0]);
    const pid = Number(await Bun.file(folder.file("pid")).text());
    await waitFor("the child to be gone", () => !isRunning(pid));
  });

  test("does not wait for one that has left the group with its output open", async () => {
    using folder = temporaryFolder();
    const script = `setsid sh -c 'echo $$ > ${folder.file("pid")}; exec sleep 60' &
while ! [ -s ${folder.file("pid")} ]; do sleep 0.01; done; echo done`;
    const result = await runProcess(["sh", "-c", script], { timeout: 10_000, endWithProgram: true });
    expect(text(result.stdout)).toBe("done\n");
    const pid = Number(await Bun.file(folder.file("pid")).text());
    expect(isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  test("keeps the last of a long output", async () => {
    const script = "head -c 3000000 /dev/zero; printf end";
    const result = await runProcess(["sh", "-c", script], { timeout: 10_000, endWithProgram: true });
    expect(result.stdout.length).toBe(3_000_003);
  });
});

test("a run that fails tells what was printed to stderr by then", async () => {
  const run = runProcess(["sh", "-c", "echo oops >&2; sleep 60"], { timeout: 300, captureStderr: true });
  const error = await run.catch((reason: unknown) => reason);
  expect(error instanceof ProcessError && text(error.stderr)).toBe("oops\n");
});

describe("splitCommand", () => {
  test("splits as a shell does", () => {
    expect(splitCommand("  /bin/helper  --name 'a b' \"c \\\" d\" e\\ f ''")).toEqual([
      "/bin/helper",
      "--name",
      "a b",
      'c " d',
      "e f",
      "",
    ]);
  });

  test("expands nothing", () => {
    expect(splitCommand("echo $HOME `id` *")).toEqual(["echo", "$HOME", "`id`", "*"]);
  });

  test.each(["", "   ", "a 'b", 'a "b', "a\\"])("refuses %p", (line) => {
    expect(() => splitCommand(line)).toThrow(SyntaxError);
  });

  test("merges stderr into stdout, and the limit counts both", async () => {
    const both = ["sh", "-c", "echo out; echo err >&2"];
    const result = await runProcess(both, { timeout: 5_000, captureStderr: "merged" });
    expect(text(result.stdout).split("\n").sort()).toEqual(["", "err", "out"]);
    expect(await faultOf(both, { timeout: 5_000, captureStderr: "merged", maxOutput: 6 })).toBe("output");
  });

  test("tells what was printed before a run went wrong", async () => {
    const run = runProcess(["sh", "-c", "echo begun; sleep 60"], { timeout: 300 });
    const error = await run.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProcessError);
    if (error instanceof ProcessError) expect(text(error.stdout)).toBe("begun\n");
  });
});
