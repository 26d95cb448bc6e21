import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { keyFromSeed } from "../../lib/crypto/mod.ts";
import { verifyToken } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { TestOrganization } from "../support/organization.ts";
import { FakeVault } from "../support/vault.ts";
import { keyNamed, thrownBy } from "../tokens/_vectors.ts";
import { type Workshop, workshop } from "./jwt_support.ts";

const hour = 3_600_000;

/** Answers questions as told, and remembers them. */
function answering(answer: string | boolean) {
  const asked: string[] = [];
  const reply = async (message: string) => {
    asked.push(message);
    return answer;
  };
  return {
    asked,
    prompter: {
      text: async (message: string) => String(await reply(message)),
      secret: async (message: string) => String(await reply(message)),
      confirm: async (message: string) => (await reply(message)) === true,
    },
  };
}

function withIssuer(): Workshop {
  const shop = workshop();
  shop.write("issuer.seed", keyNamed("issuer").seed);
  shop.write("issuer.public", keyNamed("issuer").publicKey);
  shop.write("alice.public", `${keyNamed("alice").publicKey}\n`);
  return shop;
}

describe("the commands of the server set-up guide", () => {
  test("work as they are printed", async () => {
    using shop = workshop();
    const key = await shop.shell("openssl genrsa -out provisioning-jwt-signer-key.pem 2048");
    expect(key.code).toBe(0);
    const publicKey = await shop.shell(
      "openssl rsa -in provisioning-jwt-signer-key.pem -outform PEM -pubout -out provisioning-jwt-signer.pem",
    );
    expect(publicKey.code).toBe(0);

    const made = await shop.shell(
      "choria jwt provisioning.jwt provisioning-jwt-signer-key.pem --srv choria.example.net --token toomanysecrets",
    );
    expect(made).toEqual({
      code: 0,
      out: "Saved token to provisioning.jwt, use 'choria jwt view provisioning.jwt' to view it\n",
      err: "",
    });

    const shown = await shop.shell("choria jwt provisioning.jwt");
    expect(shown.code).toBe(0);
    expect(shown.out).toStartWith("Unvalidated Provisioning Token provisioning.jwt\n\n");
    for (const line of [
      "                         Token: *****",
      "                        Secure: true",
      "                    SRV Domain: choria.example.net",
      "       Provisioning by default: false",
      "               Standard Claims: {",
      '                                  "purpose": "choria_provisioning",',
      '                                  "sub": "choria_provisioning",',
      "                                }",
    ]) {
      expect(shown.out.split("\n")).toContain(line);
    }
    expect(shown.out).toMatch(/^ {34}"iss": "Choria Tokens Package",$/m);
    expect(shown.out).toMatch(/^ {34}"nbf": \d+,\n {34}"iat": \d+,\n {34}"jti": "\w+"$/m);
    expect(shown.out).not.toContain("toomanysecrets");

    const validated = await shop.shell("choria jwt provisioning.jwt provisioning-jwt-signer.pem");
    expect(validated.out).toStartWith("Validated Provisioning Token provisioning.jwt\n");
  });

  /** The guide's table of options, row by row, in both forms of the command. */
  const rows: [option: string, flags: string, claims: object][] = [
    ["signing-key", "", { purpose: "choria_provisioning" }],
    ["--insecure", "--insecure", { chs: false }],
    ["--no-insecure", "--no-insecure", { chs: true }],
    ["--token", "--token other", { cht: "other" }],
    ["--urls", "--urls nats://a:4222,nats://b:4222", { chu: "nats://a:4222,nats://b:4222" }],
    ["--urls, repeated", "--urls nats://a:4222 --urls nats://b:4222", { chu: "nats://a:4222,nats://b:4222" }],
    ["--srv", "--srv example.org", { chsrv: "example.org" }],
    ["--default", "--default", { chpd: true }],
    ["--registration", "--registration /r.json", { chrd: "/r.json" }],
    ["--facts", "--facts /f.json", { chf: "/f.json" }],
    ["--username", "--username user", { chusr: "user" }],
    ["--password", "--password pass", { chpwd: "pass" }],
    ["--extensions", `--extensions '{"site":{"a":[1]}}'`, { extensions: { site: { a: [1] } } }],
    ["--org", "--org acme", { ou: "acme" }],
    ["--protocol-v2", "--protocol-v2", { v2: true }],
    ["--upgrade", "--upgrade", { update: true }],
    ["--update", "--update", { update: true }],
  ];

  test.each(rows)("have the option %s", async (_option, flags, claims) => {
    using shop = withIssuer();
    const target = /--(urls|srv)/.test(flags) ? "" : "--srv example.net";
    const token = flags.includes("--token") ? "" : "--token s3cret";
    const older = await shop.shell(`choria jwt older.jwt issuer.seed ${target} ${token} ${flags}`);
    const newer = await shop.shell(`choria jwt prov newer.jwt issuer.seed ${target} ${token} ${flags}`);
    expect([older.code, older.err, newer.code, newer.err]).toEqual([0, "", 0, ""]);
    for (const file of ["older.jwt", "newer.jwt"]) expect(shop.claims(file)).toMatchObject(claims);
  });

  test("have the option --vault", async () => {
    using vault = new FakeVault();
    using shop = workshop();
    const line = "choria jwt provisioning.jwt issuer --vault --srv example.net --token s3cret";
    expect(await shop.shell(line, vault.env)).toMatchObject({ code: 0, err: "" });
    const key = { ed25519: vault.issuer.publicKey };
    const verified = await verifyToken(shop.read("provisioning.jwt"), "choria_provisioning", { key, now: Date.now() });
    expect(verified.chsrv).toBe("example.net");
    expect((await shop.shell(line)).err).toContain(
      "could not create token: requires VAULT_TOKEN and VAULT_ADDR environment variables",
    );
  });
});

