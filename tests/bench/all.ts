/** Run every measurement, one after another, each in a process of its own. */
import { join } from "node:path";

const files = [...new Bun.Glob("*.bench.ts").scanSync({ cwd: import.meta.dir })].sort();
for (const file of files) {
  console.log(`\n== ${file.replace(".bench.ts", "")}`);
  const child = Bun.spawn([process.execPath, "run", join(import.meta.dir, file)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) process.exitCode = 1;
}
