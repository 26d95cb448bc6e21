import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import type { JsonObject, Reply } from "../../agents/kit.ts";
import { service } from "../../agents/service.ts";
import { callChecked, fakeCommands } from "./support.ts";

/** A systemd that knows `web` and `broken`, whose state is a file. */
const systemctl = `case "$1" in
is-system-running) read -r state < system; echo "$state"; [ "$state" = running ];;
show) case "$4" in
  web) read -r state < web; printf 'LoadState=loaded\\nActiveState=%s\\n' "$state";;
  broken) printf 'LoadState=loaded\\nActiveState=failed\\n';;
  *) printf 'LoadState=not-found\\nActiveState=inactive\\n';; esac;;
start|restart) [ "$3" = web ] && echo active > web || { echo "Job for $3 failed" >&2; exit 1; };;
stop) echo inactive > web;;
esac`;

/** A SysV init that knows `web`. */
const sysv = `case "$1 $2" in
"web status") read -r state < web; [ "$state" = running ] || exit 3;;
"web stop") echo stopped > web;;
"web "*) echo running > web;;
*) echo "$1: unrecognized service" >&2; exit 1;;
esac`;

function systemd(state: string) {
  const commands = fakeCommands({ systemctl, service: sysv });
  writeFileSync(commands.file("system"), "running\n");
  writeFileSync(commands.file("web"), `${state}\n`);
  return commands;
}

const call = (action: string, name = "web", config: Record<string, string> = {}) =>
  callChecked(service, action, { service: name }, { config });
const ok = (data: JsonObject): Reply => ({ statuscode: 0, statusmsg: "", data });
const verbs = (calls: string[]) => calls.filter((line) => !/is-system-running|show|status$/.test(line));

describe("services of systemd", () => {
  test("are told running or stopped, with systemd's own word", async () => {
    using _commands = systemd("active");
    expect(await call("status")).toEqual(ok({ status: "running", state: "active" }));
    expect(await call("status", "broken")).toEqual(ok({ status: "stopped", state: "failed" }));
    expect(await call("status", "none")).toEqual({ statuscode: 1, statusmsg: "There is no service none", data: {} });
  });

  test("are started and stopped once", async () => {
    using commands = systemd("inactive");
    expect(await call("start")).toEqual(ok({ status: "running", state: "active", changed: true }));
    expect(await call("start")).toEqual(ok({ status: "running", state: "active", changed: false }));
    expect(await call("stop")).toEqual(ok({ status: "stopped", state: "inactive", changed: true }));
    expect(await call("stop")).toEqual(ok({ status: "stopped", state: "inactive", changed: false }));
    expect(verbs(commands.calls())).toEqual(["systemctl start -- web", "systemctl stop -- web"]);
  });

  test("are restarted whether they run or not", async () => {
    using commands = systemd("inactive");
    await call("restart");
    expect(await call("restart")).toEqual(ok({ status: "running", state: "active", changed: true }));
    expect(verbs(commands.calls())).toHaveLength(2);
  });

  test("that do not start are told about", async () => {
    using _commands = systemd("inactive");
    expect(await call("start", "broken")).toEqual({
      statuscode: 1,
      statusmsg: "Could not start broken: Job for broken failed",
      data: { status: "stopped", state: "failed", changed: true },
    });
    expect(await call("start", "none")).toMatchObject({ statuscode: 1, statusmsg: "There is no service none" });
  });
});

describe("services of SysV init", () => {
  test("are used where systemd is not what the machine was started with", async () => {
    using commands = systemd("running");
    writeFileSync(commands.file("system"), "offline\n");
    expect(await call("status")).toEqual(ok({ status: "running", state: "running" }));
    expect(await call("stop")).toEqual(ok({ status: "stopped", state: "stopped", changed: true }));
    expect(await call("start")).toEqual(ok({ status: "running", state: "running", changed: true }));
    expect(await call("status", "none")).toMatchObject({ statuscode: 1, statusmsg: "There is no service none" });
    expect(verbs(commands.calls())).toEqual(["service web stop", "service web start"]);
  });

  test("are used where the configuration says so", async () => {
    using commands = systemd("running");
    await call("status", "web", { manager: "sysv" });
    expect(commands.calls()).toEqual(["service web status"]);
  });
});

describe("the agent", () => {
  test("is active where there is something that looks after services", async () => {
    using commands = systemd("active");
    expect(await service.isActive()).toBe(true);
    writeFileSync(commands.file("system"), "offline\n");
    expect(await service.isActive()).toBe(true);
  });

  test("is not active, and says why, where there is nothing", async () => {
    using _commands = fakeCommands({});
    expect(await service.isActive()).toBe(false);
    const reason = "There is neither systemd nor SysV init on this node";
    expect(await call("status")).toEqual({ statuscode: 1, statusmsg: reason, data: {} });
  });

  test.each(["-now", "a b", "a;b", "../x", "", "a\nb", "$(x)"])("does not get the name %p", async (name) => {
    expect(() => call("start", name)).toThrow("validation failed");
  });
});
