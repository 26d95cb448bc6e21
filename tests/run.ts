/**
 * Everything that must hold before a change is good: format and lint, types, then all tests. Ends with a line
 * `N passed, N failed, N skipped`. More arguments go to `bun test`.
 */
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const checkout = resolve(import.meta.dir, "..");
const bun = process.execPath;

async function run(command: string[]): Promise<boolean> {
  const child = Bun.spawn(command, { cwd: checkout, stdio: ["ignore", "inherit", "inherit"] });
  return (await child.exited) === 0;
}

function attribute(xml: string, name: string): number {
  return Number(new RegExp(`<testsuites[^>]* ${name}="(\\d+)"`).exec(xml)?.[1] ?? 0);
}

const checks: [string, string[]][] = [
  ["format and lint", [bun, "x", "biome", "check", "--error-on-warnings", "."]],
  ["types", [bun, "x", "tsc", "--noEmit"]],
];
let failed = 0;
let passed = 0;
for (const [name, command] of checks) {
  console.log(`== ${name}`);
  if (await run(command)) passed++;
  else failed++;
}
console.log("== tests");
const report = join(tmpdir(), `choria-tests-${process.pid}.xml`);
const isGreen = await run([
  bun,
  "test",
  "--timeout=30000",
  "--reporter=junit",
  `--reporter-outfile=${report}`,
  ...process.argv.slice(2),
]);
let skipped = 0;
try {
  const xml = readFileSync(report, "utf8");
  const broken = attribute(xml, "failures");
  skipped = attribute(xml, "skipped");
  passed += attribute(xml, "tests") - broken - skipped;
  failed += broken;
} catch {
  console.error("The tests left no report");
}
// A file that does not load fails the run without failing a test.
if (!isGreen && failed === 0) failed = 1;
rmSync(report, { force: true });
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
