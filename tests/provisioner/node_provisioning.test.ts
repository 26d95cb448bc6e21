import { describe, expect, test } from "bun:test";
import { generateKey } from "../../lib/crypto/mod.ts";
import {
  DeferredError,
  decodeHelperReply,
  type HelperRequest,
  isSameVersion,
  NodeCalls,
  type ProvisioningTools,
  parseProvisionerConfig,
  provisionNode,
} from "../../lib/provisioner/mod.ts";
import { encodeUtf8, type JsonObject, Semaphore, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { keySigner } from "../../lib/tokens/mod.ts";
import { TestOrganization } from "../support/organization.ts";

const organization = new TestOrganization();
const token = await organization.provisioning(["nats://127.0.0.1:4222"]);
const settings = { identity: "n1.example.net", "plugin.security.provider": "choria" };

/** A node of which every answer can be replaced, and a helper. */
function rig(options: { answers?: Record<string, JsonObject | Error>; reply?: object; yaml?: string } = {}) {
  const { answers = {}, reply = { configuration: settings }, yaml = "" } = options;
  const calls: [string, JsonObject][] = [];
  const asked: HelperRequest[] = [];
  const key = generateKey();
  const standard: Record<string, (data: JsonObject) => JsonObject> = {
    jwt: () => ({ jwt: token, ecdh_public: "ab".repeat(32) }),
    gen25519: ({ nonce }) => ({
      public_key: key.publicKey,
      directory: "/etc/choria",
      signature: key.sign(encodeUtf8(String(nonce))).toHex(),
    }),
    inventory: () => ({ version: "0.29.3", upgradable: true, agents: [] }),
    gencsr: () => ({ csr: "CSR", public_key: "PUBLIC", ssldir: "/ssl" }),
  };
  const caller = {
    async call({ agent, action, data }: { agent: string; action: string; data: JsonObject }): Promise<JsonObject> {
      calls.push([`${agent}#${action}`, data]);
      const answer = answers[action] ?? standard[action]?.(data) ?? {};
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const tools: ProvisioningTools = {
    config: parseProvisionerConfig(
      `helper: x\ntoken: s3cret\njwt_verify_cert: ${organization.issuer.publicKey}\n${yaml || "features: {ed25519: true}"}`,
      "p.yaml",
    ),
    helper: {
      async ask(request) {
        asked.push(request);
        return decodeHelperReply(reply);
      },
    },
    helperPlaces: new Semaphore(1),
    metrics: { count() {}, helperTook() {} },
    verifyKey: () => ({ ed25519: organization.issuer.publicKey }),
    issuer: () => ({ signer: keySigner(organization.issuer) }),
    clock: systemClock,
    logger: silentLogger,
  };
  const turn = { signal: new AbortController().signal, rest: async () => {}, enter: async () => {} };
  const metrics = { rpcTook() {}, rpcFailed() {} };
  const nodeCalls = new NodeCalls({ node: "n1.example.net", caller, metrics, clock: systemClock, ...turn });
  return {
    calls,
    asked,
    names: () => calls.map(([name]) => name),
    run: () => provisionNode("n1.example.net", nodeCalls, tools, turn),
  };
}

const whole = [
  "choria_provision#jwt",
  "choria_provision#gen25519",
  "rpcutil#inventory",
  "choria_provision#configure",
  "choria_provision#restart",
];

describe("a node is provisioned", () => {
  test("in the order of the original, the helper being told all that is known", async () => {
    const { run, names, calls, asked } = rig();
    expect(await run()).toBe("provisioned");
    expect(names()).toEqual(whole);
    expect(asked[0]).toMatchObject({ identity: "n1.example.net", csr: null, jwt: { cht: "s3cret" } });
    expect(JSON.parse(asked[0]?.inventory ?? "").version).toBe("0.29.3");
    const [, configure] = calls[3] ?? [];
    expect(configure).toMatchObject({ config: JSON.stringify(settings), token: "s3cret", key: "", ssldir: "" });
    expect(calls[4]?.[1]).toEqual({ splay: 1, token: "s3cret" });
  });

  test("without keys and tokens where the features are off", async () => {
    const { run, names, asked } = rig({ yaml: "features: {}" });
    expect(await run()).toBe("provisioned");
    expect(names()).toEqual(whole.slice(2));
    expect(asked[0]).toMatchObject({ jwt: null, ed25519_pubkey: null });
  });

  test("with a certificate where that feature is on", async () => {
    const reply = { configuration: settings, certificate: "CERT", ca: "CA", ssldir: "/ssl" };
    const { run, asked, calls } = rig({ yaml: "features: {jwt: true, pki: true}", reply });
    expect(await run()).toBe("provisioned");
    expect(asked[0]?.csr).toEqual({ csr: "CSR", public_key: "PUBLIC", ssldir: "/ssl" });
    expect(calls.at(-2)?.[1]).toMatchObject({ certificate: "CERT", ca: "CA", ssldir: "/ssl", server_jwt: "" });
  });
});

describe("a node is not provisioned", () => {
  const cases: [string, Parameters<typeof rig>[0], string][] = [
    ["without a token", { answers: { jwt: {} } }, "no JWT received"],
    [
      "with a token of somebody else",
      { answers: { jwt: { jwt: "a.b.c" } } },
      "could not validate JWT: n1.example.net: ",
    ],
    ["without a key", { answers: { gen25519: {} } }, "no public key received"],
    ["without a signature", { answers: { gen25519: { public_key: "ab" } } }, "no signature received"],
    ["with no signature", { answers: { gen25519: { public_key: "ab", signature: "xy" } } }, "invalid signature"],
    [
      "with a key that is not its own",
      { answers: { gen25519: { public_key: "ab".repeat(32), signature: "cd".repeat(64) } } },
      "invalid nonce signature",
    ],
    ["that the helper gives no configuration", { reply: {} }, "empty configuration"],
    ["that refuses its inventory", { answers: { inventory: new Error("no") } }, "rpcutil#inventory failed: no"],
  ];
  test.each(cases)("%s", async (_name, options, reason) => {
    const { run, names } = rig(options);
    await expect(run()).rejects.toThrow(reason);
    expect(names()).not.toContain("choria_provision#configure");
  });

  test("that the helper defers", async () => {
    const { run } = rig({ reply: { defer: true, msg: "not yet" } });
    const error = await run().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DeferredError);
    expect(String(error)).toContain("configuration defered: not yet");
  });

  test("that the helper shuts down, even where the node does not listen", async () => {
    const { run, names } = rig({ reply: { shutdown: true }, answers: { shutdown: new Error("no") } });
    expect(await run()).toBe("shutdown");
    expect(names().at(-1)).toBe("choria_provision#shutdown");
  });
});

describe("an upgrade", () => {
  const yaml = "features: {ed25519: true, upgrades: true}\nupgrades_repository: https://example.net/r";
  const reply = (upgrade: string) => ({ configuration: settings, upgrade });

  test("takes the place of the rest, as the node comes back", async () => {
    const { run, calls } = rig({ yaml, reply: reply("0.29.4") });
    expect(await run()).toBe("upgraded");
    expect(calls.at(-1)).toEqual([
      "choria_provision#release_update",
      { repository: "https://example.net/r", token: "s3cret", version: "0.29.4" },
    ]);
  });

  test("is left out where the node has that version, or the feature is off", async () => {
    expect(await rig({ yaml, reply: reply("0.29.3-1") }).run()).toBe("provisioned");
    expect(await rig({ reply: reply("9.9.9") }).run()).toBe("provisioned");
  });

  test("that fails fails the node, unless upgrades are optional", async () => {
    const answers = { inventory: { version: "0.1.0", upgradable: false } };
    await expect(rig({ yaml, answers, reply: reply("1.0") }).run()).rejects.toThrow("does not support upgrades");
    const optional = rig({ yaml: `${yaml}\nupgrades_optional: true`, answers, reply: reply("1.0") });
    expect(await optional.run()).toBe("provisioned");
    const nowhere = "features: {ed25519: true, upgrades: true}";
    await expect(rig({ yaml: nowhere, reply: reply("1.0") }).run()).rejects.toThrow(
      "updates_repository not configured",
    );
  });
});

test.each([
  ["1.0.0", "1.0.0", true],
  ["0:1.0.0", "1.0.0", true],
  ["1.0.0-1", "1.0.0", true],
  ["1.0.0-1", "1.0.0-2", false],
  ["1.01", "1.1", true],
  ["1:1.0.0", "1.0.0", false],
  ["1.0.0~rc1", "1.0.0", false],
  ["1.0", "1.0.0", false],
])("versions %p and %p are the same: %p", (a, b, same) => {
  expect(isSameVersion(a, b)).toBe(same);
});
