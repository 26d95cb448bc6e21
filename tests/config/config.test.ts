import { describe, expect, test } from "bun:test";
import { homedir } from "node:os";
import { resolve } from "node:path";
import fc from "fast-check";
import { type ConfigKey, catalogue, configFrom, isConfigKey } from "../../lib/config/mod.ts";

describe("Config.get()", () => {
  test("gives the default of a key that is not set", () => {
    const config = configFrom({});
    expect(config.get("ttl")).toBe(60);
    expect(config.get("logfile")).toBe("stdout");
    expect(config.get("plugin.security.choria.sign_replies")).toBe(true);
    expect(config.get("plugin.choria.middleware_hosts")).toEqual([]);
    expect(config.get("plugin.security.choria.token_file")).toBe("");
    expect(config.get("plugin.choria.network.connect_timeout")).toBe(10_000);
  });

  test.each(["1", "yes", "true", "y", "t", "YES", "True"])("reads %p as true", (text) => {
    expect(configFrom({ rpcaudit: text }).get("rpcaudit")).toBe(true);
  });

  test.each(["0", "no", "false", "n", "f", "NO"])("reads %p as false", (text) => {
    expect(configFrom({ color: text }).get("color")).toBe(false);
  });

  test("reads numbers, durations, lists and words", () => {
    const config = configFrom({
      ttl: "90",
      "plugin.choria.network.connect_timeout": "5",
      "plugin.choria.network.write_deadline": "1m30s",
      "plugin.choria.network.stream.event_retention": "2w",
      "plugin.choria.middleware_hosts": " a:4222 ,, nats://b:4222 ",
      loglevel: "debug",
    });
    expect(config.get("ttl")).toBe(90);
    expect(config.get("plugin.choria.network.connect_timeout")).toBe(5_000);
    expect(config.get("plugin.choria.network.write_deadline")).toBe(90_000);
    expect(config.get("plugin.choria.network.stream.event_retention")).toBe(1_209_600_000);
    expect(config.get("plugin.choria.middleware_hosts")).toEqual(["a:4222", "nats://b:4222"]);
    expect(config.get("loglevel")).toBe("debug");
  });

  test("reads paths from the home folder and the working folder", () => {
    const config = configFrom({
      "plugin.security.choria.token_file": "~/client.jwt",
      "plugin.security.choria.seed_file": "relative/seed",
      "plugin.yaml": "~/facts.json:/etc/facts.yaml",
      logfile: "stderr",
    });
    const home = process.env.HOME ?? homedir();
    expect(config.get("plugin.security.choria.token_file")).toBe(`${home}/client.jwt`);
    expect(config.get("plugin.security.choria.seed_file")).toBe(resolve("relative/seed"));
    expect(config.get("plugin.yaml")).toEqual([`${home}/facts.json`, "/etc/facts.yaml"]);
    expect(config.get("logfile")).toBe("stderr");
  });

  test.each([
    ["ttl", "soon", "whole number"],
    ["ttl", "1.5", "whole number"],
    ["rpcaudit", "maybe", "true or false"],
    ["loglevel", "trace", "one of debug, info"],
    ["plugin.choria.network.connect_timeout", "1x", "duration"],
  ] as const)("refuses %p = %p, naming key, place and what was expected", (key, value, expected) => {
    const config = configFrom({ [key]: value });
    expect(() => config.get(key)).toThrow(`Cannot use ${key} = "${value}" (memory): `);
    expect(() => config.get(key)).toThrow(expected);
  });

  test("reads every key of the catalogue from any text, or refuses it with an Error that names it", () => {
    const keys = fc.constantFrom(...(Object.keys(catalogue) as ConfigKey[]));
    fc.assert(
      fc.property(keys, fc.string({ unit: "binary", maxLength: 60 }), (key, value) => {
        try {
          expect(configFrom({ [key]: value }).get(key)).toBeDefined();
        } catch (error) {
          expect(String(error)).toStartWith(`Error: Cannot use ${key} = `);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test("does not show the value of a secret that it refuses", () => {
    const key = "plugin.choria.network.provisioning.provisioner_without_token";
    const config = configFrom({ [key]: "hush" });
    expect(() => config.get(key)).toThrow(`Cannot use ${key} = "*****" (memory): `);
  });
});

describe("Config", () => {
  test("keeps keys that the catalogue does not know", () => {
    const config = configFrom({ "plugin.site.color": "blue" });
    expect(config.has("plugin.site.color")).toBe(true);
    expect(config.option("plugin.site.color")).toBe("blue");
    expect(config.option("plugin.site.other")).toBeUndefined();
    expect(isConfigKey("plugin.site.color")).toBe(false);
    expect(isConfigKey("toString")).toBe(false);
  });

  test("has collectives, the first of which is the main one", () => {
    expect(configFrom({}).collectives).toEqual(["choria"]);
    expect(configFrom({}).mainCollective).toBe("choria");
    expect(configFrom({ collectives: "a, b" }).mainCollective).toBe("a");
    expect(configFrom({ collectives: "a, b", main_collective: "b" }).mainCollective).toBe("b");
  });

  test("finds issuers by name", () => {
    const config = configFrom({
      "plugin.security.issuer.names": "choria, other",
      "plugin.security.issuer.choria.public": "AB".repeat(32),
      "plugin.security.issuer.other.public": " cd ",
    });
    expect([...config.issuers()]).toEqual([
      ["choria", "ab".repeat(32)],
      ["other", "cd"],
    ]);
    expect(() => configFrom({ "plugin.security.issuer.names": "x" }).issuers()).toThrow(
      "could not find option plugin.security.issuer.x.public while adding issuer x",
    );
  });

  test("tells everything that is wrong", () => {
    const config = configFrom({ ttl: "x", rpcaudit: "yes", color: "x", "plugin.security.client_anon_tls": "true" });
    expect(config.problems().map(({ key }) => key)).toEqual(["ttl", "color", "plugin.security.client_anon_tls"]);
    expect(config.problems().at(-1)?.reason).toBe(
      "plugin.security.client_anon_tls can not be set when the choria security provider is used",
    );
  });

  test("with() replaces and removes keys and leaves the first as it was", () => {
    const first = configFrom({ ttl: "1", color: "no" });
    const second = first.with({ ttl: "2", color: undefined });
    expect([first.get("ttl"), second.get("ttl")]).toEqual([1, 2]);
    expect([first.get("color"), second.get("color")]).toEqual([false, true]);
  });

  test("has a meaning and a readable default for every key", () => {
    for (const [key, setting] of Object.entries(catalogue)) {
      expect(setting.doc.length, key).toBeGreaterThan(5);
      if (setting.defaultText !== undefined && setting.defaultText !== "") {
        const read = configFrom({ [key]: setting.defaultText }).get(key as ConfigKey);
        expect(read, key).toEqual(configFrom({}).get(key as ConfigKey));
      }
    }
  });
});
