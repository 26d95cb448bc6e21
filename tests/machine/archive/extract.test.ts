import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { ArchiveError, archiveLimits, extractArchive, packArchive } from "../../../lib/machine/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { type TarPart, tarOf, tgzOf } from "../../support/tar.ts";

let folder: ReturnType<typeof temporaryFolder>;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => folder[Symbol.dispose]());

async function extract(archive: Uint8Array, limits = archiveLimits): Promise<string> {
  const [file, out] = [folder.file("a.tgz"), folder.file("out")];
  writeFileSync(file, archive);
  await extractArchive(file, out, { limits });
  return out;
}

const refusal = (archive: Uint8Array, limits = archiveLimits) =>
  extract(archive, limits).then(
    () => "no refusal",
    (error: unknown) => (error instanceof ArchiveError ? error.message : `another error: ${error}`),
  );

const modeOf = (path: string) => lstatSync(path).mode & 0o7777;
const pax = (...records: string[]) =>
  records.map((record) => {
    let length = record.length + 2;
    while (`${length} ${record}\n`.length !== length) length++;
    return `${length} ${record}\n`;
  });

describe("extractArchive()", () => {
  test("writes files and folders with the archive's permissions, but lends no rights", async () => {
    const out = await extract(
      tgzOf([
        { name: "./", type: "5", mode: 0o777 },
        { name: "./a/", type: "5", mode: 0o500 },
        { name: "./a/run", content: "#!/bin/sh\n", mode: 0o6755 },
        { name: "a/deep/er/file", content: "x".repeat(100_000), mode: 0o600 },
        { name: "empty" },
      ]),
    );
    expect(readFileSync(`${out}/a/run`, "utf8")).toBe("#!/bin/sh\n");
    expect(readFileSync(`${out}/a/deep/er/file`, "utf8")).toHaveLength(100_000);
    expect([modeOf(`${out}/a`), modeOf(`${out}/a/run`), modeOf(`${out}/a/deep/er/file`)]).toEqual([
      0o700, 0o755, 0o600,
    ]);
    expect([modeOf(out), modeOf(`${out}/a/deep`), lstatSync(`${out}/empty`).size]).toEqual([0o700, 0o755, 0]);
  });

  test("reads long names of POSIX, of GNU and of prefixes", async () => {
    const long = `a/${"long".repeat(50)}`;
    const out = await extract(
      tgzOf([
        { name: "pax_global_header", type: "g", content: pax("comment=0123456789abcdef").join("") },
        { name: "x", type: "x", content: pax(`path=${long}1`, "mtime=1.5").join("") },
        { name: "short", content: "one" },
        { name: "././@LongLink", type: "L", content: `${long}2\0` },
        { name: "short", content: "two" },
        { name: "file", prefix: "a/b", content: "three" },
      ]),
    );
    expect([`${long}1`, `${long}2`, "a/b/file"].map((name) => readFileSync(`${out}/${name}`, "utf8"))).toEqual([
      "one",
      "two",
      "three",
    ]);
  });

  test("reads what tar and what we ourselves pack", async () => {
    mkdirSync(folder.file("thing/sub"), { recursive: true });
    writeFileSync(folder.file("thing/sub/a.txt"), "hello");
    Bun.spawnSync(["tar", "czf", folder.file("t.tgz"), "-C", folder.path, "thing"]);
    await extractArchive(folder.file("t.tgz"), folder.file("by_tar"));
    writeFileSync(folder.file("o.tgz"), (await packArchive(folder.file("thing"))).archive);
    await extractArchive(folder.file("o.tgz"), folder.file("by_us"));
    for (const by of ["by_tar", "by_us"])
      expect(readFileSync(folder.file(`${by}/thing/sub/a.txt`), "utf8")).toBe("hello");
  });

  const hostile: [what: string, parts: TarPart[], reason: string][] = [
    ["a name that leads up", [{ name: "../x" }], "leads out"],
    ["a name that leads up in its middle", [{ name: "a/../../x" }], "leads out"],
    ["a folder that leads up", [{ name: "..", type: "5" }], "leads out"],
    ["an absolute name", [{ name: "/tmp/x" }], "leads out"],
    ["an absolute prefix", [{ name: "x", prefix: "/tmp" }], "leads out"],
    ["a name with a backslash", [{ name: "a\\..\\x" }], "may have the name"],
    ["a name with a line end", [{ name: "a\nb" }], "may have the name"],
    ["a symbolic link", [{ name: "a", type: "2", link: "/etc" }], "only regular files and directories"],
    ["a hard link", [{ name: "a", type: "1", link: "/etc/passwd" }], "only regular files and directories"],
    ["a device", [{ name: "a", type: "3" }], "only regular files and directories"],
    ["a pipe", [{ name: "a", type: "6" }], "only regular files and directories"],
    ["a sparse file", [{ name: "a", type: "S" }], "only regular files and directories"],
    ["a file that comes twice", [{ name: "a" }, { name: "./a" }], "comes twice"],
    [
      "a folder that comes twice",
      [
        { name: "a", type: "5" },
        { name: "a/", type: "5" },
      ],
      "comes twice",
    ],
    ["a file in a file", [{ name: "a" }, { name: "a/b" }], "is a file and a folder"],
    ["a file where a folder is", [{ name: "a/b" }, { name: "a" }], "comes twice"],
    ["a folder with a content", [{ name: "a", type: "5", content: "x" }], "has a content"],
    ["a long name that leads up", [{ name: "x", type: "L", content: "../x\0" }, { name: "a" }], "leads out"],
    [
      "a POSIX name that leads up",
      [{ name: "x", type: "x", content: pax("path=../x").join("") }, { name: "a" }],
      "leads out",
    ],
    ["a POSIX header that is damaged", [{ name: "x", type: "x", content: "99 path=x\n" }, { name: "a" }], "damaged"],
    [
      "a POSIX size that is none",
      [{ name: "x", type: "x", content: pax("size=-1").join("") }, { name: "a" }],
      "no size",
    ],
    ["an endless header", [{ name: "x", type: "x", size: 70_000 }, { name: "a" }], "larger than any should be"],
    ["folders without end", [{ name: "a/".repeat(40), type: "5" }], "nested too deeply"],
    ["a file that is cut short", [{ name: "a", size: 5_000 }], "ends within"],
    ["a file larger than any disk", [{ name: "a", size: 0o77777777777 }], "ends within"],
  ];

  test.each(hostile)("refuses %s, and writes nothing elsewhere", async (_, parts, reason) => {
    expect(await refusal(tgzOf([{ name: "first" }, ...parts]))).toContain(reason);
    expect(readdirSync(folder.path).sort()).toEqual(["a.tgz", "out"]);
    for (const found of readdirSync(folder.file("out"), { recursive: true, withFileTypes: true })) {
      expect(found.isFile() || found.isDirectory()).toBeTrue();
    }
  });

  test("refuses what is no archive, or a part of one", async () => {
    const archive = tgzOf([{ name: "a", content: crypto.getRandomValues(new Uint8Array(20_000)) }]);
    expect(await refusal(new Uint8Array())).not.toBe("no refusal");
    folder[Symbol.dispose]();
    folder = temporaryFolder();
    expect(await refusal(Buffer.from("hello"))).toContain("no gzipped archive");
    folder[Symbol.dispose]();
    folder = temporaryFolder();
    expect(await refusal(archive.subarray(0, archive.length / 2))).not.toBe("no refusal");
    folder[Symbol.dispose]();
    folder = temporaryFolder();
    expect(await refusal(gzipSync("x".repeat(512)))).toContain("a header");
  });

  test("stops a bomb long before it has gone off", async () => {
    const bomb = gzipSync(
      Buffer.concat([tarOf([{ name: "a", size: 200 * 1024 ** 2 }]).subarray(0, 512), Buffer.alloc(200 * 1024 ** 2)]),
    );
    expect(bomb.length).toBeLessThan(300_000);
    expect(await refusal(bomb)).toContain("times its own length");
    expect(lstatSync(folder.file("out/a")).size).toBeLessThan(100 * 1024 ** 2);
  });

  test("holds to the most bytes and the most entries", async () => {
    const noise = crypto.getRandomValues(new Uint8Array(50_000));
    expect(await refusal(tgzOf([{ name: "a", content: noise }]), { ...archiveLimits, unpacked: 20_000 })).toContain(
      "more than 20000 bytes",
    );
    folder[Symbol.dispose]();
    folder = temporaryFolder();
    const many = Array.from({ length: 11 }, (_, i) => ({ name: `f${i}` }));
    expect(await refusal(tgzOf(many), { ...archiveLimits, entries: 10 })).toContain("more than 10 files");
  });

  test("whatever the archive, writes files and folders alone, and below its own folder", async () => {
    const name = fc.oneof(
      fc.constantFrom("a", "a/b", "../x", "/x", ".", "a/./b", "a//b", "..", "a/.."),
      fc.string({ maxLength: 90 }),
    );
    const part = fc.record({
      name,
      type: fc.constantFrom("0", "5", "2", "1", "x", "L", "g", "\0", "7"),
      content: fc.uint8Array({ maxLength: 2_000 }),
      mode: fc.nat(0o7777),
    });
    const flip = fc.option(fc.tuple(fc.nat(6_000), fc.nat(255)), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), flip, async (parts, change) => {
        using own = temporaryFolder();
        const tar = Buffer.from(tarOf(parts));
        if (change !== undefined) tar[change[0] % tar.length] = change[1];
        writeFileSync(own.file("a.tgz"), gzipSync(tar));
        await extractArchive(own.file("a.tgz"), own.file("out")).catch((error: unknown) => {
          if (!(error instanceof ArchiveError)) throw error;
        });
        expect(readdirSync(own.path).sort()).toEqual(["a.tgz", "out"]);
        const found = readdirSync(own.path, { recursive: true, withFileTypes: true });
        expect(found.every((entry) => entry.isFile() || entry.isDirectory())).toBeTrue();
      }),
      { numRuns: 150 },
    );
  });
});

