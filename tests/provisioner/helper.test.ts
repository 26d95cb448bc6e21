import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import {
  decodeHelperReply,
  encodeHelperRequest,
  encodeSorted,
  type HelperRequest,
  moduleHelper,
  processHelper,
} from "../../lib/provisioner/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const fixture = (name: string) => readFileSync(`${import.meta.dir}/../fixtures/provisioning/${name}`, "utf8").trim();
const request = JSON.parse(fixture("helper_input.json")) as HelperRequest;
const shippedHelper = `${import.meta.dir}/../../containers/provisioner/helper.ts`;

/** A helper of a shell script. */
function script(body: string, options: { timeLimit?: number; outputLimit?: number } = {}) {
  const folder = temporaryFolder();
  const path = folder.file("helper");
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return { ...folder, path, helper: processHelper(path, { clock: systemClock, ...options }) };
}

describe("a helper's request", () => {
  test.each(["helper_input.json", "helper_input_with_facts.json"])("is %s to the byte", (name) => {
    const { jwt, csr, inventory, ed25519_pubkey, identity } = JSON.parse(fixture(name)) as HelperRequest;
    const shuffled = { jwt, csr, inventory, ed25519_pubkey, identity };
    expect(encodeHelperRequest(shuffled)).toBe(fixture(name));
    expect(encodeSorted(JSON.parse(inventory))).toBe(inventory);
  });

  test("holds null for what is not asked for", () => {
    const bare = { identity: "n1", csr: null, ed25519_pubkey: null, inventory: "{}", jwt: null };
    expect(encodeHelperRequest(bare)).toBe(
      '{"identity":"n1","csr":null,"ed25519_pubkey":null,"inventory":"{}","jwt":null}',
    );
  });
});

describe("a helper's reply", () => {
  test("of the original environment is read", () => {
    const reply = decodeHelperReply(JSON.parse(fixture("helper_output.json")));
    expect(reply).toMatchObject({
      defer: false,
      shutdown: false,
      msg: "Done",
      server_claims: { exp: 157_680_000, permissions: { streams: true, submission: true, service_host: true } },
      action_policies: {},
    });
    expect(Object.keys(reply.configuration)).toHaveLength(14);
  });

  test("may be empty, hold unknown keys, and write its keys in any case", () => {
    expect(decodeHelperReply({}).configuration).toEqual({});
    expect(decodeHelperReply({ Defer: true, MSG: "later", other: [1], configuration: null }).msg).toBe("later");
  });

  test.each([
    [{ configuration: { ttl: 60 } }, 'configuration["ttl"] must be a string, found a number'],
    [{ configuration: { ttl: null } }, 'configuration["ttl"] must be a string, found null'],
    [{ configuration: [] }, "configuration must be an object of strings, found an array"],
    [{ defer: "no" }, "defer must be true or false, found a string"],
    [{ msg: {} }, "msg must be a string, found an object"],
    [{ server_claims: "x" }, "server_claims must be an object"],
    [{ server_claims: { exp: "1y" } }, "server_claims.exp must be a number of seconds"],
    [{ server_claims: { permissions: { streams: 1 } } }, "server_claims.permissions must be true and false"],
    [{ server_claims: { collectives: "choria" } }, "server_claims.collectives must be strings"],
    [{ opa_policies: { "a.rego": 1 } }, 'opa_policies["a.rego"] must be a string'],
    ["text", "expected an object, found a string"],
    [null, "expected an object, found null"],
  ])("%p is refused", (reply, reason) => {
    expect(() => decodeHelperReply(reply)).toThrow(reason);
  });

  test("is either refused or has every value of its type", () => {
    const keys = fc.constantFrom("defer", "configuration", "msg", "server_claims", "opa_policies", "ca", "Shutdown");
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (value) => {
        let reply: ReturnType<typeof decodeHelperReply>;
        try {
          reply = decodeHelperReply(value);
        } catch (error) {
          return expect(error).toBeInstanceOf(TypeError);
        }
        expect(typeof reply.defer).toBe("boolean");
        expect(typeof reply.msg).toBe("string");
        for (const texts of [reply.configuration, reply.action_policies, reply.opa_policies]) {
          expect(Object.values(texts).every((text) => typeof text === "string")).toBe(true);
        }
      }),
    );
  });
});

