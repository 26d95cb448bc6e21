import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Reply } from "../../agents/kit.ts";
import { package as packages } from "../../agents/package.ts";
import { callChecked, fakeCommands } from "./support.ts";

/** An apt of which the installed version of `web` is a file and the newest is 2.0; `stuck` never installs. */
const debian = {
  "dpkg-query": `case "$4" in
web) [ -e version ] || { echo "no packages found" >&2; exit 1; }; read -r version < version; echo "$version";;
*) exit 1;; esac`,
  "apt-get": `echo "$DEBIAN_FRONTEND" > frontend
for last; do :; done
case "$*" in
*" remove "*) echo "config-files 1.0" > version;;
*stuck*) echo "E: Unable to locate package stuck" >&2; exit 100;;
*--only-upgrade*) echo "installed 2.0" > version;;
*) case "$last" in *=*) echo "installed \${last#*=}" > version;; *) echo "installed 2.0" > version;; esac;;
esac`,
};

/** The same with dnf, for which an older version is a downgrade. */
const redhat = {
  rpm: `for last; do :; done
[ "$last" = web ] && [ -e version ] && read -r version < version && [ -n "$version" ] && echo "$version"`,
  dnf: `case "$3 $4" in
"install web-1.0-1") ;;
"downgrade web-1.0-1") echo 1.0-1 > version;;
"install web"|"upgrade web") echo 2.0-1 > version;;
"remove web") echo > version;;
*) echo "Error: Unable to find a match: $4" >&2; exit 1;;
esac`,
};

const call = (action: string, inputs: object = {}) => callChecked(packages, action, { package: "web", ...inputs });
const reply = (provider: string, version: string, changed?: boolean): Reply => ({
  statuscode: 0,
  statusmsg: "",
  data: { installed: version !== "", version, provider, ...(changed === undefined ? {} : { changed }) },
});

describe("packages of apt", () => {
  test("are installed, brought up to date and removed, each once", async () => {
    using commands = fakeCommands(debian);
    expect(await call("status")).toEqual(reply("apt", ""));
    expect(await call("install", { version: "1.0" })).toEqual(reply("apt", "1.0", true));
    expect(await call("install")).toEqual(reply("apt", "1.0", false));
    expect(await call("update")).toEqual(reply("apt", "2.0", true));
    expect(await call("update")).toEqual(reply("apt", "2.0", false));
    expect(await call("remove")).toEqual(reply("apt", "", true));
    expect(await call("remove")).toEqual(reply("apt", "", false));
    const runs = commands.calls().filter((line) => line.startsWith("apt-get"));
    expect(runs.map((line) => line.replace(/--(yes|quiet|option)\S* /g, ""))).toEqual([
      "apt-get install --allow-downgrades -- web=1.0",
      "apt-get install --only-upgrade -- web",
      "apt-get install --only-upgrade -- web",
      "apt-get remove -- web",
    ]);
    expect(readFileSync(commands.file("frontend"), "utf8").trim()).toBe("noninteractive");
  });

  test("of which only the configuration is left are not installed", async () => {
    using commands = fakeCommands(debian);
    writeFileSync(commands.file("version"), "config-files 1.0\n");
    expect(await call("status")).toEqual(reply("apt", ""));
  });

  test("that cannot be installed are told about", async () => {
    using _commands = fakeCommands(debian);
    expect(await call("install", { package: "stuck" })).toEqual({
      statuscode: 1,
      statusmsg: "Could not install stuck: E: Unable to locate package stuck",
      data: { installed: false, version: "", provider: "apt", changed: false },
    });
  });

  test("that are not installed are not brought up to date", async () => {
    using commands = fakeCommands(debian);
    expect(await call("update")).toMatchObject({ statuscode: 1, statusmsg: "web is not installed" });
    expect(existsSync(commands.file("frontend"))).toBe(false);
  });
});

describe("packages of dnf", () => {
  test("are installed, taken to another version, brought up to date and removed", async () => {
    using commands = fakeCommands(redhat);
    expect(await call("status")).toEqual(reply("dnf", ""));
    expect(await call("install")).toEqual(reply("dnf", "2.0-1", true));
    expect(await call("install", { version: "1.0-1" })).toEqual(reply("dnf", "1.0-1", true));
    expect(await call("update")).toEqual(reply("dnf", "2.0-1", true));
    expect(await call("remove")).toEqual(reply("dnf", "", true));
    expect(commands.calls().filter((line) => line.startsWith("dnf"))).toEqual([
      "dnf --assumeyes --quiet install web",
      "dnf --assumeyes --quiet install web-1.0-1",
      "dnf --assumeyes --quiet downgrade web-1.0-1",
      "dnf --assumeyes --quiet upgrade web",
      "dnf --assumeyes --quiet remove web",
    ]);
  });

  test("are used where the configuration says so", async () => {
    using commands = fakeCommands({ ...debian, ...redhat });
    await callChecked(packages, "status", { package: "web" }, { config: { provider: "dnf" } });
    expect(commands.calls()).toHaveLength(1);
    expect(commands.calls()[0]).toStartWith("rpm ");
  });
});

describe("the agent", () => {
  test("is active where there is a package manager", async () => {
    using _commands = fakeCommands(redhat);
    expect(await packages.isActive()).toBe(true);
  });

  test("is not active, and says why, where there is none", async () => {
    using _commands = fakeCommands({});
    expect(await packages.isActive()).toBe(false);
    expect(await call("status")).toMatchObject({ statusmsg: "There is neither apt nor dnf on this node" });
  });

  test.each(["-y", "a b", "a;b", "../x", "", "a=1", "$(x)"])("does not get the name %p", (name) => {
    expect(() => call("install", { package: name })).toThrow("validation failed");
  });
});
