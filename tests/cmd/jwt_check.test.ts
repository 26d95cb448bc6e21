import { describe, expect, test } from "bun:test";
import vector from "../fixtures/jwt/jwt-check.json";
import { FakeClock } from "../support/clock.ts";
import { keyNamed, now, tokenNamed } from "../tokens/_vectors.ts";
import { type Workshop, workshop } from "./jwt_support.ts";

const clock = new FakeClock(now);
const issuer = keyNamed("issuer").publicKey;

function withToken(name: string): Workshop {
  const shop = workshop();
  shop.write("x.jwt", tokenNamed(name));
  return shop;
}

async function check(name: string, ...flags: string[]): Promise<{ out: string; code: number }> {
  using shop = withToken(name);
  const { out, code } = await shop.jwt(["check", shop.file("x.jwt"), ...flags], { clock });
  return { out: out.replaceAll(shop.file("x.jwt"), "x.jwt"), code };
}

describe("choria jwt check", () => {
  test.each([
    ["client_direct", "client token"],
    ["server_chained", "server token"],
    ["provisioning", "provisioning token"],
  ])("finds %p good, in one line with the seconds left", async (name, kind) => {
    const { out, code } = await check(name, "--issuer", issuer);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^OK x\\.jwt OK:${kind} \\| expires=\\d+\\.\\d{4}s\n$`));
  });

  test.each([
    ["client_all_claims", ["--purpose", "server"], "Crit:choria_client_id purpose"],
    ["client_all_claims", ["--identity", "up=eve"], "Crit:identity up=full"],
    ["server_direct", ["--identity", "other"], "Crit:identity node1.example.net"],
    ["client_all_claims", ["--sub", "z"], "Crit:subscribe z"],
    ["client_all_claims", ["--pub", "z"], "Crit:publish z"],
    ["client_direct", ["--client-opa"], "Crit:no OPA policy"],
    ["client_direct", ["--chain-issuer"], "Crit:chain issuer: false"],
    ["chain_issuer_aaa", ["--no-chain-issuer"], "Crit:chain issuer: true"],
    ["client_direct", ["--validity-min", "100y"], "Crit:expires in 63y"],
    ["client_direct", ["--validity-max", "1d"], "Crit:expires in 63y"],
    ["client_direct", ["--query", "callerid == 'up=eve'"], "Crit:callerid == 'up=eve'"],
    ["client_direct", ["--query", "1 +"], "Crit:invalid query: 1 +: unexpected token EOF (1:3)"],
    ["client_direct", ["--query", "exp"], "Crit:invalid query: exp: invalid operation: bool(float64) (1:1)"],
    ["quirk_no_public_key", [], "Crit:no public key"],
    ["quirk_no_exp", [], "Crit:no expires time"],
    ["neg_expired", [], "Crit:expired"],
    ["neg_unknown_purpose", [], "Crit:unknown token purpose"],
    ["client_direct", ["--issuer", "zz"], "Crit:invalid issuer"],
    ["neg_signed_by_rogue", ["--issuer", issuer], "Crit:could not parse client id token: token signature is invalid"],
    ["neg_chain_of_rogue_org", ["--issuer", issuer], "not signed by org issuer"],
  ])("finds fault with %s %j", async (name, flags, fault) => {
    const { out, code } = await check(name, ...flags);
    expect(code).toBe(2);
    expect(out).toStartWith("CRITICAL x.jwt Crit:");
    expect(out).toContain(fault);
  });

  test.each([
    [
      "client_all_claims",
      ["--purpose", "client", "--identity", "up=full", "--sub", "bar.>", "--pub", "foo.>", "--client-opa"],
    ],
    ["client_all_claims", ["--query", "purpose == 'choria_client_id'", "--query", "callerid endsWith 'full'"]],
    ["chain_issuer_aaa", ["--chain-issuer", "--validity-min", "1y"]],
    ["client_chained", ["--no-chain-issuer", "--validity-max", "100y"]],
  ])("finds none with %s %j", async (name, flags) => {
    expect(await check(name, ...flags)).toMatchObject({ code: 0 });
  });

  test("finds fault with a file that is not there or holds no token", async () => {
    using shop = workshop();
    shop.write("bad", "nonsense");
    const none = await shop.shell("choria jwt check none");
    expect(none).toEqual({ code: 2, out: "CRITICAL none Crit:token not found\n", err: "" });
    const bad = await shop.shell("choria jwt check bad");
    expect(bad).toEqual({ code: 2, out: "CRITICAL bad Crit:unknown token purpose\n", err: "" });
  });

  test("writes the JSON of the original", async () => {
    const { out } = await check("server_direct", "--format", "json");
    const document = JSON.parse(out);
    expect(Object.keys(document)).toEqual(Object.keys(vector));
    expect({ ...document, check_name: "", perf_data: [] }).toEqual({ ...vector, check_name: "", perf_data: [] });
    expect({ ...document.perf_data[0], value: 0 }).toEqual({ ...vector.perf_data[0], value: 0 });
    const faulty = JSON.parse((await check("neg_expired", "--format", "json")).out);
    expect(faulty).toMatchObject({ status: "CRITICAL", critical: ["expired"], ok: ["client token"] });
  });

  test("writes metrics, and then leaves judging to whoever reads them", async () => {
    const { out, code } = await check("neg_expired", "--format", "prometheus");
    expect(code).toBe(0);
    expect(out).toContain("# TYPE choria_jwt_expires gauge\nchoria_jwt_expires{item=");
    expect(out).toMatch(/^choria_jwt_status_code\{item="x\.jwt",status="CRITICAL"\} 2$/m);
  });

  test("writes tables for people", async () => {
    const { out, code } = await check("neg_expired", "--format", "text");
    expect(code).toBe(2);
    expect(out).toStartWith("x.jwt: CRITICAL\n\nStatus Detail\n\n");
    for (const text of ["client token", "expired", "Check Metrics", "Seconds until expiry"])
      expect(out).toContain(text);
  });
});
