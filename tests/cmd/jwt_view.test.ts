import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { claimsLines } from "../../cmd/choria/jwt/claims_view.ts";
import { generateKey } from "../../lib/crypto/mod.ts";
import { type Claims, decodeTokenUnverified, keySigner, signToken } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";
import { keyNamed, tokenNamed } from "../tokens/_vectors.ts";
import { workshop } from "./jwt_support.ts";

const day = 86_400_000;
const orgKey = keyNamed("issuer").publicKey;

/** A year, less a second, before the captured tokens end. */
const shortly = (exp: number) => exp * 1_000 - 365 * day + 1_000;
const lines = (claims: Claims, now: number) => `${claimsLines(claims, now).join("\n")}\n`;

describe("a client token is shown", () => {
  test("as the original shows it, line by line", () => {
    const claims = decodeTokenUnverified(tokenNamed("client_all_claims"));
    expect(lines(claims, shortly(3_786_912_000))).toBe(`          Caller ID: up=full
  Organization Unit: choria
     Allowed Agents: rpcutil.*, package.status
         Public Key: ${keyNamed("bob").publicKey}
 Private Network ID: ${networkId("up=full")}
         Expires At: 2090-01-01 00:00:00 +0000 UTC (364d23h59m59s)
 Subscriptions Subjects: bar.>
   Publish Subjects: foo.>

 Client Permissions:

      Can manage Choria fleet nodes subject to authorizing signature
      Can use Leader Elections
      Can view Lifecycle and Autonomous Agent events
      Can use Choria Streams
      Can administer Choria Streams
      Can access Choria Governors
      Can observe all traffic on all subjects and access the system account
      Can access the Broker system account
      Can sign requests on behalf of other users
      Can have an extended token lifetime
      Can provision Choria Servers

    User Properties: {"group":"admins"}
         OPA Policy: package io.choria.aaasvc
                     default allow = false
                     
`);
  });

  test("with what it is in a trust chain", () => {
    const chainLine = (name: string) =>
      lines(decodeTokenUnverified(tokenNamed(name)), 0)
        .split("\n")
        .find((line) => line.includes("Trust Chain"));
    expect(chainLine("chain_issuer_aaa")).toBe(
      `        Trust Chain: Can Issue Clients as part of a trust chain with Issuer ${orgKey}`,
    );
    expect(chainLine("client_chained")).toBe("        Trust Chain: Issued by 2aNgqzei0s9ygQX3Q1uINGMwnba");
    expect(chainLine("client_direct")).toBeUndefined();
    const claims = decodeTokenUnverified(tokenNamed("chain_issuer_aaa"));
    expect(lines({ ...claims, jti: "other" }, 0)).toContain(
      "        Trust Chain: Invalid signing data, issued users will be invalid\n",
    );
  });

  test("without the lines that say nothing, but always with its key", () => {
    expect(lines({ purpose: "choria_client_id", callerid: "up=x", agents: [], opa_policy: "" }, 0)).toBe(
      `          Caller ID: up=x
         Public Key: 
 Private Network ID: ${networkId("up=x")}

`,
    );
    expect(lines({ purpose: "choria_client_id", callerid: "", permissions: {} }, 0)).toBe(
      "         Public Key: \n\n Client Permissions:\n\n      No user specific permissions granted\n\n",
    );
  });

  test.each([
    [1, "(1.00s)"],
    [59.5, "(59.50s)"],
    [3_239, "(53m59s)"],
    [-1.89, "(expired 1.89s ago)"],
    [-182, "(expired 3m2s ago)"],
  ])("with the time left: %p seconds are %p", (left, text) => {
    const exp = 2_000_000_000;
    const shown = lines({ purpose: "choria_client_id", callerid: "x", exp }, (exp - left) * 1_000);
    expect(shown).toContain(`         Expires At: 2033-05-18 03:33:20 +0000 UTC ${text}\n`);
  });

  test("with the end of its issuer where that comes first", () => {
    const shown = lines({ purpose: "choria_client_id", callerid: "x", exp: 2_000_000_000, issexp: 1_900_000_000 }, 0);
    expect(shown).toContain("Expires At: 2030-03-17 17:46:40 +0000 UTC (");
  });

  test("without steering the terminal, whatever it says", () => {
    const shown = lines({ purpose: "choria_client_id", callerid: "\u001b[2J\r\u0007\u009bx", exp: 1e300 }, 0);
    expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
    expect(shown).toContain("\uFFFD[2J");
  });
});

