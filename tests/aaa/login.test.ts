import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { type LoginRequest, noMetrics, PasswordChecker } from "../../lib/aaa/mod.ts";
import { keyFromSeed } from "../../lib/crypto/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { expiryOf, parseToken, verifyToken, writeTokenFile } from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { TestOrganization } from "../support/organization.ts";
import { type VectorServices, vectorConfig, vectorServices, vectorTime, writePolicies } from "./_vectors.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
writePolicies(folder.path);

const key = keyFromSeed("06".repeat(32));
const second = vectorTime / 1_000;

function request(changes: Partial<LoginRequest> = {}, signedBy = key): LoginRequest {
  const { username = "admin", password = "secret", timestamp = String(second) } = changes;
  const signature = signedBy.sign(encodeUtf8(`${timestamp}:${username}:${password}`)).toHex();
  return { username, password, timestamp, signature, public_key: key.publicKey, ...changes };
}

let logger: RecordingLogger;
let services: VectorServices;
const counts = { errors: 0, times: 0 };
const metrics = {
  ...noMetrics,
  authenticatorError: () => void counts.errors++,
  authenticatorTime: () => void counts.times++,
};
beforeEach(async () => {
  logger = new RecordingLogger();
  Object.assign(counts, { errors: 0, times: 0 });
  services = await vectorServices(vectorConfig(folder.path), { logger, metrics });
});

const failed = { error: "Login failed" } as const;

describe("a login", () => {
  test("gives a token for the key that asked, and says so in the log", async () => {
    const answer = await services.login.login(request());
    expect(parseToken("token" in answer ? answer.token : "").raw.public_key).toBe(key.publicKey);
    expect(logger.messages).toEqual(["Logged in user admin"]);
    expect(counts).toEqual({ errors: 0, times: 1 });
  });

  test.each<[string, Partial<LoginRequest>, string]>([
    ["without a key", { public_key: "", timestamp: "x" }, "due to no public key"],
    ["without a time", { timestamp: "" }, "due to an invalid timestamp"],
    ["with a time that is no number", { timestamp: "12:00" }, "due to an invalid timestamp"],
    ["with a time beyond all numbers", { timestamp: "9".repeat(30) }, "due to an invalid timestamp"],
    ["from the next second", { timestamp: String(second + 1), public_key: "zz" }, "due to a request from the future"],
    ["61 seconds old", { timestamp: String(second - 61), signature: "zz" }, "due to 1m1s old request"],
    ["with a key of another length", { public_key: "abcd", signature: "zz" }, "due to an invalid public key"],
    ["with a signature that is not hex", { signature: "zz" }, "due to an invalid signature encoding"],
    ["with a short signature", { signature: "abcd" }, "due to an invalid signature"],
    [
      "with a wrong signature, before the user is looked for",
      { username: "nobody", signature: "00".repeat(64) },
      "due to an invalid signature",
    ],
    ["with a wrong password", { password: "wrong" }, "due to incorrect password"],
    ["without a password", { password: "" }, "due to incorrect password"],
  ])("%s fails, and only the log knows why", async (_, changes, reason) => {
    expect(await services.login.login(request(changes))).toEqual(failed);
    const { username = "admin" } = changes;
    expect(logger.messages).toEqual([`Login failed for user ${username} ${reason}`]);
    expect(counts).toEqual({ errors: 1, times: 1 });
  });

  test("of an unknown user fails like one with a wrong password", async () => {
    expect(await services.login.login(request({ username: "nobody" }))).toEqual(failed);
    expect(logger.messages).toEqual(["Login failed for unknown user nobody"]);
  });

  test("may be just 60 seconds old", async () => {
    const answer = await services.login.login(request({ timestamp: String(second - 60) }));
    expect(answer).toHaveProperty("token");
  });

  test("fails where the policy of the user cannot be read", async () => {
    expect(await services.login.login(request({ username: "missingfile" }))).toEqual(failed);
    expect(logger.messages[0]).toStartWith("Login failed for user missingfile: ENOENT");
  });

  test("never has a password in the log", async () => {
    await services.login.login(request({ password: "hunter2" }));
    await services.login.login(request({ password: "hunter2", signature: "00" }));
    expect(JSON.stringify(logger.lines)).not.toContain("hunter2");
  });
});

