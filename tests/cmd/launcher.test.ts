import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { version } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const launcher = resolve(import.meta.dir, "../../choria");

test("./choria runs nothing that lies in the working folder", async () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("bunfig.toml"), 'preload = ["./planted.ts"]\n');
  writeFileSync(folder.file("planted.ts"), 'console.log("planted");\n');
  writeFileSync(folder.file(".env"), "CHORIA_CONFIG=/nonexistent\n");
  const child = Bun.spawn([launcher, "--version"], { cwd: folder.path, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ out, err, code: await child.exited }).toEqual({ out: `${version}\n`, err: "", code: 0 });
});