test("a server token is shown as the original shows it", () => {
  const claims = decodeTokenUnverified(tokenNamed("server_chained"));
  expect(lines(claims, shortly(3_755_376_000))).toBe(`             Identity: node2.example.net
           Expires At: 2089-01-01 00:00:00 +0000 UTC (364d23h59m59s)
          Collectives: choria
           Public Key: ${keyNamed("node2").publicKey}
    Organization Unit: choria
  Additional Subjects: choria.node_metadata.>
   Private Network ID: ${networkId("node2.example.net")}
          Trust Chain: Issued by 2aNgr41sPoQLieOQQ8TifaQt0XB

   Broker Permissions:

          Can host services
          Can publish Choria Submission messages
          Can access Choria Streams
          Can access Choria Governor

`);
  const bare: Claims = { purpose: "choria_server", identity: "n", collectives: [], permissions: {} };
  expect(lines(bare, 0)).toContain("   Broker Permissions:\n\n          No server specific permissions granted\n\n");
});

describe("a provisioning token is shown", () => {
  test("as the original shows it, without its secrets", () => {
    const claims = decodeTokenUnverified(tokenNamed("provisioning"));
    const all = { chsrv: "example.net", chrd: "/r", chf: "/f", chusr: "u", chpwd: "hidden", extensions: { a: 1 } };
    const shown = lines({ ...claims, ...all }, shortly(3_786_912_000));
    expect(shown).toBe(`                    Expires At: 2090-01-01 00:00:00 +0000 UTC (364d23h59m59s)
                         Token: *****
                        Secure: false
                    SRV Domain: example.net
                          URLS: nats://broker.choria.local:4222
       Provisioning by default: true
Provisioning Registration Data: /r
            Provisioning Facts: /f
               Broker Username: u
               Broker Password: *****
      Using version 2 Protocol: true
       Server Version Upgrades: true
                    Extensions: {
                                  "a": 1
                                }
               Standard Claims: {
                                  "purpose": "choria_provisioning",
                                  "iss": "Choria Tokens Package",
                                  "sub": "choria_provisioning",
                                  "exp": 3786912000,
                                  "nbf": 1704164645,
                                  "iat": 1704164645,
                                  "jti": "2aNgqzVlSfZT3rlgHLxvvX7xTAe"
                                }
`);
    expect(shown).not.toMatch(/hidden|s3cret/);
  });

  test("without an end where it has none", () => {
    const claims: Claims = { purpose: "choria_provisioning", cht: "", chs: true, chpd: false, extensions: null };
    expect(lines(claims, 0)).toStartWith("                        Secure: true\n");
  });
});

describe("choria jwt --json", () => {
  test.each(["client", "server"])("shows a %s token as the original does, to the letter", async (kind) => {
    const expected = readFileSync(join(import.meta.dir, `../fixtures/jwt/jwt-view-${kind}.json`), "utf8");
    using shop = workshop();
    const shuffled = Object.fromEntries(Object.entries(JSON.parse(expected)).reverse());
    shop.write("x.jwt", await signToken(shuffled, keySigner(generateKey())));
    for (const form of [["view", "--json"], ["--json"]]) {
      expect((await shop.jwt([...form, shop.file("x.jwt")])).out.trimEnd()).toBe(expected.trimEnd());
    }
  });

  test("is what is shown of a token that is for something else", async () => {
    using shop = workshop();
    shop.write("x.jwt", tokenNamed("neg_unknown_purpose"));
    expect(JSON.parse((await shop.jwt([shop.file("x.jwt")])).out).purpose).toBe("choria_other");
  });

  test("does not show a token that the key does not stand behind", async () => {
    using shop = workshop();
    shop.write("x.jwt", tokenNamed("neg_signed_by_rogue"));
    const clock = new FakeClock(Date.UTC(2026, 1, 1));
    expect(shop.jwt(["view", "--json", shop.file("x.jwt"), orgKey], { clock })).rejects.toThrow(
      "could not parse token: ",
    );
  });
});

function networkId(holder: string): string {
  return new Bun.CryptoHasher("md5").update(holder).digest("hex");
}
