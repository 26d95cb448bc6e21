import { describe, expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { temporaryFolder } from "../support/folder.ts";
import { checkout, choria, run } from "./support.ts";

describe("the command line", () => {
  test("shows its commands, and its version", async () => {
    const help = await choria(["--help"]);
    expect({ code: help.code, err: help.err }).toEqual({ code: 0, err: "" });
    for (const command of ["buildinfo", "discover", "facts", "inventory", "jwt", "login", "ping", "req"])
      expect(help.out).toContain(`\n  ${command}`);
    const { out, code } = await choria(["--version"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("without a command shows its commands and fails", async () => {
    const { code, out } = await choria([]);
    expect(code).toBe(1);
    expect(out).toStartWith("Usage: choria COMMAND");
  });

  test("suggests what an unknown command may have meant", async () => {
    expect(await choria(["pnig"])).toEqual({
      code: 1,
      out: "",
      err: 'choria: error: unknown command "pnig", did you mean "ping"?\n',
    });
    expect((await choria(["xyzzy"])).err).toContain("use choria --help");
  });

  test("shows what a command takes", async () => {
    for (const args of [
      ["req", "--help"],
      ["help", "req"],
      ["rpc", "--help"],
    ]) {
      const { code, out } = await choria(args);
      expect(code).toBe(0);
      expect(out).toStartWith("Usage: choria req");
      expect(out).toContain("--reply-to");
    }
  });

  test("says what is wrong with its arguments", async () => {
    const missing = await choria(["req", "rpcutil"]);
    expect({ code: missing.code, err: missing.err.trim() }).toEqual({
      code: 1,
      err: "error: missing required argument 'action'",
    });
    expect((await choria(["ping", "--nosuch"])).err).toContain("error: unknown option '--nosuch'");
    const display = await choria(["req", "rpcutil", "ping", "--display", "some"]);
    expect(display).toEqual({
      code: 1,
      out: "",
      err: "choria: error: enum value must be one of ok,failed,all,none, got 'some'\n",
    });
    expect((await choria(["req", "a", "b", "--nodes", "nofile"])).err).toBe(
      "choria: error: path 'nofile' does not exist\n",
    );
  });

  test("says where it looked for a configuration", async () => {
    using folder = temporaryFolder();
    const { code, err } = await choria(["ping"], { env: { CHORIA_STATE: folder.path } });
    expect(code).toBe(1);
    expect(err).toStartWith("choria: error: Cannot find a configuration: name one by --config or CHORIA_CONFIG");
    const named = await choria(["ping", "--config", "/nowhere.conf"]);
    expect(named.err).toContain("could not parse configuration: ");
  });

  test("takes the local network's configuration unless another is named", async () => {
    using folder = temporaryFolder();
    await Bun.write(folder.file("config/client/client.conf"), "collectives = local\n");
    await Bun.write(folder.file("other.conf"), "collectives = other\n");
    const env = { CHORIA_STATE: folder.path };
    const ping = (args: string[], more = {}) => choria(["ping", ...args], { env: { ...env, ...more } });
    const text = "the path to the JWT token is not configured";
    expect((await ping([])).err).toContain(text);
    expect((await ping([], { CHORIA_CONFIG: folder.file("none.conf") })).err).toContain("none.conf");
    expect((await ping(["--config", folder.file("none2.conf")])).err).toContain("none2.conf");
  });

  test("can be called through a link from anywhere", async () => {
    using folder = temporaryFolder();
    symlinkSync(`${checkout}/choria`, folder.file("choria"));
    const { code, out } = await run([folder.file("choria"), "--version"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d/);
  });
});
