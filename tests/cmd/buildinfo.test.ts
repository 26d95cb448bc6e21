import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { cachedNatsServer } from "../../lib/broker/mod.ts";
import { version } from "../../lib/std/mod.ts";
import { keySigner, signToken } from "../../lib/tokens/mod.ts";
import { keyNamed, tokenNamed } from "../tokens/_vectors.ts";
import { workshop } from "./jwt_support.ts";
import { run } from "./support.ts";

/** A section of the report, without its title. */
function section(report: string, title: string): string {
  const found = new RegExp(`^${title}:\n\n((?: .*\n)+)`, "m").exec(report);
  return found?.[1] ?? "";
}

describe("choria buildinfo", () => {
  test("shows its sections in the order of the original", async () => {
    using shop = workshop();
    const { code, out, err } = await shop.shell("choria buildinfo");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n").filter((line) => /^\S.*:$/.test(line))).toEqual([
      "Choria build settings:",
      "Build Data:",
      "Protocol Defaults and Settings:",
      "Network Broker Settings:",
      "Server Settings:",
      "Security Defaults:",
      "Agent Providers:",
    ]);
    expect(section(out, "Build Data")).toContain(`      Version: ${version}\n`);
    expect(section(out, "Build Data")).toContain(`  Bun Version: ${Bun.version}\n`);
    expect(section(out, "Protocol Defaults and Settings")).toContain("     Default Collectives: choria\n");
    expect(section(out, "Network Broker Settings")).toContain("       Maximum Network Clients: 50000\n");
    expect(section(out, "Network Broker Settings")).toMatch(/^ {11}NATS Server Version: 2\.\d+\.\d+\n/m);
    expect(section(out, "Security Defaults")).toContain("            TLS: true\n");
  });

  test("shows what the server set-up guide prints before and after there is a token", async () => {
    using shop = workshop();
    expect((await shop.shell("openssl genrsa -out key.pem 2048")).code).toBe(0);
    const line = "choria jwt provisioning.jwt key.pem --srv choria.example.net --token toomanysecrets";
    const absent = await shop.shell("choria buildinfo --jwt provisioning.jwt");
    expect(section(absent.out, "Server Settings")).toBe(`    Provisioning Target Resolver: Choria JWT Resolver
           Supports Provisioning: false
           Provisioning JWT file: provisioning.jwt
`);
    expect((await shop.shell(line)).code).toBe(0);
    const present = await shop.shell("choria buildinfo", { CHORIA_PROVISIONING_JWT: "provisioning.jwt" });
    expect(section(present.out, "Server Settings")).toBe(`    Provisioning Target Resolver: Choria JWT Resolver
           Supports Provisioning: true
           Provisioning JWT file: provisioning.jwt
              Provisioning Token: *****
            Provisioning Default: false
                Provisioning TLS: true
      Default Provisioning Agent: true
         Provisioning SRV Domain: choria.example.net
`);
  });

  test.if(!existsSync("/etc/choria/provisioning.jwt"))("looks at /etc/choria/provisioning.jwt by itself", async () => {
    using shop = workshop();
    const { out } = await shop.shell("choria buildinfo");
    expect(section(out, "Server Settings")).toBe(`    Provisioning Target Resolver: Choria JWT Resolver
           Supports Provisioning: false
           Provisioning JWT file: /etc/choria/provisioning.jwt
`);
  });

  test("shows what the token of the compose environment says", async () => {
    using shop = workshop();
    shop.write("p.jwt", tokenNamed("provisioning"));
    const { out } = await shop.shell("choria buildinfo --jwt p.jwt");
    expect(section(out, "Server Settings")).toBe(`    Provisioning Target Resolver: Choria JWT Resolver
           Supports Provisioning: true
           Provisioning JWT file: p.jwt
              Provisioning Token: *****
            Provisioning Default: true
                Provisioning TLS: false
      Default Provisioning Agent: true
            Provisioning Brokers: nats://broker.choria.local:4222
  Provisioning Using Protocol v2: true
   Provisioning Version Upgrades: true
`);
  });

  test.each([
    ["a client's token", tokenNamed("client_direct"), "not a provisioning token"],
    ["no token", "nonsense", "token contains an invalid number of segments"],
    ["nothing in it", "", "is empty"],
  ])("says what is wrong with a file that has %s", async (_what, content, problem) => {
    using shop = workshop();
    shop.write("p.jwt", content);
    const { code, out } = await shop.shell("choria buildinfo --jwt p.jwt");
    expect(code).toBe(0);
    expect(section(out, "Server Settings")).toContain("           Supports Provisioning: false\n");
    expect(section(out, "Server Settings")).toContain(problem);
  });

  test.each([
    [{ cht: "" }, "no auth token"],
    [{ chu: "" }, "no srv domain or urls"],
    [{ chsrv: "example.net" }, "both srv domain and URLs supplied"],
  ])("says what is wrong with a token with %j", async (change, problem) => {
    using shop = workshop();
    const claims = {
      purpose: "choria_provisioning",
      cht: "t",
      chs: false,
      chu: "b:4222",
      chpd: true,
      extensions: null,
    };
    shop.write("p.jwt", await signToken({ ...claims, ...change }, keySigner(keyNamed("issuer"))));
    const { out } = await shop.shell("choria buildinfo --jwt p.jwt");
    expect(section(out, "Server Settings")).toContain(`        Provisioning JWT problem: ${problem}\n`);
  });

  test("says of which commit an image was built", async () => {
    using shop = workshop();
    const { out } = await shop.shell("choria buildinfo", {
      CHORIA_REVISION: "0123456789abcdef0123456789abcdef01234567",
    });
    expect(section(out, "Build Data")).toMatch(/^ +Git SHA: 01234567$/m);
  });

  test.if(!existsSync(cachedNatsServer))("says plainly where there is no nats-server", async () => {
    const { out, code } = await run([process.execPath, "run", "cmd/choria.ts", "buildinfo"], { env: { PATH: "/bin" } });
    expect(section(out, "Network Broker Settings")).toMatch(/^ +NATS Server: none here, only brokers need it$/m);
    expect(code).toBe(0);
  });

  test("lists what it is built on when asked", async () => {
    using shop = workshop();
    expect(section((await shop.shell("choria buildinfo -D")).out, "Dependencies")).toMatch(/^ {2}commander \d/m);
  });
});
