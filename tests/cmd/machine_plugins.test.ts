import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { sha256Hex } from "../../lib/crypto/mod.ts";
import golden from "../fixtures/machines/plugins_pack.json";
import { temporaryFolder } from "../support/folder.ts";
import { choria } from "./support.ts";

const folder = temporaryFolder();
const file = folder.file;
const plugins = (...args: string[]) => choria(["machine", "plugins", ...args]);
const [source, seed, list] = [file("source.json"), file("seed"), file("plugins.json")];

beforeAll(() => {
  writeFileSync(source, golden.file);
  writeFileSync(seed, golden.seed_hex);
});

afterAll(() => folder[Symbol.dispose]());

describe("choria machine plugins pack", () => {
  test("prints what the original prints, byte for byte", async () => {
    expect(await plugins("pack", source, seed)).toEqual({ code: 0, out: golden.stdout, err: "" });
    const long = golden.seed_hex + golden.public_hex;
    expect((await plugins("pack", source, long)).out).toBe(golden.stdout);
  });

  test("without a seed signs nothing, and says so", async () => {
    const { code, out, err } = await plugins("pack", source);
    expect([code, Object.keys(JSON.parse(out))]).toEqual([0, ["plugins"]]);
    expect(err).toContain("No ed25519 private key given, encoding without signing");
  });

  test("writes a file that only its owner reads, and not over another", async () => {
    const output = file("packed.json");
    expect(await plugins("pack", source, seed, "--output", output)).toEqual({ code: 0, out: "", err: "" });
    expect([readFileSync(output, "utf8"), statSync(output).mode & 0o777]).toEqual([golden.stdout, 0o600]);
    const again = await plugins("pack", source, seed, "--output", output);
    expect([again.code, again.err]).toEqual([
      1,
      `choria: error: output file ${output} exist, use --force to overwrite\n`,
    ]);
    expect((await plugins("pack", source, seed, "--output", output, "--force")).code).toBe(0);
  });

  test("refuses empty lists, and lists that nodes would refuse", async () => {
    const empty = file("empty.json");
    writeFileSync(empty, "[]");
    expect((await plugins("pack", empty, seed)).err).toContain("no plugins listed in specification, use --force");
    expect((await plugins("pack", empty, seed, "--force")).code).toBe(0);
    writeFileSync(empty, '[{"name":"a"}]');
    expect((await plugins("pack", empty, seed)).err).toContain("source is required for a");
    writeFileSync(empty, "{");
    expect((await plugins("pack", empty, seed)).err).toContain("invalid specification: ");
  });
});

test("choria machine plugins verify tells who signed", async () => {
  const packed = file("signed.json");
  writeFileSync(packed, golden.stdout);
  expect(await plugins("verify", packed, golden.public_hex)).toEqual({
    code: 0,
    out: `Data file ${packed} is signed using ${golden.public_hex}\n`,
    err: "",
  });
  const other = "0".repeat(64);
  expect(await plugins("verify", packed, other)).toEqual({
    code: 1,
    out: `Data ${packed} does not have a valid signature for key ${other}\n`,
    err: "choria: error: verification failed\n",
  });
  expect((await plugins("verify", packed, "00")).err).toBe("choria: error: invalid public key size\n");
});

describe("choria machine plugins add and rm", () => {
  test("keep a list that pack takes", async () => {
    const add = (...args: string[]) => plugins("add", ...args, "--manifest", list);
    expect(await add("a", "https://bob:s%20x@h.example.net/a-1.tgz", "00", "11", "--matcher", "true")).toEqual({
      code: 0,
      out: `Adding plugin a\nUse the pack command to sign the ${list} manifest\n`,
      err: "",
    });
    await add("b", "obj://PLUGINS/b.tgz", "22", "33", "--governor", "slow");
    expect((await add("a", "https://h.example.net/a-2.tgz", "44", "55")).out).toStartWith("Updating plugin a\n");
    expect(JSON.parse(readFileSync(list, "utf8"))).toEqual([
      {
        name: "a",
        source: "https://h.example.net/a-2.tgz",
        username: "bob",
        password: "s x",
        match: "true",
        checksum: "44",
        verify_checksum: "55",
      },
      { name: "b", source: "obj://PLUGINS/b.tgz", governor: "slow", checksum: "22", verify_checksum: "33" },
    ]);
    await add("a", "https://other.example.net/a-2.tgz", "44", "55");
    expect(readFileSync(list, "utf8")).not.toContain("s x");
    expect(statSync(list).mode & 0o777).toBe(0o600);
    expect((await plugins("rm", "a", "--manifest", list)).out).toStartWith("Removing plugin a\n");
    expect((await plugins("rm", "a", "--manifest", list)).err).toBe("choria: error: no plugin named a found\n");
    expect((await plugins("pack", list, seed)).code).toBe(0);
  });

  test("refuse names that lead elsewhere", async () => {
    const { code, err } = await plugins("add", "../a", "http://x/a.tgz", "0", "1", "--manifest", file("none.json"));
    expect([code, err]).toEqual([1, 'choria: error: plugin name "../a" is not valid\n']);
  });
});

test("choria machine plugins matcher tries a matcher on facts", async () => {
  const facts = file("facts.json");
  writeFileSync(facts, '{"os":{"family":"RedHat"}}');
  const matcher = (expression: string) => plugins("matcher", expression, "--facts", facts, "--identity", "web1");
  const good = "get_fact('os.family') == 'RedHat' && identity('^web')";
  expect(await matcher(good)).toEqual({ code: 0, out: `Matched plugin matcher: ${good}\n`, err: "" });
  expect(await matcher("has_file('/nope')")).toEqual({
    code: 0,
    out: "Failed to match plugin matcher: has_file('/nope')\n",
    err: "",
  });
  expect(await matcher("1 + 1")).toMatchObject({ code: 1, err: "choria: error: expected bool, but got int\n" });
});

test("choria machine plugins archive makes an archive and names its checksums", async () => {
  mkdirSync(file("thing"));
  writeFileSync(file("thing/machine.yaml"), "name: thing\n");
  const output = file("thing-1.tgz");
  const { out } = await plugins("archive", file("thing"), "--output", output, "--json");
  const { name, checksum, verify_checksum } = JSON.parse(out);
  expect([name, checksum]).toEqual(["thing", sha256Hex(readFileSync(output))]);
  expect((await plugins("archive", file("thing"), "--output", output)).err).toContain("exist, use --force");
  const again = await plugins("archive", file("thing"), "--output", output, "--force");
  expect(again.out).toContain(`choria machine plugins add thing URL ${checksum} ${verify_checksum}\n`);
});