describe("a helper that is a program", () => {
  test("gets the request on stdin and gives the reply on stdout", async () => {
    using rig = script(`cat > "$0.request"; echo noise >&2; echo '{"msg":"ok","configuration":{"a":"b"}}'`);
    expect(await rig.helper.ask(request)).toMatchObject({ msg: "ok", configuration: { a: "b" } });
    expect(readFileSync(`${rig.path}.request`, "utf8")).toBe(fixture("helper_input.json"));
  });

  test.each([
    ["echo '{}'; exit 3", "could not wait for HELPER: exit status 3"],
    ["echo '{}'; kill -TERM $$", "could not wait for HELPER: signal: SIGTERM"],
    ["cat > /dev/null", "cannot read HELPER output: zero bytes received"],
    ["exit 1", "cannot read HELPER output: zero bytes received"],
    ["echo hello", "cannot decode output from HELPER: "],
    ["echo '[]'", "cannot decode output from HELPER: expected an object, found an array"],
    ["printf '\\377\\376'", "cannot decode output from HELPER: "],
    [`echo '{"configuration":{"a":1}}'`, 'cannot decode output from HELPER: configuration["a"] must be a string'],
  ])("that does %p fails", async (body, reason) => {
    using rig = script(body);
    const expected = `could not invoke configure helper: ${reason.replace("HELPER", rig.path)}`;
    await expect(rig.helper.ask(request)).rejects.toThrow(expected);
  });

  test("that takes too long, or prints too much, is ended", async () => {
    using slow = script("sleep 30; echo '{}'", { timeLimit: 200 });
    await expect(slow.helper.ask(request)).rejects.toThrow("it took longer than 200 ms");
    using wordy = script("yes", { outputLimit: 10_000 });
    await expect(wordy.helper.ask(request)).rejects.toThrow("it printed more than 10000 bytes");
  });

  test("that does not exist, or whose command line is broken, says so", async () => {
    const helper = processHelper("/nonexistent/helper --flag", { clock: systemClock });
    await expect(helper.ask(request)).rejects.toThrow(
      "could not invoke configure helper: cannot start /nonexistent/helper: ",
    );
    expect(() => processHelper("'open", { clock: systemClock })).toThrow("cannot parse helper command: ");
  });
});

describe("a helper that is a module", () => {
  async function module(body: string, timeLimit = 10_000) {
    const folder = temporaryFolder();
    const path = folder.file("helper.ts");
    writeFileSync(path, body);
    return { ...folder, helper: await moduleHelper(path, { clock: systemClock, timeLimit }) };
  }

  test("is called with the request and held to the same form", async () => {
    using good = await module("export default async (r) => ({ msg: r.identity, configuration: { a: 'b' } })");
    expect(await good.helper.ask(request)).toMatchObject({ msg: "srv1.choria.local", configuration: { a: "b" } });
    using bad = await module("export default () => ({ configuration: { a: 1 } })");
    await expect(bad.helper.ask(request)).rejects.toThrow('configuration["a"] must be a string');
    using broken = await module("export default () => { throw new Error('no') }");
    await expect(broken.helper.ask(request)).rejects.toThrow("could not invoke configure helper: ");
  });

  test("does not hold up the provisioner for ever", async () => {
    using slow = await module("export default () => new Promise(() => {})", 100);
    await expect(slow.helper.ask(request)).rejects.toThrow("it took longer than 100 ms");
  });

  test("must have a function as its default export", async () => {
    await expect(module("export const x = 1")).rejects.toThrow("its default export is no function");
    await expect(moduleHelper("/nonexistent/h.ts", { clock: systemClock })).rejects.toThrow("cannot load");
  });
});

describe("the helper of the sample network", () => {
  const settings = {
    brokers: "nats://broker.choria.local:4222",
    issuer: "ab".repeat(32),
    pluginSigner: "cd".repeat(32),
  };

  async function ask(asked: unknown, more: object = {}) {
    using folder = temporaryFolder();
    writeFileSync(folder.file("helper.json"), JSON.stringify({ ...settings, ...more }));
    const command = ["bun", shippedHelper, folder.file("helper.json")];
    const child = Bun.spawnSync(command, { stdin: Buffer.from(JSON.stringify(asked)) });
    return decodeHelperReply(JSON.parse(child.stdout.toString()));
  }

  test("gives a node the 26 settings of the original environment and a token for five years", async () => {
    const reply = await ask(request);
    expect(Object.keys(reply.configuration)).toHaveLength(26);
    expect(reply.configuration).toMatchObject({
      identity: "srv1.choria.local",
      "plugin.choria.server.provision": "false",
      "plugin.security.choria.token_file": "/etc/choria/server.jwt",
      "plugin.security.choria.seed_file": "/etc/choria/server.seed",
      "plugin.choria.status_file_path": "/var/log/choria-status.json",
      "plugin.machines.signing_key": settings.pluginSigner,
      rpcauthprovider: "aaasvc",
    });
    expect(reply.server_claims).toEqual({
      exp: 157_680_000,
      permissions: { streams: true, submission: true, service_host: true },
    });
  });

  test("keeps everything beside the configuration where several servers share a machine", async () => {
    const { configuration } = await ask(request, { layout: "folder", configuration: { loglevel: "info" } });
    expect(configuration["plugin.choria.status_file_path"]).toBe("/etc/choria/status.json");
    expect(configuration.loglevel).toBe("info");
  });

  test.each([[{ ...request, identity: "" }], [{ ...request, ed25519_pubkey: null }], ["rubbish"]])(
    "defers what it cannot decide about",
    async (asked) => {
      const reply = await ask(asked);
      expect(reply.defer).toBe(true);
      expect(reply.msg).not.toBe("");
    },
  );
});
