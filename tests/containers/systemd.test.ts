import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { run } from "../support/compose.ts";
import { temporaryFolder } from "../support/folder.ts";

const checkout = resolve(import.meta.dir, "../..");
const folder = join(checkout, "containers/systemd");
const roles = ["broker", "server", "aaa", "provisioner", "replicator", "plugins"];
const confined = roles.filter((role) => role !== "server");

const root = temporaryFolder();
afterAll(() => root[Symbol.dispose]());

/** Directives of a unit by name, each with all its values in order. */
function unit(role: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of readFileSync(join(folder, `choria-${role}.service`), "utf8").split("\n")) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) found.set(key, [...(found.get(key) ?? []), value ?? ""]);
  }
  return found;
}

function only(role: string, key: string): string {
  const values = unit(role).get(key) ?? [];
  expect(values).toHaveLength(1);
  return values[0] ?? "";
}

async function why(): Promise<string | undefined> {
  try {
    const { code, err } = await run(["systemd-analyze", "--version"]);
    return code === 0 ? undefined : err.trim();
  } catch {
    return "there is no systemd-analyze: apt-get install systemd";
  }
}

const reason = await why();
if (reason !== undefined) console.warn(`Units are not verified: ${reason}`);

describe("containers/systemd/install", () => {
  const install = (...flags: string[]) => run([join(folder, "install"), "--root", root.path, ...flags]);

  beforeAll(async () => {
    expect(await install()).toMatchObject({ code: 0 });
  }, 120_000);

  test("puts there what every unit starts, and nothing else of the checkout", () => {
    for (const role of roles) {
      const words = only(role, "ExecStart").split(" ");
      for (const path of words.filter((word) => word.startsWith("/opt/choria/"))) {
        expect(existsSync(join(root.path, path))).toBe(true);
      }
      expect(existsSync(join(root.path, "etc/systemd/system", `choria-${role}.service`))).toBe(true);
    }
    expect(statSync(root.file("opt/choria/bin/nats-server")).mode & 0o777).toBe(0o755);
    const found = readdirSync(root.file("opt/choria"));
    for (const name of ["tests", ".git", "setup.sh", "install.log", "nats"]) expect(found).not.toContain(name);
  });

  test.each([
    ["cmd/broker.ts", "--version"],
    ["cmd/server.ts", "--version"],
    ["cmd/aaa.ts", "--version"],
    ["cmd/provisioner.ts", "--version"],
    ["cmd/replicator.ts", "--version"],
  ])("%s runs from there", async (program, flag) => {
    const bun = root.file("opt/choria/bin/bun");
    const path = root.file(`opt/choria/${program}`);
    const { code, out } = await run([bun, "--config=/dev/null", "--no-env-file", path, flag]);
    expect(out).toMatch(/\d+\.\d+\.\d+/);
    expect(code).toBe(0);
  });

  test("keeps the version before and touches no configuration, whatever is done twice", async () => {
    mkdirSync(root.file("etc/choria/broker"), { recursive: true });
    writeFileSync(root.file("etc/choria/broker/broker.conf"), "identity = mine\n");
    writeFileSync(root.file("opt/choria/before"), "");
    expect(await install("broker", "server")).toMatchObject({ code: 0 });
    expect(existsSync(root.file("opt/choria/before"))).toBe(false);
    expect(existsSync(root.file("opt/choria.previous/before"))).toBe(true);
    expect(existsSync(root.file("opt/choria.next"))).toBe(false);
    expect(readFileSync(root.file("etc/choria/broker/broker.conf"), "utf8")).toBe("identity = mine\n");
  }, 60_000);

  test("refuses a role that there is not, before it does anything", async () => {
    const { code, err } = await run([join(folder, "install"), "--root", root.file("other"), "brokers"]);
    expect(err).toStartWith('install: there is no role "brokers", only: broker server');
    expect(code).toBe(1);
    expect(existsSync(root.file("other"))).toBe(false);
  });

  test.skipIf(reason !== undefined)(
    "systemd finds nothing wrong with a unit",
    async () => {
      expect(await install()).toMatchObject({ code: 0 });
      const units = roles.map((role) => {
        const file = root.file(`choria-${role}.service`);
        const text = readFileSync(join(folder, `choria-${role}.service`), "utf8");
        writeFileSync(file, text.replaceAll("=/opt/choria/bin/bun", `=${root.file("opt/choria/bin/bun")}`));
        return file;
      });
      const { code, err } = await run(["systemd-analyze", "verify", "--man=no", ...units]);
      expect(err.split("\n").filter((line) => line.includes("choria"))).toEqual([]);
      expect(code).toBe(0);
      const [first = ""] = units;
      writeFileSync(first, readFileSync(first, "utf8").replace("ProtectSystem=strict", "ProtectSystem=strictly"));
      expect((await run(["systemd-analyze", "verify", "--man=no", first])).err).toContain("strictly");
    },
    60_000,
  );
});

describe("units", () => {
  test.each(confined)("%s is a user of its own that can do nothing to the host", (role) => {
    const user = only(role, "User");
    expect(user).toBe(`choria-${role}`);
    expect(only(role, "Group")).toBe(user);
    expect(readFileSync(join(folder, "choria.sysusers.conf"), "utf8")).toContain(`\nu ${user} `);
    expect(only(role, "CapabilityBoundingSet")).toBe("");
    for (const key of ["NoNewPrivileges", "PrivateTmp", "PrivateDevices", "PrivateUsers", "RestrictNamespaces"]) {
      expect(only(role, key)).toBe("yes");
    }
    expect(only(role, "ProtectSystem")).toBe("strict");
    expect(unit(role).get("SystemCallFilter")?.slice(0, 2)).toEqual(["@system-service", "~@privileged @resources"]);
    expect(only(role, "UMask")).toBe("0077");
  });

  test.each(confined)("%s may read its configuration, and its group nobody else's", (role) => {
    const path = only(role, "ConditionPathExists");
    const folders = readFileSync(join(folder, "choria.tmpfiles.conf"), "utf8").matchAll(
      /^d (\S+) +(\d+) (\S+) (\S+)$/gm,
    );
    const found = [...folders].filter(([, at = ""]) => path === at || path.startsWith(`${at}/`)).at(-1);
    expect(found?.slice(2)).toEqual(role === "plugins" ? ["0755", "root", "root"] : ["0750", "root", `choria-${role}`]);
  });

  test("the server is root and sees the host, and what it started outlives it", () => {
    expect(unit("server").has("User")).toBe(false);
    expect(unit("server").has("ProtectSystem")).toBe(false);
    expect(only("server", "KillMode")).toBe("process");
    expect(only("server", "Restart")).toBe("always");
  });

  test("the broker stops nats-server itself, and has the time and the files that it may need", () => {
    expect(only("broker", "KillMode")).toBe("mixed");
    expect(Number.parseInt(only("broker", "TimeoutStopSec"), 10)).toBeGreaterThan(60);
    expect(Number(only("broker", "LimitNOFILE"))).toBeGreaterThan(50_000);
  });

  test.skipIf(reason !== undefined)("systemd calls their exposure small", async () => {
    for (const role of confined) {
      const file = join(folder, `choria-${role}.service`);
      const { code, out } = await run([
        "systemd-analyze",
        "security",
        "--offline=yes",
        "--threshold=20",
        "--no-pager",
        file,
      ]);
      expect(out).toContain("Overall exposure level");
      expect(code).toBe(0);
    }
  });
});