describe("choria jwt keys", () => {
  test("writes seed and public key for their owner alone, and nothing else into them", async () => {
    using shop = workshop();
    const { code, out } = await shop.shell("choria jwt keys my.seed my.public");
    const seed = shop.read("my.seed");
    const { publicKey } = keyFromSeed(seed);
    expect(seed).toMatch(/^[0-9a-f]{64}$/);
    expect(shop.read("my.public")).toBe(publicKey);
    expect({ code, out }).toEqual({ code: 0, out: `Public Key: ${publicKey}\n\nEd25519 seed saved in my.seed\n` });
    for (const name of ["my.seed", "my.public"]) expect(statSync(shop.file(name)).mode & 0o777).toBe(0o600);
    const shown = await shop.shell("choria jwt k --show-public my.seed");
    expect(shown.out).toBe(`Public Key: ${publicKey}\n`);
    expect(shop.read("my.seed")).toBe(seed);
  });

  test("asks before it replaces a seed", async () => {
    using shop = withIssuer();
    const seed = shop.file("issuer.seed");
    const no = answering(false);
    expect((await shop.jwt(["keys", seed], { prompter: no.prompter })).out).toBe("Skipping\n");
    expect(no.asked).toEqual([`Really overwrite ${seed}`]);
    expect(shop.read("issuer.seed")).toBe(keyNamed("issuer").seed);
    await shop.jwt(["keys", seed], { prompter: answering(true).prompter });
    expect(shop.read("issuer.seed")).not.toBe(keyNamed("issuer").seed);
  });

  test("replaces a seed only by force where nobody can be asked", async () => {
    using shop = withIssuer();
    const refused = await shop.shell("choria jwt keys issuer.seed");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('The seed file "issuer.seed" exists already: use --force to replace it');
    expect(shop.read("issuer.seed")).toBe(keyNamed("issuer").seed);
    expect((await shop.shell("choria jwt keys issuer.seed --force")).code).toBe(0);
    expect(shop.read("issuer.seed")).not.toBe(keyNamed("issuer").seed);
  });
});