describe("packArchive()", () => {
  test("gives the same bytes for the same files, with their digests", async () => {
    for (const place of ["one/thing", "two/thing"]) {
      const deep = `${place}/${"deep".repeat(15)}`;
      mkdirSync(folder.file(deep), { recursive: true });
      writeFileSync(folder.file(`${place}/run`), "#!/bin/sh\n", { mode: place.startsWith("one") ? 0o755 : 0o700 });
      writeFileSync(folder.file(`${deep}/${"long".repeat(20)}`), "x");
    }
    const [one, two] = await Promise.all(["one/thing", "two/thing"].map((place) => packArchive(folder.file(place))));
    expect(one?.checksum).toBe(two?.checksum ?? "");
    const out = await extract(one?.archive ?? new Uint8Array());
    const sums = readFileSync(`${out}/thing/SHA256SUMS`, "utf8");
    expect(sums).toContain("  run\n");
    expect(new Bun.CryptoHasher("sha256").update(sums).digest("hex")).toBe(one?.verifyChecksum ?? "");
    expect(modeOf(`${out}/thing/run`)).toBe(0o755);
    expect(Bun.spawnSync(["sha256sum", "-c", "SHA256SUMS"], { cwd: `${out}/thing` }).exitCode).toBe(0);
  });

  test("refuses links, empty folders and names that no plugin may have", async () => {
    mkdirSync(folder.file("empty"));
    await expect(packArchive(folder.file("empty"))).rejects.toThrow("there are no files in it");
    await expect(packArchive(folder.file("empty"), "../x")).rejects.toThrow("is not valid");
    await expect(packArchive(folder.file("nothing"))).rejects.toThrow("is not a directory");
    Bun.spawnSync(["ln", "-s", "/etc/passwd", folder.file("empty/link")]);
    writeFileSync(folder.file("empty/file"), "x");
    await expect(packArchive(folder.file("empty"))).rejects.toThrow("only files and folders can be packed");
  });
});
