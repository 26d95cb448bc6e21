import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { JsonObject } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { TestMachine } from "../../support/machine.ts";
import { waitFor } from "../../support/wait.ts";

/** Apply a manifest once with a ccm of the test's own; gives what was published, what was fired, and ccm's arguments. */
async function apply(script: string, properties: JsonObject = {}) {
  using folder = temporaryFolder();
  mkdirSync(folder.file("bin"));
  writeFileSync(folder.file("bin/ccm"), `#!/bin/sh\nshift; cat "$2"; shift 2; echo "$@" > args\n${script}\n`);
  chmodSync(folder.file("bin/ccm"), 0o755);
  const path = process.env.PATH;
  process.env.PATH = `${folder.file("bin")}:${path}`;
  try {
    using machine = new TestMachine({
      folder: folder.path,
      facts: { site: "mt" },
      definition: {
        type: "ccm_manifest",
        successTransition: "good",
        failTransition: "bad",
        properties: { manifest_file: "manifest.yaml", ...properties },
      },
    });
    await machine.start();
    await waitFor("the run", () => machine.events.length === 1);
    const args = readFileSync(folder.file("args"), "utf8").trim();
    return { outcome: machine.last?.previous_outcome, event: machine.events[0], args };
  } finally {
    process.env.PATH = path;
  }
}

describe("a ccm_manifest watcher", () => {
  test.each([
    ["echo 'INFO  package#httpd stable ensure=latest'", "stable", "good"],
    ["echo 'INFO  a#b stable'; echo 'WARN  file#/etc/motd changed ensure=present' >&2", "changes", "good"],
    ["echo 'WARN  a#b changed x'; echo 'ERROR exec#/usr/bin/false failed ensure=present'", "error", "bad"],
    ["exit 1", "error", "bad"],
  ])("takes what ccm says by %s for %s", async (script, outcome, event) => {
    expect(await apply(script)).toEqual({ outcome, event, args: "manifest.yaml" });
  });

  test("hands on what the manifest says, and the node's facts", async () => {
    const properties = {
      manifest_file: "obj://CCM/a b.tgz",
      noop: true,
      monitor_only: "true",
      hiera: "kv://CCM/common",
      nats_context: "ccm",
    };
    const { args } = await apply("", properties);
    expect(args).toBe("obj://CCM/a b.tgz --noop --monitor-only --hiera kv://CCM/common --context ccm");
    expect((await apply('grep -q "site" "$WATCHER_FACTS" || exit 1')).outcome).toBe("stable");
  });

  test("takes a manifest that stands in the machine's own", async () => {
    const manifest = { ccm: { resources: [] } };
    const { args, outcome } = await apply('grep -q "resources" "$1" || exit 1', { manifest_file: "", manifest });
    expect(outcome).toBe("stable");
    expect(args).toMatch(/choria-ccm-.*\/manifest\.yaml$/);
    expect(await Bun.file(args).exists()).toBe(false);
  });

  test("says where there is no ccm", async () => {
    const path = process.env.PATH;
    process.env.PATH = "/nonexistent";
    try {
      using machine = new TestMachine({ definition: { type: "ccm_manifest", properties: { manifest_file: "x" } } });
      await machine.start();
      await waitFor("the run", () => machine.announced.length === 1);
      expect(machine.last).toEqual({ previous_outcome: "error", previous_run_time: 0 });
      expect(String(machine.logger.lines[0]?.fields.reason)).toContain("ccm is not on the PATH");
    } finally {
      process.env.PATH = path;
    }
  });

  test("needs a manifest", async () => {
    const machine = new TestMachine({ definition: { type: "ccm_manifest" } });
    await expect(machine.load()).rejects.toThrow("could not set properties: manifest_file or manifest is required");
  });
});
