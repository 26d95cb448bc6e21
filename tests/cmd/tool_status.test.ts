import { describe, expect, test } from "bun:test";
import { utimesSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { command } from "../../cmd/choria/tool/status.ts";
import { checkStatus, type StatusLimits } from "../../cmd/choria/tool/status_checks.ts";
import sample from "../fixtures/server/status.json";
import { temporaryFolder } from "../support/folder.ts";

const now = Date.parse("2026-11-22T04:32:28Z");
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const usual: StatusLimits = {
  maxAge: 30 * minute,
  certificateAge: day,
  tokenAge: day,
  messageSince: hour,
  checkConnection: true,
  mustBeProvisioning: false,
  mustServe: false,
};
const check = (changes: object = {}, limits: Partial<StatusLimits> = {}, age = 0) =>
  checkStatus(JSON.stringify({ ...sample, ...changes }), age, { ...usual, ...limits }, now);

describe("the status of a server", () => {
  test("as the original writes it is fine", () => {
    expect(check()).toBeUndefined();
  });

  test.each<[string, object, Partial<StatusLimits>, number, string]>([
    ["is too old", {}, {}, 30 * minute + 1, "older than 30m0s"],
    [
      "has a certificate that ends",
      { certificate_expires: "2026-11-22T05:00:00Z" },
      {},
      0,
      "certificate expires 2026-11-22 05:00:00 +0000 UTC (27m32s)",
    ],
    [
      "has a token that ends before the limit",
      {},
      { tokenAge: 366 * day },
      0,
      "token expires 2027-11-22 04:26:22 +0000 UTC (8759h53m54s)",
    ],
    [
      "has a token that has ended",
      { token_expires: "2026-11-22T04:32:18Z" },
      {},
      0,
      "token expires 2026-11-22 04:32:18 +0000 UTC (-10s)",
    ],
    ["is not connected", { connected_server: "" }, {}, 0, "connection check failed: not connected"],
    [
      "had its last message long ago",
      { last_message: 1_795_300_000 },
      {},
      0,
      "no recent messages: last message at 2026-11-21 22:26:40 +0000 UTC",
    ],
    [
      "never had a message although it runs for long",
      { uptime: 3_600 },
      {},
      0,
      "no recent messages: last message at 1970-01-01 00:00:00 +0000 UTC",
    ],
    ["serves and should not", {}, { mustBeProvisioning: true }, 0, "not in provisioning mode"],
    [
      "is being provisioned and should not",
      { provisioning_mode: true },
      { mustServe: true },
      0,
      "in provisioning mode",
    ],
  ])("that %s is told", (_what, changes, limits, age, text) => {
    expect(check(changes, limits, age)).toBe(text);
  });

  test("is fine when the checks that it fails are switched off", () => {
    const bad = {
      certificate_expires: "2026-11-22T04:00:00Z",
      token_expires: "2026-11-22T04:00:00Z",
      connected_server: "",
      last_message: 1,
    };
    const off = { maxAge: 0, certificateAge: 0, tokenAge: 0, messageSince: 0, checkConnection: false };
    expect(check(bad, off, day)).toBeUndefined();
  });

  test("is told by the first check that fails", () => {
    const bad = { token_expires: "2026-11-22T04:32:18Z", connected_server: "" };
    expect(check(bad, {}, hour)).toBe("older than 30m0s");
    expect(check(bad)).toStartWith("token expires");
  });

  test("that is no status cannot be read", () => {
    for (const text of ["", "{", "[]", "{}", '{"identity":1}']) {
      expect(checkStatus(text, 0, usual, now)).toStartWith("could not be read: ");
    }
  });
});

/** Run the command in this process. */
async function status(args: string[]): Promise<{ out: string; code: number }> {
  const program = `import { Command } from "commander"; import { command } from "${import.meta.dir}/../../cmd/choria/tool/status.ts";
    await new Command("choria").addCommand(new Command("tool").addCommand(command())).parseAsync(${JSON.stringify(["tool", "status", ...args])}, { from: "user" });`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  return { out: await new Response(child.stdout).text(), code: await child.exited };
}

describe("choria tool status", () => {
  test("says OK and exits 0, or says why not and exits 1", async () => {
    using folder = temporaryFolder();
    const file = folder.file("status.json");
    writeFileSync(file, JSON.stringify({ ...sample, token_expires: "2999-01-01T00:00:00Z", connected_server: "" }));
    const flags = ["--status-file", file];
    expect(await status([...flags, "--provisioned", "--no-disconnected"])).toEqual({ out: `${file} OK\n`, code: 0 });
    expect(await status(flags)).toEqual({ out: `${file} connection check failed: not connected\n`, code: 1 });
    utimesSync(file, 1, 1);
    expect(await status([...flags, "--max-age", "1h30m"])).toEqual({ out: `${file} older than 1h30m0s\n`, code: 1 });
    expect(await status([...flags, "--max-age", "0", "--no-disconnected"])).toEqual({ out: `${file} OK\n`, code: 0 });
  });

  test("says that a file cannot be read", async () => {
    const text =
      "/nonexistent/status.json could not be read: open /nonexistent/status.json: no such file or directory\n";
    expect(await status(["--status-file", "/nonexistent/status.json"])).toEqual({ out: text, code: 1 });
  });

  test("has the flags of the original", () => {
    const flags = command().options.map(({ long }) => long);
    const known = ["--status-file", "--disconnected", "--no-disconnected", "--message-since", "--max-age"];
    expect(flags).toEqual([...known, "--certificate-age", "--token-age", "--unprovisioned", "--provisioned"]);
    expect(new Command().addCommand(command()).commands).toHaveLength(1);
  });
});
