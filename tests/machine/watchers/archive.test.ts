import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type PackedArchive, packArchive } from "../../../lib/machine/mod.ts";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine, type TestMachineOptions } from "../../support/machine.ts";
import { tgzOf } from "../../support/tar.ts";
import { waitFor } from "../../support/wait.ts";

let folder: ReturnType<typeof temporaryFolder>;
let machine: TestMachine | undefined;
let server: Bun.Server<undefined>;
let packed: PackedArchive;
let served: Uint8Array;
let requests = 0;

beforeAll(async () => {
  using source = temporaryFolder();
  mkdirSync(source.file("thing"));
  writeFileSync(source.file("thing/run"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(source.file("thing/a.txt"), "hello");
  packed = await packArchive(source.file("thing"));
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      requests++;
      return new Response(served);
    },
  });
});

afterAll(() => server.stop(true));

beforeEach(() => {
  folder = temporaryFolder();
  served = packed.archive;
  requests = 0;
});

afterEach(() => {
  machine?.stop();
  folder[Symbol.dispose]();
});

const properties = (more: JsonObject = {}): JsonObject => ({
  source: `http://127.0.0.1:${server.port}/thing.tgz`,
  creates: "thing",
  target: folder.file("target"),
  checksum: packed.checksum,
  verify: "SHA256SUMS",
  verify_checksum: packed.verifyChecksum,
  ...more,
});

async function start(more: JsonObject = {}, options: Partial<TestMachineOptions> = {}): Promise<TestMachine> {
  const { interval = 10_000, ...given } = more;
  const definition = {
    type: "archive",
    interval: Number(interval),
    properties: properties(given),
    successTransition: "good",
    failTransition: "bad",
  };
  const made = new TestMachine({ definition, folder: folder.path, ...options });
  machine = made;
  await made.start();
  return made;
}

const outcomes = (of: TestMachine) => of.announced.map(({ previous_outcome }) => previous_outcome);
const leftovers = () => (existsSync(folder.file("target/tmp")) ? readdirSync(folder.file("target/tmp")) : []);

async function outcome(of: TestMachine, count = 1): Promise<unknown> {
  await waitFor(`${count} outcomes`, () => of.events.length >= count);
  return outcomes(of).at(-1);
}

