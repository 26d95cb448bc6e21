import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { findClientConfig, hostIdentity, loadConfig } from "../../lib/config/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const env = { HOME: "/nowhere" };

describe("loadConfig()", () => {
  test("reads the file and tells where each value stands", () => {
    using folder = temporaryFolder();
    const path = folder.file("server.conf");
    writeFileSync(path, "# server\nidentity = node1\nttl = 90\n");
    const config = loadConfig(path, { kind: "system", env });
    expect(config.file).toBe(path);
    expect(config.get("identity")).toBe("node1");
    expect([...config.entries()]).toContainEqual(["ttl", { value: "90", place: `${path}:3` }]);
  });

  test("adds up the lines of a list, and takes the last one of anything else", () => {
    using folder = temporaryFolder();
    const path = folder.file("client.conf");
    const lines = ["default_discovery_options = file=a, b.txt", "default_discovery_options = format=text"];
    writeFileSync(path, [...lines, "libdir = /a:/b", "libdir = /c", "ttl = 1", "ttl = 2"].join("\n"));
    const config = loadConfig(path, { kind: "system", env });
    expect(config.get("default_discovery_options")).toEqual(["file=a, b.txt", "format=text"]);
    expect(config.get("libdir")).toEqual(["/a", "/b", "/c"]);
    expect(config.get("ttl")).toBe(2);
  });

  test("refuses a value that does not fit, with file and line", () => {
    using folder = temporaryFolder();
    const path = folder.file("server.conf");
    writeFileSync(path, "identity = node1\n\nttl = soon\n");
    expect(() => loadConfig(path, { kind: "system", env })).toThrow(
      `Cannot use the configuration: ttl (${path}:3): expected a whole number`,
    );
  });

  test("refuses a file that cannot be read", () => {
    using folder = temporaryFolder();
    const path = folder.file("none.conf");
    expect(() => loadConfig(path, { kind: "system", env })).toThrow("could not parse configuration: ENOENT");
    expect(() => loadConfig(path, { kind: "system", env })).toThrow(path);
  });

  test("reads plugin.d beside the file, its keys prefixed by the file's name", () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("plugin.d"));
    writeFileSync(folder.file("server.conf"), "plugin.choria.use_srv = true\n");
    writeFileSync(folder.file("plugin.d/choria.cfg"), "use_srv = false\n");
    writeFileSync(folder.file("plugin.d/site.cfg"), "color = blue\n");
    writeFileSync(folder.file("plugin.d/notes.txt"), "ttl = 1\n");
    const config = loadConfig(folder.file("server.conf"), { kind: "system", env });
    expect(config.get("plugin.choria.use_srv")).toBe(false);
    expect(config.option("plugin.site.color")).toBe("blue");
    expect(config.files).toHaveLength(3);
  });

  test("reads no plugin.d beside a file in the home folder", () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("plugin.d"));
    writeFileSync(folder.file(".choriarc"), "ttl = 5\n");
    writeFileSync(folder.file("plugin.d/site.cfg"), "color = blue\n");
    const config = loadConfig(folder.file(".choriarc"), { kind: "client", env: { HOME: folder.path }, cwd: "/" });
    expect(config.has("plugin.site.color")).toBe(false);
  });

  test("reads project files from the root down for clients, the nearest wins, and none for servers", () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("project/deep"), { recursive: true });
    writeFileSync(folder.file("client.conf"), "ttl = 1\ncollectives = main\n");
    writeFileSync(folder.file("project/choria.conf"), "ttl = 2\ndiscovery_timeout = 7\n");
    writeFileSync(folder.file("project/deep/choria.conf"), "ttl = 3\n");
    const options = { env, cwd: folder.file("project/deep") };
    const client = loadConfig(folder.file("client.conf"), { kind: "client", ...options });
    expect([client.get("ttl"), client.get("discovery_timeout"), client.collectives]).toEqual([3, 7, ["main"]]);
    expect(loadConfig(folder.file("client.conf"), { kind: "system", ...options }).get("ttl")).toBe(1);
  });

  test("lets the environment replace what files say", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("client.conf"), "plugin.choria.srv_domain = file.example\nplugin.nats.user = file\n");
    const config = loadConfig(folder.file("client.conf"), {
      kind: "client",
      env: { ...env, CHORIA_SRV_DOMAIN: "env.example", MCOLLECTIVE_NATS_USERNAME: "env" },
      cwd: "/",
    });
    expect([config.get("plugin.choria.srv_domain"), config.get("plugin.nats.user")]).toEqual(["env.example", "env"]);
    expect([...config.entries()]).toContainEqual([
      "plugin.nats.user",
      { value: "env", place: "environment variable MCOLLECTIVE_NATS_USERNAME" },
    ]);
  });

  test("takes a file of bytes that are no text without another error than its own", () => {
    using folder = temporaryFolder();
    const path = folder.file("noise.conf");
    writeFileSync(path, crypto.getRandomValues(new Uint8Array(60_000)));
    expect(loadConfig(path, { kind: "system", env }).get("ttl")).toBe(60);
  });
});

describe("findClientConfig()", () => {
  test("takes what CHORIA_CONFIG names, else the user's own file", () => {
    using folder = temporaryFolder();
    expect(findClientConfig({ CHORIA_CONFIG: "/x/y", HOME: folder.path })).toBe("/x/y");
    writeFileSync(folder.file(".mcollective"), "");
    expect(findClientConfig({ HOME: folder.path })).toBe(folder.file(".mcollective"));
    writeFileSync(folder.file(".choriarc"), "");
    expect(findClientConfig({ HOME: folder.path })).toBe(folder.file(".choriarc"));
  });
});

test("hostIdentity() keeps a full host name and always gives a name", async () => {
  expect(await hostIdentity("node1.example.net")).toBe("node1.example.net");
  expect(await hostIdentity("no-such-host-anywhere")).toBe("no-such-host-anywhere");
});
