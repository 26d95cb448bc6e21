import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { configFrom } from "../../lib/config/mod.ts";
import { emptyFilter } from "../../lib/protocol/mod.ts";
import type { ActionCall, Authorizer, Decision } from "../../lib/rpc/mod.ts";
import { configuredAuthorizer } from "../../lib/server/authorizers.ts";
import type { PolicyNode } from "../../lib/server/policy_node.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import type { ClientClaims } from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const node: PolicyNode = {
  facts: async () => ({ country: "mt", memory: { size: 10 } }),
  classes: () => ["apache", "common"],
  agents: () => [],
  isProvisioning: false,
};

function callOf(action: string, options: { caller?: string; agent?: string; claims?: Partial<ClientClaims> } = {}) {
  const { caller = "up=bob", agent = "puppet", claims } = options;
  const request = {
    message: new Uint8Array(),
    id: "1",
    sender: "vm",
    caller,
    collective: "choria",
    agent,
    ttl: 60,
    time: 1_795_321_658_000_000_000n,
    filter: emptyFilter(),
  };
  const token: ClientClaims | undefined = claims && { purpose: "choria_client_id", callerid: caller, ...claims };
  const message = { request, payload: new Uint8Array(), ...(token === undefined ? {} : { caller: token }) };
  return { agent, action, data: { x: 1 }, message } satisfies ActionCall;
}

function authorizer(settings: Record<string, string>, file = "/nowhere/server.conf"): Authorizer {
  return configuredAuthorizer(configFrom(settings, file), node, silentLogger);
}

/** What `authorize` decides; refused with its text where it throws, as agents take it. */
async function decide(policy: Authorizer, call: ActionCall): Promise<Decision> {
  try {
    return await policy.authorize(call);
  } catch (error) {
    return { allowed: false, reason: String(error) };
  }
}

describe("the configured authorizer", () => {
  test("is none with rpcauthorization = 0", async () => {
    expect(await decide(authorizer({ rpcauthorization: "0" }), callOf("runonce"))).toMatchObject({ allowed: true });
  });

  test("refuses everything when it is not known", async () => {
    expect(await decide(authorizer({ rpcauthprovider: "other" }), callOf("runonce"))).toEqual({
      allowed: false,
      reason: "the authorization provider other is not known",
    });
  });
});

describe("aaasvc", () => {
  for (const name of ["aaasvc", "Aaasvc", "aaasvc_policy"]) {
    test(`${name} goes by the caller's list of actions`, async () => {
      const policy = authorizer({ rpcauthprovider: name });
      const claims = { agents: ["puppet.runonce"] };
      expect(await decide(policy, callOf("runonce", { claims }))).toMatchObject({ allowed: true });
      expect(await decide(policy, callOf("enable", { claims }))).toMatchObject({ allowed: false });
    });
  }

  test("goes by the caller's policy", async () => {
    const opa_policy =
      'package io.choria.aaasvc\ndefault allow = false\nallow { input.action == "runonce"; input.site == "server" }';
    const policy = authorizer({ rpcauthprovider: "aaasvc" });
    expect(await decide(policy, callOf("runonce", { claims: { opa_policy } }))).toMatchObject({ allowed: true });
    expect(await decide(policy, callOf("enable", { claims: { opa_policy } }))).toMatchObject({ allowed: false });
  });

  test("refuses callers without claims, and claims without a policy", async () => {
    const policy = authorizer({ rpcauthprovider: "aaasvc" });
    expect(await decide(policy, callOf("x"))).toEqual({ allowed: false, reason: "no policy received in request" });
    expect(await decide(policy, callOf("x", { claims: {} }))).toMatchObject({ reason: "no policy received in token" });
  });
});

