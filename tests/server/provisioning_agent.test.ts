import { describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { configFrom, parseConf } from "../../lib/config/mod.ts";
import { verifySignature } from "../../lib/crypto/mod.ts";
import {
  decodeRequest,
  decodeRpcReply,
  decodeSecureRequest,
  decodeTransport,
  emptyFilter,
  encodeRpcRequest,
  newRequest,
  type Request,
} from "../../lib/protocol/mod.ts";
import { encryptTlsKey } from "../../lib/provisioner/mod.ts";
import type { Agent } from "../../lib/rpc/mod.ts";
import {
  diskFiles,
  memoryFiles,
  type ProvisionAgentOptions,
  provisionAgent,
} from "../../lib/server/provisioning/mod.ts";
import { encodeUtf8, type JsonObject, silentLogger } from "../../lib/std/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";

const configFile = "/etc/choria/server.conf";
const tokenFile = "/etc/choria/provisioning.jwt";
const fixtures = `${import.meta.dir}/../fixtures/provisioning`;

interface Rig {
  agent: Agent;
  clock: FakeClock;
  files: ReturnType<typeof memoryFiles>;
  events: string[];
  call(action: string, data?: JsonObject, caller?: Partial<Request>): Promise<Answer>;
}

interface Answer {
  statuscode: number;
  statusmsg: string;
  data: JsonObject;
}

function rig(options: Partial<ProvisionAgentOptions> = {}): Rig {
  const clock = new FakeClock();
  const events: string[] = [];
  const files = options.files ?? memoryFiles({ [tokenFile]: "the.provisioning.jwt" });
  const agent = provisionAgent({
    configFile,
    tokenFile,
    secret: "s3cret",
    isProvisioning: true,
    config: configFrom({}),
    control: {
      publishEvent: (type) => void events.push(type),
      restart: () => void events.push("restart now"),
      shutdown: () => void events.push("shutdown now"),
    },
    clock,
    files,
    version: "1.2.3",
    logger: silentLogger,
    random: () => 0.55,
    ...options,
  });
  const call: Rig["call"] = async (action, data = { token: "s3cret" }, caller = {}) => {
    const payload = encodeRpcRequest({ agent: "choria_provision", action, data });
    const request = newRequest({
      message: payload,
      sender: "provisioner_signer",
      caller: "provisioner_signer",
      collective: "provisioning",
      agent: "choria_provision",
      ttl: 60,
      filter: emptyFilter(),
      ...caller,
    });
    const reply = await agent.handle({ request, payload }, new AbortController().signal);
    const { statuscode, statusmsg, data: outputs } = decodeRpcReply(reply ?? new Uint8Array());
    return { statuscode, statusmsg, data: outputs as JsonObject };
  };
  return { agent, clock, files, events, call };
}

const settings = { identity: "srv1.example.net", "plugin.choria.server.provision": "false" };
const configureData = { token: "s3cret", config: JSON.stringify(settings), server_jwt: "a.server.jwt" };

describe("the provisioning agent", () => {
  test("shows the provisioning token and a new key for an exchange", async () => {
    const { call } = rig();
    const first = await call("jwt");
    const second = await call("jwt");
    expect(first).toMatchObject({ statuscode: 0, statusmsg: "OK", data: { jwt: "the.provisioning.jwt" } });
    expect(first.data.ecdh_public).toMatch(/^[0-9a-f]{64}$/);
    expect(second.data.ecdh_public).not.toBe(first.data.ecdh_public);
  });

  test("makes a key, keeps its seed and signs the nonce with it", async () => {
    const { call, files } = rig();
    files.write("/etc/choria/server.jwt", "of a former key", 0o600);
    const { data } = await call("gen25519", { token: "s3cret", nonce: "95f437b3c8db49c18bcb82db5f835af1" });
    const signature = Uint8Array.fromHex(String(data.signature));
    const nonce = encodeUtf8("95f437b3c8db49c18bcb82db5f835af1");
    expect(verifySignature(String(data.public_key), nonce, signature)).toBe(true);
    expect(data.directory).toBe("/etc/choria");
    expect(files.read("/etc/choria/server.seed")).toMatch(/^[0-9a-f]{64}$/);
    expect(files.has("/etc/choria/server.jwt")).toBe(false);
    expect((await call("gen25519")).data.public_key).not.toBe(data.public_key);
  });

  test("writes configuration and token, and says so to all", async () => {
    const { call, files, events } = rig();
    const answer = await call("configure", configureData);
    expect(answer).toMatchObject({ statuscode: 0, data: { message: `Wrote 3 lines to ${configFile}` } });
    const [header, ...lines] = files.read(configFile).trimEnd().split("\n");
    expect(header).toMatch(
      /^# configuration file written in request \w{27} from provisioner_signer \(provisioner_signer\) at \d{4}-\d\d-\d\d [\d:.]+ \+0000 UTC m=\+[\d.]+$/,
    );
    expect(lines).toEqual(["identity=srv1.example.net", "plugin.choria.server.provision=false"]);
    expect(files.read("/etc/choria/server.jwt")).toBe("a.server.jwt");
    expect(events).toEqual(["provisioned"]);
  });

  test("starts again two seconds later, once, after having said so", async () => {
    const { call, events, clock } = rig();
    await call("configure", configureData);
    const answer = await call("restart", { token: "s3cret", splay: 1 });
    expect(answer.data).toEqual({ message: "Restarting Choria Server after 2s" });
    expect((await call("restart", { token: "s3cret", splay: 1 })).statuscode).toBe(0);
    expect(events).toEqual(["provisioned", "shutdown"]);
    await clock.advance(1_999);
    expect(events).not.toContain("restart now");
    await clock.advance(10_000);
    expect(events).toEqual(["provisioned", "shutdown", "restart now"]);
  });

  test("waits a random while where no splay is given", async () => {
    const { call, files } = rig();
    files.write(configFile, "identity=x\n", 0o600);
    expect((await call("restart")).data.message).toBe("Restarting Choria Server after 7s");
    const other = rig({ files });
    expect((await other.call("restart", { token: "s3cret", splay: "100" })).data.message).toBe(
      "Restarting Choria Server after 57s",
    );
  });

  test("does not start again with a configuration that it could not use", async () => {
    const { call, files, events } = rig();
    const missing = await call("restart");
    expect(missing.statusmsg).toStartWith(`Configuration ${configFile} could not be parsed, restart cannot continue: `);
    files.write(configFile, "registerinterval=often\n", 0o600);
    expect((await call("restart")).statusmsg).toContain("registerinterval");
    files.write(configFile, "plugin.choria.server.provision=1\n", 0o600);
    const again = await call("restart");
    expect(again).toMatchObject({
      statuscode: 1,
      statusmsg: `Configuration ${configFile} enables provisioning, restart cannot continue`,
      data: {},
    });
    expect(events).toEqual([]);
  });

  test("keeps its new key from a second provisioner while it waits for its restart", async () => {
    const { call, files } = rig();
    await call("gen25519");
    await call("configure", configureData);
    await call("restart", { token: "s3cret", splay: 1 });
    const seed = files.read("/etc/choria/server.seed");
    expect(await call("gen25519")).toMatchObject({
      statuscode: 1,
      statusmsg: "Cannot reconfigure a server that is waiting for its restart",
    });
    expect(files.read("/etc/choria/server.seed")).toBe(seed);
  });

  test("shuts down after the time it said", async () => {
    const { call, events, clock } = rig();
    expect((await call("shutdown")).data).toEqual({ message: "Shutting Choria Server down after 5s" });
    await clock.advance(5_000);
    expect(events).toEqual(["shutdown now"]);
  });

  test("asks to be provisioned again, keeping its log", async () => {
    const config = configFrom({ logfile: "/var/log/choria.log", identity: "srv1.example.net" });
    const { call, files, events, clock } = rig({ isProvisioning: false, config });
    expect((await call("reprovision")).data).toEqual({ message: "Restarting after 7s" });
    const expected = readFileSync(`${fixtures}/server.conf.reprovision`, "utf8").replace(
      "/opt/lab/server.log",
      "/var/log/choria.log",
    );
    const sorted = (text: string) => text.trimEnd().split("\n").slice(1).sort();
    expect(sorted(files.read(configFile))).toEqual(sorted(expected));
    await clock.advance(7_000);
    expect(events).toEqual(["shutdown", "restart now"]);
  });
});

describe("refusals", () => {
  const prov = ["jwt", "gen25519", "gencsr", "configure"];
  test.each(prov)("%s is for nodes that are being provisioned", async (action) => {
    const { call } = rig({ isProvisioning: false });
    expect(await call(action)).toEqual({
      statuscode: 1,
      statusmsg: "Cannot reconfigure a server that is not in provisioning mode",
      data: {},
    });
  });

  test("release_update is not enabled", async () => {
    expect((await rig().call("release_update")).statusmsg).toBe("Version updates is not enabled in the configuration");
    expect((await rig({ isProvisioning: false }).call("release_update")).statusmsg).toBe(
      "Cannot update a server that is not in provisioning mode",
    );
  });

  test("reprovision is for nodes that serve", async () => {
    expect((await rig().call("reprovision")).statusmsg).toBe(
      "Server is already in provisioning mode, cannot enable provisioning mode again",
    );
  });

  test.each(["restart", "shutdown"])("%s needs a token on nodes that serve", async (action) => {
    const { call } = rig({ isProvisioning: false, secret: "" });
    expect((await call(action)).statusmsg).toBe(
      `Cannot ${action} a server that is not in provisioning mode or with no token set`,
    );
  });

  test.each(["jwt", "gen25519", "gencsr", "configure", "release_update", "restart", "shutdown"])(
    "%s with a wrong token changes nothing",
    async (action) => {
      const { call, files, events, clock } = rig();
      for (const token of ["", "s3cre", "s3crett", "S3CRET"]) {
        const answer = await call(action, { ...configureData, token });
        expect(answer).toEqual({ statuscode: 1, statusmsg: "Incorrect provision token supplied", data: {} });
      }
      await clock.advance(60_000);
      expect(events).toEqual([]);
      expect([configFile, "/etc/choria/server.seed", "/etc/choria/server.jwt"].some((path) => files.has(path))).toBe(
        false,
      );
    },
  );

  test("inputs of another type end with status 4", async () => {
    const { call } = rig();
    expect(await call("jwt", { token: 7 })).toMatchObject({
      statuscode: 4,
      statusmsg: "Could not parse request data for choria_provision#jwt: token must be a string, found number",
    });
    expect((await call("configure", { ...configureData, action_policies: { a: 1 } })).statuscode).toBe(4);
  });

  const bad: [string, JsonObject, string][] = [
    ["nothing", { config: "" }, "Did not receive any configuration to write, cannot write a empty configuration file"],
    ["a key without an exchange", { key: "pem" }, "EDCH Public Key not supplied while providing a private key"],
    ["no JSON", { config: "{" }, "Could not decode configuration data: "],
    ["a list", { config: "[]" }, "Could not decode configuration data: expected an object"],
    ["numbers", { config: '{"ttl":60}' }, "Could not decode configuration data: the value of ttl must be a string"],
    ["values that no server could read", { config: '{"ttl":"x"}' }, "Could not write config: generated configuration"],
    ["a line break", { config: '{"identity":"a\\nrpcauthorization=0"}' }, "Could not write config: "],
    ["a line break in a key", { config: '{"identity=a\\nttl":"1"}' }, "Could not write config: "],
    ["a comment for a key", { config: '{"#identity":"a"}' }, "Could not write config: "],
    ["a policy of another kind", { action_policies: { "a.rego": "x" } }, "Could not save Action Policies: "],
    ["a policy that leads away", { opa_policies: { "../a.rego": "x" } }, "Could not save Open Policy Agent Policies: "],
    ["a hidden policy", { opa_policies: { ".rego": "x" } }, "Could not save Open Policy Agent Policies: "],
  ];
  test.each(bad)("configure with %s writes no configuration", async (_name, data, reason) => {
    const { call, events, files } = rig();
    const answer = await call("configure", { ...configureData, ...data });
    expect(answer.statuscode).toBe(1);
    expect(answer.statusmsg).toStartWith(reason);
    expect(events).toEqual([]);
    // With a configuration a node that is killed at this point would serve without the policies it was meant to have.
    expect(files.has(configFile)).toBe(false);
  });
});

describe("the lock", () => {
  const other = { caller: "other", sender: "other" };

  test("keeps other provisioners away for two minutes, which each use extends", async () => {
    const { call, clock } = rig();
    await call("jwt");
    expect((await call("jwt", undefined, other)).statusmsg).toBe("Could not obtain provisioning lock");
    await clock.advance(100_000);
    await call("gen25519");
    await clock.advance(119_000);
    expect((await call("configure", configureData, other)).statusmsg).toBe("Could not obtain provisioning lock");
    await clock.advance(1_000);
    expect((await call("jwt", undefined, other)).statuscode).toBe(0);
    expect((await call("jwt")).statusmsg).toBe("Could not obtain provisioning lock");
  });

  test("is not for those who do not know the token", async () => {
    const { call } = rig();
    await call("jwt", { token: "guess" }, other);
    expect((await call("jwt")).statuscode).toBe(0);
  });

  test("does not stand in the way of a restart", async () => {
    const { call } = rig();
    await call("configure", configureData);
    expect((await call("restart", undefined, other)).statuscode).toBe(0);
  });
});

describe("on disk", () => {
  test("files are for their owner alone, links stay links, policies are replaced", async () => {
    using folder = temporaryFolder();
    const file = folder.file("server.conf");
    const target = folder.file("real.conf");
    writeFileSync(target, "identity=old\n");
    symlinkSync(target, file);
    const { call } = rig({ files: diskFiles, configFile: file });
    await call("gen25519");
    const policies = { action_policies: { "a.policy": "default deny" }, opa_policies: { "b.rego": "package b" } };
    await call("configure", { ...configureData, ...policies });
    const mode = (path: string) => statSync(folder.file(path)).mode & 0o777;
    expect(readFileSync(target, "utf8")).toContain("identity=srv1.example.net");
    expect(mode("real.conf")).toBe(0o600);
    expect(mode("server.seed")).toBe(0o600);
    expect(mode("server.jwt")).toBe(0o600);
    expect(mode("policies")).toBe(0o700);
    expect(mode("policies/a.policy")).toBe(0o400);
    expect(mode("policies/rego/b.rego")).toBe(0o400);
    await call("configure", { ...configureData, action_policies: { "c.policy": "default allow" } });
    expect(existsSync(folder.file("policies/a.policy"))).toBe(false);
    expect(existsSync(folder.file("policies/c.policy"))).toBe(true);
  });

  test("a TLS key arrives as it was sent", async () => {
    using folder = temporaryFolder();
    const { call } = rig({
      files: diskFiles,
      configFile: folder.file("server.conf"),
      tokenFile: `${fixtures}/provisioning.jwt`,
    });
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
    const { data } = await call("jwt");
    const { key, publicKey } = encryptTlsKey(pem, String(data.ecdh_public));
    const ssldir = folder.file("ssl");
    const tls = { ssldir, certificate: "CERT", ca: "CA", key, ecdh_public: publicKey };
    expect(await call("configure", { ...configureData, ...tls })).toMatchObject({ statuscode: 0 });
    expect(readFileSync(`${ssldir}/private.pem`, "utf8")).toBe(pem);
    expect(createPublicKey(readFileSync(`${ssldir}/private.pem`)).asymmetricKeyType).toBe("rsa");
    expect(statSync(`${ssldir}/private.pem`).mode & 0o777).toBe(0o600);
    const foreign = { ...tls, ecdh_public: `${"00".repeat(31)}09` };
    expect((await call("configure", { ...configureData, ...foreign })).statusmsg).toStartWith("TLS Setup Failed: ");
  });
});

describe("what the original provisioner sends", () => {
  const requests = readFileSync(`${fixtures}/wire_provisioning_account.jsonl`, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { subject: string; body: string })
    .filter(({ subject }) => subject.startsWith("provisioning.node."))
    .map(({ body }) => decodeRequest(decodeSecureRequest(decodeTransport(encodeUtf8(body)).data).request));

  test("is answered in its order, key by key as the original node does", async () => {
    const { agent, files } = rig();
    const keys: Record<string, string[]> = {};
    for (const request of requests.filter(({ agent }) => agent === "choria_provision")) {
      const reply = await agent.handle({ request, payload: request.message }, new AbortController().signal);
      const { action, statuscode, statusmsg, data } = JSON.parse(Buffer.from(reply ?? []).toString());
      expect({ statuscode, statusmsg }).toEqual({ statuscode: 0, statusmsg: "OK" });
      keys[action] = Object.keys(data);
    }
    expect(keys).toEqual({
      jwt: ["jwt", "ecdh_public"],
      gen25519: ["public_key", "directory", "signature"],
      configure: ["message"],
      restart: ["message"],
    });
    const generated = readFileSync(`${fixtures}/server.conf.generated`, "utf8");
    const pairs = (text: string) =>
      parseConf(text)
        // The captured messages and the captured file name different laboratories.
        .map(({ key, value }) => `${key}=${value.replace(/^.*\/lab\//, "/lab/")}`)
        .sort();
    expect(pairs(files.read(configFile))).toEqual(pairs(generated));
    expect(files.read(configFile)).toStartWith(generated.slice(0, generated.indexOf(" at ")));
    expect(files.read("/etc/choria/server.jwt")).toBe(readFileSync(`${fixtures}/server.jwt`, "utf8"));
  });
});

describe("whatever a provisioner sends as configuration", () => {
  const key = fc.oneof(fc.constantFrom("identity", "ttl", "plugin.x"), fc.string({ maxLength: 12 }));
  const value = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom("1", "a=b", "a\nb", " c "));

  test("is either refused or read back as the same settings", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, value), async (wanted) => {
        const { call, files } = rig();
        const answer = await call("configure", { token: "s3cret", config: JSON.stringify(wanted) });
        if (answer.statuscode !== 0) return expect(files.has(configFile)).toBe(false);
        const read = new Map(parseConf(files.read(configFile)).map((line) => [line.key, line.value]));
        const expected = Object.entries(wanted).map(([name, text]) => [name.trim(), text.trim()] as const);
        expect(read).toEqual(new Map(expected.filter(([, text]) => text !== "")));
      }),
      { numRuns: 300 },
    );
  });

  test("never makes the agent throw", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("jwt", "gen25519", "configure", "restart"),
        fc.jsonValue(),
        async (action, data) => {
          const { call } = rig();
          const inputs = typeof data === "object" && data !== null && !Array.isArray(data) ? data : { config: data };
          const { statuscode } = await call(action, { ...inputs, token: "s3cret" });
          expect([0, 1, 4]).toContain(statuscode);
        },
      ),
      { numRuns: 300 },
    );
  });
});