describe("choria jwt client", () => {
  async function permissionsOf(...flags: string[]): Promise<object | undefined> {
    using shop = withIssuer();
    const signed = ["client", shop.file("c.jwt"), "up=bob", shop.file("issuer.seed")];
    await shop.jwt([...signed, "--public-key", shop.file("alice.public"), ...flags]);
    const claims = shop.claims("c.jwt");
    return claims.purpose === "choria_client_id" ? claims.permissions : undefined;
  }

  test.each([
    [[], { fleet_management: true }],
    [["--no-fleet-management"], {}],
    [["--no-fleet-management", "--fleet-management"], { fleet_management: true }],
    [["--signed-fleet-management", "--no-fleet-management"], { fleet_management: true, signed_fleet_management: true }],
    [["--issuer"], {}],
    [["--issuer", "--signed-fleet-management", "--auth-delegation"], {}],
    [["--server-provisioner", "--issuer"], { fleet_management: true, provisioner: true }],
    [["--auth-delegation", "--no-fleet-management"], { authentication_delegator: true }],
    [
      [
        ...["--stream-admin", "--stream-user", "--event-viewer", "--elections-user", "--service", "--system"],
        ...["--auth-delegation", "--org-admin", "--server-provisioner", "--governor", "--signed-fleet-management"],
      ],
      {
        streams_admin: true,
        streams_user: true,
        events_viewer: true,
        election_user: true,
        system_user: true,
        governor: true,
        org_admin: true,
        fleet_management: true,
        signed_fleet_management: true,
        service: true,
        authentication_delegator: true,
        provisioner: true,
      },
    ],
  ])("with the flags %j grants %j", async (flags, permissions) => {
    expect(await permissionsOf(...flags)).toEqual(permissions);
  });

  test("embeds everything that it is told, and lives as long as it is told", async () => {
    using shop = withIssuer();
    shop.write("policy.rego", "package io.choria.aaasvc\n");
    const clock = new FakeClock();
    await shop.jwt(
      [
        ...["c", shop.file("c.jwt"), "up=bob", shop.file("issuer.seed"), "--org", "acme", "--validity", "1y"],
        ...["--agents", "rpcutil.*", "--agents", "puppet.status,puppet.run", "--opa-file", shop.file("policy.rego")],
        ...["--publish", "a.b", "--subscribe", "c.>", "--public-key", keyNamed("alice").publicKey.toUpperCase()],
      ],
      { clock },
    );
    const iat = Math.floor(clock.now() / 1_000);
    expect(shop.claims("c.jwt")).toMatchObject({
      callerid: "up=bob",
      ou: "acme",
      agents: ["rpcutil.*", "puppet.status", "puppet.run"],
      opa_policy: "package io.choria.aaasvc\n",
      pub_subjects: ["a.b"],
      sub_subjects: ["c.>"],
      public_key: keyNamed("alice").publicKey,
      iat,
      exp: iat + 31_536_000,
    });
    expect(statSync(shop.file("c.jwt")).mode & 0o777).toBe(0o600);
  });

  test("lives an hour and needs no public key unless told otherwise", async () => {
    using shop = withIssuer();
    await shop.jwt(["client", shop.file("c.jwt"), "up=bob", shop.file("issuer.seed"), "--opa", "package x"]);
    const claims = shop.claims("c.jwt");
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3_600);
    expect(claims.public_key).toBeUndefined();
    expect(claims).toMatchObject({ opa_policy: "package x", ou: "choria" });
  });

  test("makes a chain issuer that the organization vouches for", async () => {
    using shop = withIssuer();
    const line = "choria jwt client chain.jwt aaa issuer.seed --public-key alice.public --issuer --validity 365d";
    expect((await shop.shell(line)).code).toBe(0);
    expect(shop.claims("chain.jwt").iss).toBe(`I-${keyNamed("issuer").publicKey}`);
    const shown = await shop.shell("choria jwt view chain.jwt issuer.public");
    expect(shown.out).toContain(
      `        Trust Chain: Can Issue Clients as part of a trust chain with Issuer ${keyNamed("issuer").publicKey}\n`,
    );
    expect(shown.out).toContain("(364d23h59m");
  });

  test.each([
    ["a missing key", ["x", "up=bob", "none.seed"], 'Cannot read the signing key "none.seed"'],
    ["no key at all", ["x", "up=bob", "alice.public.not"], "Cannot read the signing key"],
    ["a key of another kind", ["x", "up=bob", "policy"], "unsupported key in policy"],
    ["an issuer without a key", ["x", "up=bob", "issuer.seed", "--issuer"], "no public key set"],
    ["a bad public key", ["x", "up=bob", "issuer.seed", "--public-key", "zz"], 'Cannot use the public key "zz"'],
    [
      "two policies",
      ["x", "up=bob", "issuer.seed", "--opa", "a", "--opa-file", "policy"],
      "one of --opa and --opa-file",
    ],
    ["a missing policy", ["x", "up=bob", "issuer.seed", "--opa-file", "none"], 'Cannot read the policy "none"'],
    ["a folder that is not there", ["no/x", "up=bob", "issuer.seed"], 'Cannot write the file "no/x": ENOENT'],
  ])("refuses %s and leaves no file", async (_what, args, reason) => {
    using shop = withIssuer();
    shop.write("policy", "package x");
    const { code, err, out } = await shop.shell(`choria jwt client ${args.join(" ")}`);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("could not create token: ");
    expect(err).toContain(reason);
    expect(await thrownBy(() => shop.read("x"))).toBeDefined();
  });

  test.each(["5x", "-1h", "0", "10ms", ""])("refuses the lifetime %p", async (validity) => {
    using shop = withIssuer();
    const { code, err } = await shop.shell(`choria jwt client x up=bob issuer.seed --validity '${validity}'`);
    expect(code).toBe(1);
    expect(err).toContain("--validity");
  });
});

