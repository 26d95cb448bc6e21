import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, isFile, writeFileAtomic } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const mode = (path: string) => statSync(path).mode & 0o777;

describe("writeFileAtomic()", () => {
  test("writes text and bytes and leaves nothing else in the folder", () => {
    using folder = temporaryFolder();
    writeFileAtomic(folder.file("text"), "één");
    writeFileAtomic(folder.file("bytes"), new Uint8Array([0, 255]));
    expect(readFileSync(folder.file("text"), "utf8")).toBe("één");
    expect([...readFileSync(folder.file("bytes"))]).toEqual([0, 255]);
    expect(readdirSync(folder.path).sort()).toEqual(["bytes", "text"]);
  });

  test("gives the new file its mode whatever the old one's and the process's mask were", () => {
    using folder = temporaryFolder();
    const path = folder.file("secret");
    writeFileSync(path, "old");
    chmodSync(path, 0o666);
    const before = process.umask(0o077);
    try {
      writeFileAtomic(path, "new", { mode: 0o640 });
    } finally {
      process.umask(before);
    }
    expect(mode(path)).toBe(0o640);
    writeFileAtomic(path, "new", { mode: 0o600 });
    expect(mode(path)).toBe(0o600);
  });

  test("makes missing folders only when asked to, for the owner alone", () => {
    using folder = temporaryFolder();
    const path = folder.file("a/b/c");
    expect(() => writeFileAtomic(path, "x")).toThrow();
    writeFileAtomic(path, "x", { makeFolders: true });
    expect(readFileSync(path, "utf8")).toBe("x");
    expect(mode(folder.file("a/b"))).toBe(0o700);
  });

  test("leaves the target as it was and no litter when it fails", () => {
    using folder = temporaryFolder();
    const path = folder.file("target");
    mkdirSync(path);
    writeFileSync(join(path, "inside"), "kept");
    let code: string | undefined;
    try {
      writeFileAtomic(path, "x");
    } catch (error) {
      code = errorCode(error);
    }
    expect(code).toBeDefined();
    expect(readFileSync(join(path, "inside"), "utf8")).toBe("kept");
    expect(readdirSync(folder.path)).toEqual(["target"]);
  });

  test("says which file could not be written when the disk takes no more, and leaves no litter", () => {
    using folder = temporaryFolder();
    const files = join(import.meta.dir, "../../lib/std/files.ts");
    const program = `import { writeFileAtomic } from ${JSON.stringify(files)};
      try { writeFileAtomic(process.argv[1], "x".repeat(200_000)) } catch (error) { console.log(error.code, error.message) }`;
    // A limit on the size of files stands in for a full disk, which only root could make.
    const limited = 'trap "" XFSZ; ulimit -f 64; exec "$0" -e "$1" "$2"';
    const run = Bun.spawnSync(["/bin/sh", "-c", limited, process.execPath, program, folder.file("big")]);
    expect(run.stdout.toString()).toMatch(/^EFBIG .*big'\n$/);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("leaves the old content when the process dies before the new one is in place", async () => {
    using folder = temporaryFolder();
    const path = folder.file("server.conf");
    writeFileSync(path, "old content");
    const program = join(import.meta.dir, "../fixtures/crash_before_rename.ts");
    const child = Bun.spawn([process.execPath, program, path], { stdout: "ignore", stderr: "ignore" });
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    expect(readFileSync(path, "utf8")).toBe("old content");
    // The new content was written beside it, so the process did die in between.
    expect(readdirSync(folder.path)).toHaveLength(2);
  });

  test("lets readers see the old content or the new, never a part", async () => {
    using folder = temporaryFolder();
    const path = folder.file("facts.json");
    const contents = ["a".repeat(200_000), "b".repeat(100_000)];
    writeFileAtomic(path, contents[0] ?? "");
    const reader = Bun.spawn(
      [
        process.execPath,
        "-e",
        `const fs = require("node:fs"); let parts = 0;
         while (!fs.existsSync(process.argv[1] + ".end")) {
           const text = fs.readFileSync(process.argv[1], "utf8");
           if (text !== "a".repeat(200000) && text !== "b".repeat(100000)) parts++;
         }
         console.log(parts);`,
        path,
      ],
      { stdout: "pipe" },
    );
    for (let i = 0; i < 200; i++) writeFileAtomic(path, contents[i % 2] ?? "");
    writeFileSync(`${path}.end`, "");
    expect((await new Response(reader.stdout).text()).trim()).toBe("0");
  });
});

test("isFile() tells files from folders and from nothing", () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("file"), "");
  expect(isFile(folder.file("file"))).toBe(true);
  expect(isFile(folder.path)).toBe(false);
  expect(isFile(folder.file("nothing"))).toBe(false);
  expect(existsSync(folder.file("nothing"))).toBe(false);
});