describe("an archive", () => {
  test("is fetched, and from then on verified at each interval", async () => {
    const m = await start();
    expect(await outcome(m)).toBe("downloaded");
    expect(readFileSync(folder.file("target/thing/a.txt"), "utf8")).toBe("hello");
    expect(lstatSync(folder.file("target/thing/run")).mode & 0o777).toBe(0o755);
    expect(lstatSync(folder.file("target")).mode & 0o777).toBe(0o700);
    await m.clock.advance(10_000);
    expect(await outcome(m, 2)).toBe("verified");
    expect(m.events).toEqual(["good", "good"]);
    expect(requests).toBe(1);
    expect(leftovers()).toEqual([]);
    expect(m.announced[0]).toEqual({
      source: `http://127.0.0.1:${server.port}/thing.tgz`,
      creates: "thing",
      previous_outcome: "downloaded",
      previous_run_time: expect.any(Number),
    });
  });

  const tampering: [what: string, tamper: () => void][] = [
    ["is changed", () => writeFileSync(folder.file("target/thing/a.txt"), "evil")],
    ["is removed", () => rmSync(folder.file("target/thing/run"))],
    [
      "is replaced by a link",
      () => {
        rmSync(folder.file("target/thing/a.txt"));
        symlinkSync("/etc/passwd", folder.file("target/thing/a.txt"));
      },
    ],
    ["is listed with another digest", () => writeFileSync(folder.file("target/thing/SHA256SUMS"), "")],
    ["is gone with its folder", () => rmSync(folder.file("target/thing"), { recursive: true })],
    [
      "lies behind a link",
      () => {
        rmSync(folder.file("target/thing"), { recursive: true });
        symlinkSync(folder.path, folder.file("target/thing"));
      },
    ],
  ];

  test.each(tampering)("is put right within an interval when a file %s", async (_, tamper) => {
    const m = await start();
    await outcome(m);
    tamper();
    await m.clock.advance(10_000);
    expect(await outcome(m, 2)).toBe("downloaded");
    expect(readFileSync(folder.file("target/thing/a.txt"), "utf8")).toBe("hello");
    expect(lstatSync(folder.file("target/thing")).isDirectory()).toBeTrue();
    expect(existsSync(folder.path)).toBeTrue();
    expect(leftovers()).toEqual([]);
  });

  const bad: [what: string, archive: () => Uint8Array, more: () => JsonObject][] = [
    ["another checksum", () => packed.archive, () => ({ checksum: "00" })],
    ["another digest of its sums", () => packed.archive, () => ({ verify_checksum: "00" })],
    ["nothing of what it should create", () => packed.archive, () => ({ creates: "other" })],
    [
      "only a part",
      () => packed.archive.subarray(0, 100),
      () => ({ checksum: digest(packed.archive.subarray(0, 100)) }),
    ],
    ...[
      ["a name that leads out", tgzOf([{ name: "../../evil" }])] as const,
      ["a link", tgzOf([{ name: "thing", type: "2", link: "/etc" }])] as const,
      ["a file in place of a folder", tgzOf([{ name: "thing" }])] as const,
      ["sums that lead out", tgzOf([{ name: "thing/SHA256SUMS", content: "00  ../../../etc/passwd\n" }])] as const,
    ].map(([what, archive]): [string, () => Uint8Array, () => JsonObject] => [
      what,
      () => archive,
      () => ({ checksum: digest(archive), verify_checksum: digest("00  ../../../etc/passwd\n") }),
    ]),
  ];

  test.each(bad)("with %s is refused, and what stands there stays", async (_, archive, more) => {
    mkdirSync(folder.file("target/thing"), { recursive: true });
    writeFileSync(folder.file("target/thing/mine"), "mine");
    served = archive();
    const m = await start(more());
    expect(await outcome(m)).toBe("error");
    expect(m.events).toEqual(["bad"]);
    expect(readFileSync(folder.file("target/thing/mine"), "utf8")).toBe("mine");
    expect(leftovers()).toEqual([]);
    expect(readdirSync(folder.path)).toEqual(["target"]);
  });

  test("is an error where there is no room, no web server, and no folder for it", async () => {
    writeFileSync(folder.file("file"), "x");
    const places: JsonObject[] = [
      { target: folder.file("file") },
      { target: "/proc/nothing" },
      { source: "http://127.0.0.1:1/x.tgz" },
    ];
    for (const place of places) {
      const m = await start(place);
      expect(await outcome(m)).toBe("error");
      m.stop();
    }
  });

  test.skipIf(process.getuid?.() === 0)("is an error where the folder cannot be written", async () => {
    mkdirSync(folder.file("target"), { mode: 0o500 });
    expect(await outcome(await start())).toBe("error");
    chmodSync(folder.file("target"), 0o700);
  });

  test("does not come back to a machine whose folder was removed", async () => {
    const m = await start({}, { folder: folder.file("gone") });
    expect(await outcome(m)).toBe("error");
    expect(requests).toBe(0);
  });

  test("is left alone in states that it does not belong to", async () => {
    const definition = { type: "archive", stateMatch: ["OTHER"], interval: 10_000, properties: properties() };
    const m = await start({}, { definition });
    await m.clock.advance(20_000);
    expect(m.announced).toEqual([]);
    m.enter("OTHER");
    await waitFor("a download", () => m.announced.length > 0);
    expect(outcomes(m)).toEqual(["downloaded"]);
  });

  test("leaves nothing of a try that was killed", async () => {
    for (const name of ["archive-old", "archive-new", "other"]) {
      mkdirSync(folder.file(`target/tmp/${name}`), { recursive: true });
      if (name !== "archive-new") utimesSync(folder.file(`target/tmp/${name}`), 0, 0);
    }
    await outcome(await start());
    expect(leftovers().sort()).toEqual(["archive-new", "other"]);
  });

  test("is put in place by several nodes that share a folder", async () => {
    const machines = await Promise.all(Array.from({ length: 8 }, () => start()));
    for (const each of machines) expect(["downloaded", "verified"]).toContain(String(await outcome(each)));
    for (const each of machines) each.stop();
    expect(readFileSync(folder.file("target/thing/a.txt"), "utf8")).toBe("hello");
    expect(leftovers()).toEqual([]);
  });

  test("fills in the templates of its source and checksum, and shows no password", async () => {
    const source = `http://bob:pw@127.0.0.1:${server.port}/thing.tgz`;
    const m = await start(
      { source: "SOURCE", checksum: "SUM" },
      {
        render: (text) => ({ SOURCE: source, SUM: packed.checksum })[text] ?? text,
      },
    );
    expect(await outcome(m)).toBe("downloaded");
    expect(m.last?.source).toBe(`http://127.0.0.1:${server.port}/thing.tgz`);
    expect(JSON.stringify([m.logger.lines, m.announced])).not.toContain("bob:pw");
  });

  test.each([
    [{ source: "" }, "source is required"],
    [{ creates: "" }, "creates is required"],
    [{ target: "" }, "target is required"],
    [{ checksum: "" }, "checksum is required"],
    [{ verify_checksum: "" }, "verify_checksum is required if verify is set"],
    [{ username: "bob" }, "password is required when username is given"],
    [{ creates: "../x" }, "has to be a path below the target"],
    [{ creates: "/x" }, "has to be a path below the target"],
    [{ verify: "../x" }, "has to be a path below the target"],
    [{ interval: 5_000 }, "interval 5s is too small"],
  ])("with %p does not start", async (more, reason) => {
    await expect(start(more)).rejects.toThrow(reason);
  });
});

function digest(data: string | Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(data).digest("hex");
}
