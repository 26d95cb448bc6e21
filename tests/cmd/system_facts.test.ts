import { describe, expect, test } from "bun:test";
import { readSystem, type SystemReadings, systemFacts } from "../../cmd/choria/tool/system_facts.ts";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { choria } from "./support.ts";

const now = new Date("2026-11-22T04:35:16Z");

/** Names of all facts, dots between levels. */
function names(facts: JsonObject, prefix = ""): string[] {
  return Object.entries(facts).flatMap(([key, value]) =>
    isObject(value) ? names(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

describe("the facts of a host", () => {
  test("have the names, types and units that operators filter by", async () => {
    const readings = await readSystem();
    const mebibyte = 1_024 * 1_024;
    const facts = systemFacts(
      {
        ...readings,
        memory: { ...readings.memory, total: 7_959.6 * mebibyte, swaptotal: 512 * mebibyte },
        bios: { ...readings.bios, vendor: "BHYVE", version: "1.00", releaseDate: "03/14/2014" },
        cpu: { ...readings.cpu, speed: 2.4, cores: 4, physicalCores: 2, processors: 1 },
        os: { ...readings.os, distro: "Debian GNU/Linux", release: "12.4", codename: "bookworm", arch: "x64" },
        disks: readings.disks.slice(0, 1).map((disk) => ({ ...disk, name: "vda", type: "disk", size: 275e9 })),
      },
      now,
    );
    expect(facts).toMatchObject({
      sysinfo: { timestamp: "2026-11-22T04:35:16.000Z" },
      bios: { vendor: "BHYVE", version: "1.00", date: "03/14/2014" },
      memory: { size: 7959, swap: 512 },
      cpu: { speed: 2400, cpus: 1, cores: 2, threads: 4 },
      os: { name: "Debian GNU/Linux 12.4 (bookworm)", version: "12", release: "12.4", architecture: "amd64" },
    });
  });

  test("are all there where the system tells nothing", async () => {
    const silent: SystemReadings = {
      system: {},
      bios: {},
      board: {},
      chassis: {},
      os: {},
      cpu: {},
      cache: {},
      memory: {},
      modules: [],
      disks: [],
      interfaces: [],
      timezone: "UTC",
    };
    const facts = systemFacts(silent, now);
    expect(names(facts)).toEqual(names(systemFacts(await readSystem(), now)));
    expect(facts).toMatchObject({ bios: { vendor: "", version: "", date: "" }, memory: { size: 0, type: "" } });
  });

  test("leave out the networks of containers and virtual machines", async () => {
    const readings = await readSystem();
    const named = (iface: string) => ({ iface, mac: "02:00:00:00:00:01", internal: false, virtual: false });
    const interfaces = ["eth0", "veth1f2e", "docker0", "br-af4f05f5c1b4", "virbr0", "bond0"].map(named);
    expect(systemFacts({ ...readings, interfaces }, now).network).toMatchObject([{ name: "eth0" }, { name: "bond0" }]);
  });

  test("leave out the words that firmware has for nothing", async () => {
    const readings = await readSystem();
    const board = { ...readings.board, manufacturer: "To Be Filled By O.E.M.", serial: "-", model: " X11 " };
    expect(systemFacts({ ...readings, board }, now).board).toMatchObject({ vendor: "", serial: "", name: "X11" });
  });
});

describe("choria tool facts", () => {
  test("prints them, or puts them into a file for the server alone", async () => {
    using folder = temporaryFolder();
    const file = folder.file("some/facts.json");
    const printed = await choria(["tool", "facts"]);
    expect(names(JSON.parse(printed.out))).toContain("memory.size");
    expect(await choria(["tool", "facts", "--output", file])).toEqual({ code: 0, out: "", err: "" });
    expect(names(await Bun.file(file).json())).toEqual(names(JSON.parse(printed.out)));
    expect((await Bun.file(file).stat()).mode & 0o777).toBe(0o600);
  });
});