describe("a token", () => {
  async function issue(changes: (settings: Record<string, unknown>) => void) {
    const config = vectorConfig(folder.path, (whole) => changes(whole.userlist_authenticator ?? {}));
    const made = await vectorServices(config, { logger });
    return made.login.login(request());
  }

  test("never outlives the chain issuer", async () => {
    const organization = new TestOrganization(vectorTime);
    const chain = await organization.chainIssuer("aaa_chain_delegator");
    const files = chain.save(folder.file("chain"));
    const answer = await issue((settings) =>
      Object.assign(settings, { signing_key: files.seedFile, signing_token: files.tokenFile, validity: "48h" }),
    );
    const token = "token" in answer ? answer.token : "";
    const trusted = { key: { ed25519: organization.issuer.publicKey }, now: vectorTime };
    const claims = await verifyToken(token, "choria_client_id", trusted);
    expect(claims.exp).toBe(expiryOf(parseToken(chain.token).raw));
  });

  test("is not made by a chain issuer whose time is over", async () => {
    const organization = new TestOrganization(vectorTime - 100_000_000);
    const files = (await organization.chainIssuer("aaa_chain_delegator")).save(folder.file("old"));
    const answer = await issue((settings) =>
      Object.assign(settings, { signing_key: files.seedFile, signing_token: files.tokenFile }),
    );
    expect(answer).toEqual({ error: "Could not sign JWT token" });
  });

  test.each([
    ["is not there", () => ({ signing_token: folder.file("nothing.jwt") })],
    ["cannot issue", () => ({ signing_token: saveToken("not-a-chain") })],
    ["belongs to another key", () => ({ signing_key: saveSeed("other") })],
  ])("is not made where the chain issuer's token %s", async (_, changes) => {
    const answer = await issue((settings) => Object.assign(settings, changes()));
    expect(answer).toEqual({ error: "Could not sign JWT token" });
  });

  test("belongs to no chain where only a key is configured", async () => {
    const answer = await issue((settings) => Object.assign(settings, { signing_token: "" }));
    const { raw } = parseToken("token" in answer ? answer.token : "");
    expect(raw).toMatchObject({ iss: "Choria Userlist Authenticator", callerid: "up=admin" });
    expect(raw).not.toHaveProperty("tcs");
  });

  test("may be signed by an RSA key", async () => {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    const file = folder.file("rsa.pem");
    writeFileSync(file, pair.privateKey.export({ type: "pkcs1", format: "pem" }));
    const answer = await issue((settings) => Object.assign(settings, { signing_token: "", signing_key: file }));
    const rsa = createPublicKey(pair.publicKey.export({ type: "spki", format: "pem" }).toString());
    const options = { key: { rsa }, now: vectorTime };
    const claims = await verifyToken("token" in answer ? answer.token : "", "choria_client_id", options);
    expect(claims.callerid).toBe("up=admin");
  });

  function saveToken(name: string): string {
    writeTokenFile(folder.file(name), "eyJhbGciOiJub25lIn0.e30.");
    return folder.file(name);
  }

  function saveSeed(name: string): string {
    writeFileSync(folder.file(name), "09".repeat(32));
    return folder.file(name);
  }
});

describe("PasswordChecker", () => {
  const hash = "$2a$05$zQIl4gUZbqmKhpQhIeWx3uDWhAZaHoG34zW1ZsxXQt5xpL5f4uyny";
  const checker = () => new PasswordChecker({ logger });

  test("knows every spelling of bcrypt", async () => {
    for (const kind of ["2a", "2b", "2y"]) {
      expect(await checker().check("secret", hash.replace("2a", kind), 5)).toBe(true);
      expect(await checker().check("Secret", hash.replace("2a", kind), 5)).toBe(false);
    }
  });

  test("looks at 72 bytes of a password, as bcrypt does", async () => {
    const long = "é".repeat(36);
    const made = await Bun.password.hash(encodeUtf8(long), { algorithm: "bcrypt", cost: 4 });
    expect(await checker().check(`${long}and more`, made, 4)).toBe(true);
    expect(await checker().check(long.slice(1), made, 4)).toBe(false);
  });

  test.each([
    undefined,
    "",
    "plain text",
    "$2a$05$short",
    hash.replace("$05$", "$99$"),
    "$argon2id$v=19$m=65536,t=2,p=1$a$b",
  ])("accepts no password for the hash %p", async (unusable) => {
    expect(await checker().check("secret", unusable, 4)).toBe(false);
    expect(await checker().check("", unusable, 4)).toBe(false);
  });

  test("takes as long for a user that does not exist as for a wrong password", async () => {
    const cost = 8;
    const real = await Bun.password.hash("secret", { algorithm: "bcrypt", cost });
    const measure = async (against: string | undefined) => {
      const times: number[] = [];
      for (let run = 0; run < 9; run++) {
        const started = performance.now();
        await checker().check("wrong", against, cost);
        times.push(performance.now() - started);
      }
      return times.sort((a, b) => a - b)[4] ?? 0;
    };
    const [wrong, unknown] = [await measure(real), await measure(undefined)];
    expect(unknown / wrong).toBeWithin(0.6, 1.6);
  });

  test("turns away those who would wait behind too many", async () => {
    const busy = new PasswordChecker({ logger, parallel: 1, maxWaiting: 2 });
    const checks = Array.from({ length: 4 }, () => busy.check("secret", hash, 5));
    const ended = await Promise.allSettled(checks);
    expect(ended.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
    expect(await busy.check("secret", hash, 5)).toBe(true);
  });
});
