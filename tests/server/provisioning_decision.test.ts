import { beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatConf } from "../../lib/config/mod.ts";
import {
  decideMode,
  decodeProvisioningToken,
  examineNode,
  provisioningBrokers,
  reasonToReprovision,
  type ServerMode,
} from "../../lib/server/provisioning/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { keySigner, signToken } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";

const identity = "srv1.example.net";
/** Keeps the provisioning token of the machine that runs the tests out of them. */
const noEnvironment = { HOME: "/nonexistent", CHORIA_PROVISIONING_JWT: "/nonexistent/provisioning.jwt" };
const clock = new FakeClock();
const organization = new TestOrganization(clock.now());

/** A node's folder with everything that a provisioned node has. */
async function provisionedNode(settings: Record<string, string | undefined> = {}, isDefault = true) {
  const folder = temporaryFolder();
  const member = await organization.server({ identity, collectives: ["choria"] }, { validity: 3_600_000 });
  const { tokenFile, seedFile } = member.save(folder.file("server"));
  writeFileSync(folder.file("provisioning.jwt"), await provisioningToken(isDefault));
  const all: Record<string, string | undefined> = {
    identity,
    loglevel: "warn",
    "plugin.choria.server.provision": "false",
    "plugin.choria.middleware_hosts": "nats://127.0.0.1:4222",
    "plugin.security.provider": "choria",
    "plugin.security.choria.token_file": tokenFile,
    "plugin.security.choria.seed_file": seedFile,
    "plugin.security.issuer.names": "choria",
    "plugin.security.issuer.choria.public": organization.issuer.publicKey,
    ...settings,
  };
  const configFile = folder.file("server.conf");
  const kept = Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  writeFileSync(configFile, formatConf(kept));
  return { folder, configFile, tokenFile, seedFile };
}

function provisioningToken(isDefault: boolean, claims: object = {}): Promise<string> {
  const all = {
    cht: "s3cret",
    chs: false,
    chu: "nats://b1:4222, nats://b2:4223",
    chpd: isDefault,
    extensions: null,
    ou: "choria",
    v2: true,
    purpose: "choria_provisioning",
    ...claims,
  };
  return signToken(all, keySigner(organization.issuer));
}

function decide(configFile: string, env: Record<string, string> = {}): Promise<ServerMode> {
  return decideMode({ configFile, env: { ...noEnvironment, ...env }, clock, logger: silentLogger });
}

function examine(configFile: string, now = clock.now()) {
  return examineNode({ configFile, env: noEnvironment, now });
}

describe("a node with good configuration and credentials", () => {
  test("serves", async () => {
    const node = await provisionedNode();
    using _folder = node.folder;
    const mode = await decide(node.configFile);
    expect(mode.kind).toBe("provisioned");
    expect(mode.config.get("identity")).toBe(identity);
    expect(mode.settings?.secret).toBe("s3cret");
    expect(existsSync(node.tokenFile)).toBe(true);
  });

  test("serves although nothing says that it shall not be provisioned, unless the token asks for it", async () => {
    const quiet = await provisionedNode({ "plugin.choria.server.provision": undefined }, false);
    using _quiet = quiet.folder;
    expect(examine(quiet.configFile).provision).toBe(false);
    const eager = await provisionedNode({ "plugin.choria.server.provision": undefined }, true);
    using _eager = eager.folder;
    expect(examine(eager.configFile).provision).toBe(true);
  });

  test("is provisioned when its configuration asks for it, whatever the token says", async () => {
    const node = await provisionedNode({ "plugin.choria.server.provision": "1" }, false);
    using _folder = node.folder;
    const verdict = examine(node.configFile);
    expect(verdict).toMatchObject({ reason: "plugin.choria.server.provision is true, reprovisioning" });
  });

  test("says that its token is of another identity", async () => {
    const node = await provisionedNode({ identity: "other.example.net", "plugin.choria.server.provision": undefined });
    using _folder = node.folder;
    expect(examine(node.configFile)).toMatchObject({
      reason: `Caller "${identity}" from server token does not match identity "other.example.net", enabling provisioning`,
    });
  });
});

