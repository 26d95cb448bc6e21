import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { LoginJudge } from "../../lib/broker/mod.ts";
import { type KeyPair, keyFromSeed } from "../../lib/crypto/mod.ts";
import { encodeUtf8, type JsonObject, systemClock } from "../../lib/std/mod.ts";
import keys from "../fixtures/tokens-and-protocol/keys.json" with { type: "json" };
import vectors from "../fixtures/tokens-and-protocol/nats-connect.json" with { type: "json" };
import tokens from "../fixtures/tokens-and-protocol/tokens.json" with { type: "json" };
import { startTestBroker, type TestBroker } from "../support/broker.ts";
import { TestOrganization } from "../support/organization.ts";
import { RawNats } from "../support/raw_nats.ts";

/** What one attempt shows. */
interface Attempt {
  token?: string;
  /** Signs the nonce, where `connect_keys` lists a signature. */
  key?: string;
  user?: string;
  pass?: string;
  base64?: "base64" | "base64url";
}

/** Attempts by their name in the capture; those named `client TOKEN` show the token of that name. */
const attempts: Readonly<Record<string, Attempt>> = {
  "client full go style (jwt+sig+auth_token)": { token: "client_direct" },
  "client auth_token+sig without jwt": { token: "client_direct" },
  "client jwt+sig without auth_token": { token: "client_direct" },
  "client token no sig": { token: "client_direct" },
  "client sig by other key": { token: "client_direct", key: "alice" },
  "client sig standard base64 with padding": { token: "client_direct", base64: "base64" },
  "client no tls": { token: "client_direct" },
  "no credentials": {},
  "client chained": { token: "client_chained" },
  "server direct": { token: "server_direct" },
  "server chained": { token: "server_chained" },
  "server with I- issuer and tcs": { token: "quirk_server_with_org_tcs" },
  "chain issuer token as client": { token: "chain_issuer_aaa" },
  "provisioning token only (unprovisioned server)": { token: "provisioning" },
  "provisioning token over plain tcp": { token: "provisioning" },
  "provisioner user+pass+token+sig": provisioner("chain_issuer_provisioner"),
  "provisioner user+pass+token, no sig": provisioner("chain_issuer_provisioner"),
  "provisioner wrong pass": { ...provisioner("chain_issuer_provisioner"), pass: "wrong" },
  "provisioner user+pass no token": provisioner("chain_issuer_provisioner"),
  "provisioner user+pass with ordinary client token": provisioner("client_direct"),
  "system user+pass no token": { user: "system", pass: "system" },
  "system user+pass with all-permission client token+sig": system("client_all_claims"),
  "system user+pass with client without system permission": system("client_direct"),
  "org_admin client": { token: "client_all_claims" },
};

function provisioner(token: string): Attempt {
  return { token, user: "provisioner", pass: "s3cret" };
}

function system(token: string): Attempt {
  return { token, user: "system", pass: "system" };
}

let broker: TestBroker;

beforeAll(async () => {
  broker = await startTestBroker({
    organization: new TestOrganization(),
    settings: { "plugin.security.issuer.choria.public": tokens.issuer_public_key },
  });
});

afterAll(() => broker?.stop());

function attemptOf(name: string): Attempt {
  const known = attempts[name] ?? { token: name.replace(/^client /, "") };
  return { key: "bob", ...holder(known.token), ...known };
}

/** The key that a token names, where it names one. */
function holder(token: string | undefined): { key?: string } {
  const claims = tokens.tokens.find(({ name }) => name === token)?.claims;
  const found = keys.keys.find((key) => key.public_hex === claims?.public_key);
  return found === undefined ? {} : { key: found.name };
}

function tokenText(name: string | undefined): string {
  const found = tokens.tokens.find((token) => token.name === name);
  if (found === undefined) throw new Error(`There is no token ${name} in the fixtures`);
  return found.token;
}