describe("action_policy", () => {
  interface PolicyCase {
    name: string;
    policy: string;
    allowed: boolean;
    action?: string;
    caller?: string;
  }
  const any = "*\t*\t*";
  const cases: PolicyCase[] = [
    { name: "allows by its default", policy: "policy default allow", allowed: true },
    { name: "denies by its default", policy: "policy default deny", allowed: false },
    { name: "denies where it sets no default", policy: "# nothing", allowed: false },
    { name: "goes by the first line that fits", policy: `deny\tup=bob\t${any}\nallow\t*\t${any}`, allowed: false },
    { name: "takes several tabs for one", policy: "allow\t\t*\t*\t\t*\t*", allowed: true },
    { name: "fits one of several callers", policy: `allow\tup=x up=bob\t${any}`, allowed: true },
    { name: "fits callers by expression", policy: `allow\t/^up=b/\t${any}`, allowed: true },
    { name: "does not fit other callers", policy: `allow\t/^up=b$/\t${any}`, allowed: false },
    { name: "fits members of a group", policy: `allow\tadmins\t${any}`, allowed: true },
    { name: "does not fit others than its members", policy: `allow\tadmins\t${any}`, allowed: false, caller: "up=eve" },
    { name: "fits one of several actions", policy: "allow\t*\tenable runonce\t*\t*", allowed: true },
    { name: "does not fit other actions", policy: "allow\t*\tenable\t*\t*", allowed: false },
    { name: "fits facts", policy: "allow\t*\t*\tcountry=mt memory.size>5\t*", allowed: true },
    { name: "wants all facts to fit", policy: "allow\t*\t*\tcountry=mt memory.size>50\t*", allowed: false },
    { name: "fits classes", policy: "allow\t*\t*\t*\tapache common", allowed: true },
    { name: "wants all classes to fit", policy: "allow\t*\t*\t*\tapache web", allowed: false },
    { name: "skips compound facts", policy: "allow\t*\t*\t(a=b or c=d)\t*\npolicy default deny", allowed: false },
    { name: "skips lines of another form", policy: `allow * * * *\nallow\t*\t${any}`, allowed: true },
    {
      name: "refuses where a line that fits has no classes",
      policy: "allow\t*\t*\t*\npolicy default allow",
      allowed: false,
    },
    {
      name: "refuses where a fact has no answer",
      policy: "allow\t*\t*\tcountry>\t*\npolicy default allow",
      allowed: false,
    },
  ];
  for (const { name, policy, allowed, action = "runonce", caller = "up=bob" } of cases) {
    test(name, async () => {
      using folder = temporaryFolder();
      mkdirSync(folder.file("policies"));
      writeFileSync(folder.file("policies/puppet.policy"), policy);
      writeFileSync(folder.file("policies/groups"), "# groups\nadmins up=alice /^up=bo/\n");
      const decider = authorizer({ rpcauthprovider: "action_policy" }, folder.file("server.conf"));
      expect((await decide(decider, callOf(action, { caller }))).allowed).toBe(allowed);
    });
  }

  test("refuses without a file, and takes the default file only where that is enabled", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("policies"));
    writeFileSync(folder.file("policies/default.policy"), "policy default allow");
    writeFileSync(folder.file("policies/spare.policy"), "# nothing");
    const file = folder.file("server.conf");
    const enabled = { rpcauthprovider: "action_policy", "plugin.actionpolicy.enable_default": "y" };
    const decision = async (settings: Record<string, string>) => decide(authorizer(settings, file), callOf("x"));
    expect(await decision({})).toEqual({ allowed: false, reason: "no policy found for puppet" });
    expect(await decision({ "plugin.actionpolicy.allow_unconfigured": "1" })).toMatchObject({ allowed: false });
    expect(await decision(enabled)).toMatchObject({ allowed: true });
    const spare = { ...enabled, "plugin.actionpolicy.default_name": "spare" };
    expect(await decision(spare)).toMatchObject({ allowed: false });
    expect(await decision({ ...spare, "plugin.actionpolicy.allow_unconfigured": "1" })).toMatchObject({
      allowed: true,
    });
  });

  test("says which line decided", async () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("policies"));
    writeFileSync(folder.file("policies/puppet.policy"), `# head\nallow\tup=bob\t${any}`);
    const decider = authorizer({}, folder.file("server.conf"));
    const place = `line 2 of ${folder.file("policies/puppet.policy")}`;
    expect(await decide(decider, callOf("x"))).toEqual({ allowed: true, reason: place });
  });
});

describe("rego_policy", () => {
  const policy = `package io.choria.mcorpc.authpolicy
import rego.v1
default allow := false
allow if {
  input.agent == "puppet"
  input.action == "runonce"
  input.callerid == "up=bob"
  input.collective == "choria"
  input.data.x == 1
  input.ttl == 60
  input.facts.country == "mt"
  "apache" in input.classes
  not input.provision_mode
}`;

  async function decision(file: string, text: string, action = "runonce"): Promise<Decision> {
    using folder = temporaryFolder();
    mkdirSync(folder.file("policies/rego"), { recursive: true });
    writeFileSync(folder.file(`policies/rego/${file}`), text);
    return await decide(authorizer({ rpcauthprovider: "rego_policy" }, folder.file("server.conf")), callOf(action));
  }

  test("goes by the agent's policy", async () => {
    expect(await decision("puppet.rego", policy)).toMatchObject({ allowed: true });
    expect(await decision("puppet.rego", policy, "enable")).toMatchObject({ allowed: false });
  });

  test("goes by the default policy where the agent has none", async () => {
    expect(await decision("default.rego", policy)).toMatchObject({ allowed: true });
  });

  test("refuses without a policy, and with one that cannot be read", async () => {
    expect(await decision("other.rego", policy)).toEqual({ allowed: false, reason: "no rego policy found for puppet" });
    expect((await decision("puppet.rego", "package x y")).reason).toContain("rego_parse_error");
    expect(await decision("puppet.rego", "package other")).toMatchObject({ allowed: false });
  });
});
