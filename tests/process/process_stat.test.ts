import { expect, test } from "bun:test";
import { processStat, signalProcess } from "../../lib/process/mod.ts";

test.skipIf(process.platform !== "linux")("processStat() knows a process by its parent and its start", async () => {
  const child = Bun.spawn(["sleep", "60"]);
  const own = processStat(process.pid);
  const stat = processStat(child.pid);
  expect(stat).toMatchObject({ hasEnded: false, parent: process.pid });
  expect(stat?.startTicks).toBeGreaterThanOrEqual(own?.startTicks ?? Number.NaN);
  signalProcess(child.pid, "SIGKILL");
  await child.exited;
  expect(processStat(child.pid)).toBeUndefined();
  expect(() => signalProcess(child.pid, "SIGKILL")).not.toThrow();
});