describe("bad credentials get a node provisioned even where its configuration says no", () => {
  const cases: [string, (node: Awaited<ReturnType<typeof provisionedNode>>) => void | Promise<void>, string][] = [
    ["no seed", ({ seedFile }) => void Bun.spawnSync(["rm", seedFile]), "Server seed file SEED does not exist"],
    ["no token", ({ tokenFile }) => void Bun.spawnSync(["rm", tokenFile]), "Server token file TOKEN does not exist"],
    ["half a token", ({ tokenFile }) => truncateSync(tokenFile, 100), "Could not parse server JWT token TOKEN"],
    ["an empty token", ({ tokenFile }) => truncateSync(tokenFile, 0), "Could not parse server JWT token TOKEN"],
    ["half a seed", ({ seedFile }) => truncateSync(seedFile, 30), "Could not compare the token TOKEN to the seed"],
    ["a foreign seed", ({ seedFile }) => writeFileSync(seedFile, "ab".repeat(32)), "Public key in the JWT file TOKEN"],
    [
      "a client's token",
      async ({ tokenFile }) => {
        const client = await organization.client({ callerid: "up=bob" });
        writeFileSync(tokenFile, client.token);
      },
      "Could not parse server JWT token TOKEN, reprovisioning: not a server token",
    ],
  ];

  test.each(cases)("%s", async (_name, damage, reason) => {
    const node = await provisionedNode({}, false);
    using _folder = node.folder;
    await damage(node);
    const verdict = examine(node.configFile);
    const expected = reason.replace("TOKEN", node.tokenFile).replace("SEED", node.seedFile);
    expect(verdict.provision && verdict.reason).toStartWith(expected);
    const mode = await decide(node.configFile);
    expect(mode.kind).toBe("provisioning");
    expect([node.tokenFile, node.seedFile].some(existsSync)).toBe(false);
    expect(existsSync(node.folder.file("provisioning.jwt"))).toBe(true);
  });

  test("a token whose time is over, from that moment on", async () => {
    const node = await provisionedNode();
    using _folder = node.folder;
    expect(examine(node.configFile, clock.now() + 3_599_000).provision).toBe(false);
    expect(examine(node.configFile, clock.now() + 3_600_000)).toMatchObject({
      provision: true,
      reason: `The existing server token ${node.tokenFile} is expired, reprovisioning`,
    });
  });

  test("a token whose issuer's time is over", async () => {
    const node = await provisionedNode();
    using _folder = node.folder;
    const chain = await organization.chainIssuer("signer");
    const member = await organization.server({ identity, collectives: ["choria"] }, { by: chain, validity: 10 ** 10 });
    member.save(node.folder.file("server"));
    expect(examine(node.configFile, clock.now() + 86_400_000)).toMatchObject({ provision: true });
  });

  test("without a provisioning token the node has to live with them", async () => {
    const node = await provisionedNode();
    using _folder = node.folder;
    Bun.spawnSync(["rm", node.seedFile, node.folder.file("provisioning.jwt")]);
    expect(examine(node.configFile).provision).toBe(false);
  });
});

describe("a damaged or missing configuration", () => {
  test("that is missing gets the node provisioned", async () => {
    const node = await provisionedNode({}, false);
    using _folder = node.folder;
    Bun.spawnSync(["rm", node.configFile]);
    const mode = await decide(node.configFile, { CHORIA_IDENTITY: "n7.example.net" });
    expect(mode.kind).toBe("provisioning");
    expect(mode.config.get("identity")).toBe("n7.example.net");
    expect(mode.config.file).toBe(node.configFile);
  });

  test("that is missing, and so is the provisioning token, is an error that says so", async () => {
    using folder = temporaryFolder();
    const file = folder.file("server.conf");
    expect(() => examine(file)).toThrow(`configuration file ${file} was not found and provisioning is disabled`);
    writeFileSync(folder.file("provisioning.jwt"), "rubbish");
    expect(() => examine(file)).toThrow(`based on JWT file ${folder.file("provisioning.jwt")} failed`);
  });

  const damages: [string, string][] = [
    ["is empty", ""],
    ["is not text", "\u0000\u0001\u0002\u0000"],
    ["is half a file", "identity=srv1.example.net\nplugin.security.provider=choria\nplugin.security.cho"],
  ];
  test.each(damages)("that %s gets the node provisioned", async (_name, content) => {
    const node = await provisionedNode();
    using _folder = node.folder;
    writeFileSync(node.configFile, content);
    expect(examine(node.configFile).provision).toBe(true);
  });

  test("with a value that cannot be read gets the node provisioned", async () => {
    const node = await provisionedNode(
      { registerinterval: "often", "plugin.choria.server.provision": undefined },
      false,
    );
    using _folder = node.folder;
    const verdict = examine(node.configFile);
    expect(verdict.provision && verdict.reason).toContain("registerinterval");
  });

  test("without issuers gets the node provisioned", async () => {
    const node = await provisionedNode(
      { "plugin.security.issuer.names": undefined, "plugin.choria.server.provision": undefined },
      false,
    );
    using _folder = node.folder;
    const verdict = examine(node.configFile);
    expect(verdict.provision && verdict.reason).toContain("plugin.security.issuer.names is not set");
  });

  test("is left to the operator where provisioning is ruled out and the credentials are good", async () => {
    const node = await provisionedNode({ registerinterval: "often" });
    using _folder = node.folder;
    expect(() => examine(node.configFile)).toThrow("registerinterval");
    expect(existsSync(node.tokenFile)).toBe(true);
  });

  test("cut off at any byte either serves or is provisioned, and never loses the way back", async () => {
    const node = await provisionedNode();
    using _folder = node.folder;
    const whole = await Bun.file(node.configFile).text();
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(node.configFile, whole.slice(0, length));
      const outcome = tryExamine(node.configFile);
      const text = whole.slice(0, length);
      const rulesOut = /provision=false\n/.test(text) && /seed_file=.*seed\n/.test(text);
      expect(outcome === "provision" || rulesOut).toBe(true);
    }
  });
});

