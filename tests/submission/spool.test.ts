import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type NewMessage, Spool } from "../../lib/submission/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";

const basis: NewMessage = { subject: "a.b", payload: Buffer.from("x"), sender: "user 0", identity: "n1" };

function newSpool(maxSize = 10) {
  const folder = temporaryFolder();
  const clock = new FakeClock();
  const path = folder.file("spool");
  return { folder, clock, path, spool: new Spool({ folder: path, maxSize, clock }) };
}

describe("the spool", () => {
  test("has a folder a priority, for its owner alone", () => {
    const { folder, path } = newSpool();
    using _folder = folder;
    expect(readdirSync(path).sort()).toEqual(["P0", "P1", "P2", "P3", "P4"]);
    expect(readdirSync(path).map((name) => statSync(join(path, name)).mode & 0o777)).toEqual(Array(5).fill(0o700));
  });

  test("holds a message in a file named by time and a random id, for its owner alone", () => {
    const { folder, path, spool } = newSpool();
    using _folder = folder;
    const id = spool.submit({ ...basis, priority: 2 });
    const [name = ""] = spool.names(2);
    expect(name).toMatch(/^1767225600000000000-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.msg$/);
    expect(statSync(join(path, "P2", name)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(path, "P2", name), "utf8"))).toMatchObject({
      id,
      payload: "eA==",
      headers: null,
    });
  });

  test("keeps the order of messages that come at the same time", () => {
    const { folder, spool } = newSpool();
    using _folder = folder;
    const ids = Array.from({ length: 8 }, () => spool.submit(basis));
    expect(spool.names(4).map((name) => spool.read(4, name)?.message.id)).toEqual(ids);
  });

  test("takes one message more than its size in each priority, then no more", () => {
    const { folder, spool } = newSpool(2);
    using _folder = folder;
    for (let i = 0; i < 3; i++) spool.submit(basis);
    expect(() => spool.submit(basis)).toThrow("spool is full");
    spool.submit({ ...basis, priority: 0 });
  });

  test("leaves nothing of a message that is refused", () => {
    const { folder, path, spool } = newSpool();
    using _folder = folder;
    expect(() => spool.submit({ ...basis, subject: "" })).toThrow("subject is required");
    // A file where a folder has to be: not even root can write below it.
    rmSync(join(path, "P4"), { recursive: true });
    writeFileSync(join(path, "P4"), "");
    expect(() => spool.submit(basis)).toThrow();
    expect(readdirSync(path).sort()).toEqual(["P0", "P1", "P2", "P3", "P4"]);
  });

  test.skipIf(process.getuid?.() === 0)("that cannot be written refuses messages", () => {
    const { folder, path, spool } = newSpool();
    using _folder = folder;
    chmodSync(path, 0o500);
    expect(() => spool.submit(basis)).toThrow("EACCES");
    chmodSync(path, 0o700);
  });

  test("refuses what the disk does not take, and leaves nothing of it", () => {
    const { folder, path, spool } = newSpool();
    using _folder = folder;
    // A limit on the size of files refuses the write itself, as a full disk does.
    const command = `trap "" XFSZ; ulimit -f 0; exec "$0" -e "$1"`;
    const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", command, process.execPath, submitScript(path)]);
    expect(stderr.toString()).toContain("EFBIG");
    expect(exitCode).toBe(1);
    expect(spool.names(4)).toEqual([]);
    expect(readdirSync(path).sort()).toEqual(["P0", "P1", "P2", "P3", "P4"]);
  });

  test("is made where there is none, and where somebody removed it", () => {
    const { folder, path, spool } = newSpool();
    using _folder = folder;
    rmSync(path, { recursive: true });
    expect(spool.names(1)).toEqual([]);
    spool.submit(basis);
    expect(spool.names(4)).toHaveLength(1);
  });

  test("has to be configured", () => {
    const clock = new FakeClock();
    expect(() => new Spool({ folder: "", maxSize: 1, clock })).toThrow("spool is not configured");
    expect(() => new Spool({ folder: "/nowhere", maxSize: 0, clock })).toThrow("spool size is too small");
  });

  test("is cleaned of what ended submitters left, and of nothing else", () => {
    const { folder, path, spool } = newSpool();
    using _folder = folder;
    const [old, young] = [join(path, `.${crypto.randomUUID()}`), join(path, `.${crypto.randomUUID()}`)];
    for (const file of [old, young, join(path, "README")]) writeFileSync(file, "");
    utimesSync(old, 0, 0);
    utimesSync(join(path, "README"), 0, 0);
    spool.removeLeftovers(Date.now());
    expect(
      readdirSync(path)
        .filter((name) => !name.startsWith("P"))
        .sort(),
    ).toEqual([young.slice(path.length + 1), "README"].sort());
  });
});

/** A program that submits one message. */
function submitScript(path: string): string {
  const mod = join(import.meta.dir, "../../lib/submission/mod.ts");
  const std = join(import.meta.dir, "../../lib/std/mod.ts");
  return `const { Spool } = await import("${mod}"); const { systemClock } = await import("${std}");
    new Spool({ folder: "${path}", maxSize: 5, clock: systemClock }).submit({ subject: "a", payload: Buffer.from("x"), sender: "s", identity: "i" });`;
}
