import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspectManifest } from "../../lib/machine/mod.ts";
import { checkout } from "../cmd/support.ts";

const page = readFileSync(join(checkout, "docs/scout.md"), "utf8");

test("the check of the guide has a manifest without a fault, and the transitions that scout fires", () => {
  const [, text = ""] = /```yaml file=machine\.yaml\n([\s\S]*?)```/.exec(page) ?? [];
  const { faults, warnings, manifest } = inspectManifest(text);
  expect({ faults, warnings }).toEqual({ faults: [], warnings: [] });
  const events = manifest.transitions.map(({ name }) => name).sort();
  expect(events).toEqual(["CRITICAL", "FORCE_CHECK", "MAINTENANCE", "OK", "RESUME", "UNKNOWN", "WARNING"]);
});