describe("choria jwt server", () => {
  test("writes the claims that it is told", async () => {
    using shop = withIssuer();
    const line = `choria jwt server s.jwt n1 alice.public issuer.seed --org acme --collectives a --collectives b
      --subjects 'x.>' --submission --stream-user --service --governor --validity 2d`;
    const { code, out } = await shop.shell(line.replaceAll("\n", " "));
    expect({ code, out }).toEqual({ code: 0, out: "Saved token to s.jwt, use 'choria jwt view s.jwt' to view it\n" });
    const claims = shop.claims("s.jwt");
    expect(claims).toMatchObject({
      identity: "n1",
      ou: "acme",
      collectives: ["a", "b"],
      pub_subjects: ["x.>"],
      permissions: { submission: true, streams: true, governor: true, service_host: true },
      public_key: keyNamed("alice").publicKey,
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(172_800);
  });

  test("lives 8760 hours in the collective choria unless told otherwise", async () => {
    using shop = withIssuer();
    await shop.jwt(["s", shop.file("s.jwt"), "n1", keyNamed("alice").publicKey, shop.file("issuer.seed")]);
    const claims = shop.claims("s.jwt");
    expect(claims).toMatchObject({ collectives: ["choria"], permissions: {} });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(8_760 * 3_600);
  });

  test("lets nobody use governors who may not use streams", async () => {
    using shop = withIssuer();
    const { code, err } = await shop.shell("choria jwt server s.jwt n1 alice.public issuer.seed --governor");
    expect(code).toBe(1);
    expect(err).toContain("could not create token: cannot set --governor unless --stream-user is also set");
  });
});

describe("choria jwt provisioning", () => {
  test("asks for the token where none is given", async () => {
    using shop = withIssuer();
    const { prompter, asked } = answering("prompted");
    await shop.jwt(["provision", shop.file("p.jwt"), shop.file("issuer.seed"), "--srv", "x"], { prompter });
    expect(asked).toEqual(["Provisioning Access Token"]);
    expect(shop.claims("p.jwt")).toMatchObject({ cht: "prompted", chs: false, extensions: null });
  });

  test.each([
    ["--token t", "URLs or a SRV Domain is required"],
    ["--token t --srv x --urls y", "can only use one of --urls and --srv"],
    ["--srv x", "no provisioning access token was given: use --token"],
    ["--token t --srv x --extensions '[1]'", "invalid extensions: "],
    ["--token t --srv x --extensions nonsense", "invalid extensions: "],
  ])("refuses the flags %s", async (flags, reason) => {
    using shop = withIssuer();
    for (const name of ["p p.jwt", "p.jwt"]) {
      const { code, err } = await shop.shell(`choria jwt ${name} issuer.seed ${flags}`);
      expect(code).toBe(1);
      expect(err).toContain(`could not create token: ${reason}`);
    }
  });

  test("in its older form needs a key", async () => {
    using shop = withIssuer();
    const { code, err } = await shop.shell("choria jwt p.jwt --srv x --token t");
    expect(code).toBe(1);
    expect(err).toContain("missing required argument 'signing-key'");
  });
});

describe("choria jwt", () => {
  test("shows a token of every kind by its file alone", async () => {
    using shop = workshop();
    const organization = new TestOrganization();
    shop.write("c.jwt", (await organization.client({ callerid: "up=bob" })).token);
    shop.write("s.jwt", (await organization.server({ identity: "n", collectives: ["a"] })).token);
    shop.write("p.jwt", await organization.provisioning(["nats://b:4222"]));
    const titles = await Promise.all(
      ["c.jwt", "s.jwt", "p.jwt"].map(async (file) => (await shop.shell(`choria jwt ${file}`)).out.split("\n")[0]),
    );
    expect(titles).toEqual([
      "Unvalidated Client Identification Token c.jwt",
      "Unvalidated Server Token s.jwt",
      "Unvalidated Provisioning Token p.jwt",
    ]);
  });

  test("exits with 1 for an expired token, after it has shown it", async () => {
    using shop = workshop();
    const organization = new TestOrganization(Date.now() - 2 * hour);
    shop.write("old.jwt", (await organization.client({ callerid: "up=bob" })).token);
    const { code, out, err } = await shop.shell("choria jwt old.jwt");
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out).toMatch(/^ {9}Expires At: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC \(expired 1h0m\d+s ago\)$/m);
    expect((await shop.shell("choria jwt old.jwt --json")).code).toBe(0);
  });

  test.each([
    ["nothing", "", 'could not read token file: "bad.jwt" is empty'],
    ["no token", "hello", "could not parse token: token contains an invalid number of segments"],
    ["a damaged token", "a.b.c", "could not parse token: token is malformed"],
  ])("refuses a file with %s in one clear line", async (_what, content, reason) => {
    using shop = workshop();
    shop.write("bad.jwt", content);
    for (const form of ["jwt", "jwt view"]) {
      const { code, out, err } = await shop.shell(`choria ${form} bad.jwt`);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain(reason);
      expect(err.trim().split("\n")).toHaveLength(1);
    }
  });

  test("refuses a token that the given key does not stand behind", async () => {
    using shop = withIssuer();
    shop.write("c.jwt", (await new TestOrganization().client({ callerid: "up=bob" })).token);
    const { code, out, err } = await shop.shell("choria jwt view c.jwt issuer.public");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("could not parse token: could not parse client id token: token signature is invalid");
    expect((await shop.shell("choria jwt c.jwt nokey")).err).toContain('Cannot use the verification key "nokey"');
  });

  test("shows what it can do, with an example for each command", async () => {
    using shop = workshop();
    const help = await shop.shell("choria jwt --help");
    expect(help.code).toBe(0);
    for (const name of ["keys", "client", "server", "provisioning", "view", "check"]) {
      expect(help.out).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
      const { code, out } = await shop.shell(`choria jwt ${name} --help`);
      expect(code).toBe(0);
      expect(out).toContain("Example:\n  $ choria jwt ");
    }
    const bare = await shop.shell("choria jwt");
    expect(bare.code).toBe(1);
    expect(bare.err).toContain("Usage: choria jwt");
  });
});