function tryExamine(configFile: string): string {
  try {
    return examine(configFile).provision ? "provision" : "serve";
  } catch {
    return "error";
  }
}

describe("the provisioning token", () => {
  test("beside the configuration file comes before all others", async () => {
    const node = await provisionedNode();
    using _folder = node.folder;
    const elsewhere = join(node.folder.path, "other.jwt");
    writeFileSync(elsewhere, await provisioningToken(true, { cht: "other" }));
    const env = { HOME: "/nonexistent", CHORIA_PROVISIONING_JWT: elsewhere };
    const look = () => examineNode({ configFile: node.configFile, env, now: clock.now() });
    expect(look()).toMatchObject({ settings: { secret: "s3cret" } });
    Bun.spawnSync(["rm", node.folder.file("provisioning.jwt")]);
    expect(look()).toMatchObject({ settings: { secret: "other" } });
    const named = join(node.folder.path, "named.jwt");
    writeFileSync(named, await provisioningToken(true, { cht: "named" }));
    const conf = await Bun.file(node.configFile).text();
    writeFileSync(node.configFile, `${conf}plugin.choria.server.provisioning_jwt = ${named}\n`);
    expect(look()).toMatchObject({ settings: { secret: "named" } });
  });

  test("says everything about the node's provisioning", async () => {
    const more = { chf: "/f.json", chrd: "/r.json", chusr: "u", chpwd: "p", update: true };
    const settings = decodeProvisioningToken(await provisioningToken(true, more), "/p.jwt");
    expect(settings).toMatchObject({
      tokenFile: "/p.jwt",
      secret: "s3cret",
      brokers: ["b1:4222", "b2:4223"],
      isDefault: true,
      allowUpdate: true,
      facts: "/f.json",
      registration: "/r.json",
      user: "u",
      password: "p",
    });
  });

  test("may name the brokers in DNS", async () => {
    const token = await provisioningToken(true, { chu: undefined, chsrv: "example.net" });
    const settings = decodeProvisioningToken(token, "/p.jwt");
    const asked: string[] = [];
    const lookup = async (name: string) => {
      asked.push(name);
      return [{ name: "p1.example.net.", port: 4222 }];
    };
    expect(await provisioningBrokers(settings, lookup)).toEqual(["p1.example.net:4222"]);
    expect(asked).toEqual(["_choria-provisioner._tcp.example.net"]);
  });

  test.each([
    [{ purpose: "choria_server", identity: "x", collectives: [] }, "not a provisioning token"],
    [{ cht: "" }, "no auth token"],
    [{ chu: undefined }, "no srv domain or urls"],
    [{ chsrv: "example.net" }, "both srv domain and URLs supplied"],
  ])("that says %p is refused", async (claims, reason) => {
    const token = await provisioningToken(true, claims);
    expect(() => decodeProvisioningToken(token, "/p.jwt")).toThrow(reason);
  });
});

describe("the configuration of a node that is being provisioned", () => {
  let mode: ServerMode;
  beforeEach(async () => {
    const node = await provisionedNode({ "plugin.choria.server.provision": "1", logfile: "/tmp/choria-x.log" });
    using _folder = node.folder;
    mode = await decide(node.configFile, { CHORIA_IDENTITY: identity });
  });

  test("is for the provisioning collective, without authorization, unsigned, with the provisioning token", () => {
    const { config } = mode;
    expect(config.collectives).toEqual(["provisioning"]);
    expect(config.mainCollective).toBe("provisioning");
    expect(config.get("rpcauthorization")).toBe(false);
    expect(config.get("plugin.security.choria.sign_replies")).toBe(false);
    expect(config.get("plugin.choria.middleware_hosts")).toEqual(["b1:4222", "b2:4223"]);
    expect(config.get("registration")).toEqual([]);
    expect(config.problems()).toEqual([]);
  });

  test("keeps where and how much the node logs, and nothing else of its own", () => {
    expect(mode.config.get("logfile")).toBe("/tmp/choria-x.log");
    expect(mode.config.get("loglevel")).toBe("warn");
    expect(mode.config.issuers().size).toBe(0);
  });
});

test("a server that serves is told why it has to be provisioned again", async () => {
  const node = await provisionedNode();
  using _folder = node.folder;
  const options = { configFile: node.configFile, env: noEnvironment, now: clock.now() };
  expect(reasonToReprovision(options)).toBeUndefined();
  expect(reasonToReprovision({ ...options, now: clock.now() + 10 ** 9 })).toContain("is expired");
  Bun.spawnSync(["rm", node.configFile, node.folder.file("provisioning.jwt")]);
  mkdirSync(node.configFile);
  expect(reasonToReprovision(options)).toBeUndefined();
});