function keyNamed(name: string | undefined): KeyPair {
  const found = keys.keys.find((key) => key.name === name);
  if (found === undefined) throw new Error(`There is no key ${name} in the fixtures`);
  return keyFromSeed(found.seed_hex);
}

function connectFields(attempt: Attempt, wanted: readonly string[], nonce: string): JsonObject {
  const values: Record<string, () => string | undefined> = {
    jwt: () => tokenText(attempt.token),
    auth_token: () => tokenText(attempt.token),
    user: () => attempt.user,
    pass: () => attempt.pass,
    sig: () => {
      const signature = Buffer.from(keyNamed(attempt.key).sign(encodeUtf8(nonce)));
      return signature.toString(attempt.base64 ?? "base64url");
    },
  };
  return Object.fromEntries(wanted.map((key) => [key, values[key]?.()]));
}

const errors = (lines: readonly string[]) => lines.filter((line) => line.startsWith("-ERR"));

describe("the broker gives the verdicts of the original's", () => {
  test.each(vectors.broker_verdicts.map((verdict) => [verdict.name, verdict] as const))("%s", async (name, verdict) => {
    using peer = await RawNats.open(broker.port, { tls: verdict.tls });
    const said = await peer.connect(connectFields(attemptOf(name), verdict.connect_keys, peer.nonce));
    expect(said.at(-1)).toBe(verdict.accepted ? "PONG" : "(closed)");
    if (verdict.tls) expect(said.slice(0, 1)).toEqual(verdict.server_said.slice(0, 1));
    for (const [line, answer] of Object.entries(verdict.after)) {
      const lines = await peer.ask(line.replace("\\r\\n", "\r\n"));
      expect([line, ...errors(lines)]).toEqual([line, ...errors(answer)]);
    }
  });

  test("every captured attempt is tried", () => {
    expect(vectors.broker_verdicts).toHaveLength(36);
  });
});

test("an organization administrator hears what it publishes itself", async () => {
  using peer = await RawNats.open(broker.port);
  await peer.connect(connectFields(attemptOf("org_admin client"), ["auth_token", "sig"], peer.nonce));
  await peer.ask("SUB anything 1");
  expect(await peer.ask("PUB anything 1\r\nx")).toEqual(["MSG anything 1 1", "x", "PONG"]);
});

test("a provisioner that sends a signature has to send a right one, where the original does not look", async () => {
  using peer = await RawNats.open(broker.port);
  const attempt = { ...attemptOf("provisioner user+pass+token+sig"), key: "alice" };
  const said = await peer.connect(connectFields(attempt, ["user", "pass", "auth_token", "sig"], peer.nonce));
  expect(said).toEqual(["-ERR 'Authorization Violation'", "(closed)"]);
});

describe("a captured CONNECT line carries a signature over the nonce", () => {
  test.each(vectors.captures.map((capture) => [capture.note, capture] as const))("%s", async (_note, capture) => {
    const fields: JsonObject = JSON.parse(capture.connect_line.replace(/^CONNECT /, ""));
    const judge = new LoginJudge(
      {
        issuers: new Map([["choria", tokens.issuer_public_key]]),
        provisionerPassword: "s3cret",
        allowTokenlessProvisioner: false,
        systemUser: "",
        systemPassword: "",
        denyServers: false,
        keepExpired: false,
      },
      systemClock,
    );
    const login = {
      host: "127.0.0.1",
      kind: "Client",
      connection: String(fields.name),
      hasTls: true,
      nonce: capture.server_info_nonce,
      signature: String(fields.sig),
      token: String(fields.auth_token),
      user: String(fields.user ?? ""),
      password: String(fields.pass ?? ""),
    };
    expect(await judge.judge(login)).toMatchObject({ isAllowed: true });
    expect(await judge.judge({ ...login, nonce: `${login.nonce}x` })).toMatchObject({
      isAllowed: false,
      reason: "invalid nonce signature",
    });
  });
});
