import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { configFrom } from "../../lib/config/mod.ts";
import {
  type RunningServer,
  type ServerControl,
  type ServerMode,
  type SupervisorOptions,
  superviseServer,
} from "../../lib/server/provisioning/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { waitFor } from "../support/wait.ts";

const config = configFrom({});
const settings = { tokenFile: "/p.jwt", token: "", secret: "s3cret", brokers: [], isDefault: true, allowUpdate: false };
const provisioned: ServerMode = { kind: "provisioned", config, settings };
const provisioning: ServerMode = { kind: "provisioning", config, settings, reason: "test" };

/** A supervisor over servers that do nothing. */
function rig(options: Partial<SupervisorOptions> = {}, mode: ServerMode = provisioned) {
  const clock = new FakeClock();
  const controls: ServerControl[] = [];
  const stops: ({ quiet?: boolean } | undefined)[] = [];
  let running = 0;
  let most = 0;
  const state: { mode: ServerMode; fault: string | undefined } = { mode, fault: undefined };
  const supervisor = superviseServer({
    decide: async () => state.mode,
    check: () => state.fault,
    start: async (_mode, control): Promise<RunningServer> => {
      controls.push(control);
      most = Math.max(most, ++running);
      return {
        async stop(how) {
          stops.push(how);
          running--;
        },
      };
    },
    clock,
    logger: silentLogger,
    ...options,
  });
  const last = () => controls.at(-1) ?? expect.unreachable("nothing was started");
  return { supervisor, clock, controls, stops, state, last, most: () => most, running: () => running };
}

const started = (count: number, { controls }: ReturnType<typeof rig>) =>
  waitFor(`start number ${count}`, () => controls.length === count);

describe("a supervised server", () => {
  test("starts again when it asks for it, quietly and as what it then is", async () => {
    const server = rig({}, provisioning);
    await started(1, server);
    expect(server.supervisor.mode).toBe("provisioning");
    server.state.mode = provisioned;
    server.last().restart("configured");
    await started(2, server);
    expect(server.supervisor.mode).toBe("provisioned");
    expect(server.stops).toEqual([{ quiet: true }]);
    expect(server.most()).toBe(1);
    await server.supervisor.stop();
    expect(server.running()).toBe(0);
  });

  test("asked many times starts again once", async () => {
    const server = rig();
    await started(1, server);
    for (let i = 0; i < 5; i++) server.last().restart("again");
    server.last().shutdown("too late");
    await started(2, server);
    await server.supervisor.stop();
    expect(server.controls).toHaveLength(2);
  });

  test("ends for good when it asks for that, or is stopped", async () => {
    const asked = rig();
    await started(1, asked);
    asked.last().shutdown("asked");
    await asked.supervisor.closed;
    const controller = new AbortController();
    const told = rig({ signal: controller.signal });
    await started(1, told);
    controller.abort();
    await told.supervisor.closed;
    expect([asked.stops, told.stops]).toEqual([[{ quiet: false }], [{ quiet: false }]]);
    await told.supervisor.stop();
  });

  test("is provisioned again when its credentials go bad, but not at the first look", async () => {
    const server = rig();
    await started(1, server);
    await server.clock.advance(60_000);
    server.state.fault = "The existing server token x is expired, reprovisioning";
    await server.clock.advance(10_000);
    server.state.fault = undefined;
    await server.clock.advance(10_000);
    expect(server.controls).toHaveLength(1);
    server.state.fault = "gone";
    server.state.mode = provisioning;
    await server.clock.advance(20_000);
    await started(2, server);
    expect(server.supervisor.mode).toBe("provisioning");
    await server.clock.advance(600_000);
    expect(server.controls).toHaveLength(2);
    await server.supervisor.stop();
    expect(server.clock.pending).toBe(0);
  });

  test("whose start hangs for want of a broker still notices that its token has expired", async () => {
    let starts = 0;
    const server = rig({
      start: (_mode, { signal }) =>
        new Promise((_resolve, reject) => {
          starts++;
          signal.addEventListener("abort", () => reject(new Error("called off")));
        }),
    });
    await waitFor("the start", () => starts === 1);
    server.state.fault = "expired";
    await server.clock.advance(20_000);
    await waitFor("the second start", () => starts === 2);
    await server.supervisor.stop();
    expect(server.supervisor.mode).toBeUndefined();
  });

  test("that cannot start says why", async () => {
    const server = rig({ start: () => Promise.reject(new Error("identity does not match")) });
    await expect(server.supervisor.closed).rejects.toThrow("identity does not match");
    const undecided = rig({ decide: () => Promise.reject(new Error("no configuration")) });
    await expect(undecided.supervisor.closed).rejects.toThrow("no configuration");
  });

  test("that does not stop in good order is started again all the same", async () => {
    let starts = 0;
    const server = rig({
      start: async (_mode, control) => {
        if (++starts < 3) queueMicrotask(() => control.restart("now"));
        return { stop: () => Promise.reject(new Error("stuck")) };
      },
    });
    await waitFor("three starts", () => starts === 3);
    await server.supervisor.stop();
  });

  test("leaves nothing behind after fifty restarts", async () => {
    const server = rig();
    await started(1, server);
    const files = () => readdirSync("/proc/self/fd").length;
    const before = files();
    for (let i = 2; i <= 51; i++) {
      server.last().restart("again");
      await started(i, server);
    }
    expect(server.clock.pending).toBe(1);
    expect(files()).toBeLessThanOrEqual(before);
    expect(server.controls.slice(0, -1).every(({ signal }) => signal.aborted)).toBe(true);
    await server.supervisor.stop();
    expect([server.clock.pending, server.running()]).toEqual([0, 0]);
  });
});
