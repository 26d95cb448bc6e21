import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { configFrom } from "../../lib/config/mod.ts";
import { generateKey, writeSeedFile } from "../../lib/crypto/mod.ts";
import { credentialFiles, httpSigner, readCredentials, SecurityError } from "../../lib/security/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import captured from "../fixtures/tokens-and-protocol/messages.json";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";
import { thrownBy } from "../tokens/_vectors.ts";

const organization = new TestOrganization();

describe("credentialFiles()", () => {
  test("names both files, the seed beside the token by default", () => {
    const token = "plugin.security.choria.token_file";
    expect(
      credentialFiles(configFrom({ [token]: "/a/client.jwt", "plugin.security.choria.seed_file": "/b/s" })),
    ).toEqual({
      tokenFile: "/a/client.jwt",
      seedFile: "/b/s",
    });
    expect(credentialFiles(configFrom({ [token]: "/a.b/client.jwt" })).seedFile).toBe("/a.b/client.key");
    expect(credentialFiles(configFrom({ [token]: "/a.b/client" })).seedFile).toBe("/a.b/client.key");
    expect(() => credentialFiles(configFrom({}))).toThrow("the path to the JWT token is not configured");
  });
});

describe("readCredentials()", () => {
  test("gives token, key and name of clients and servers", async () => {
    using folder = temporaryFolder();
    const client = (await organization.client({ callerid: "up=bob" })).save(folder.file("client"));
    const server = (await organization.server({ identity: "n1", collectives: ["choria"] })).save(folder.file("server"));
    expect(readCredentials(client, organization.now).holder).toBe("up=bob");
    expect(readCredentials(server, organization.now).holder).toBe("n1");
  });

  test("sees renewed files at once", async () => {
    using folder = temporaryFolder();
    const files = (await organization.client({ callerid: "up=old" })).save(folder.file("client"));
    expect(readCredentials(files, organization.now).holder).toBe("up=old");
    (await organization.client({ callerid: "up=new" })).save(folder.file("client"));
    expect(readCredentials(files, organization.now).holder).toBe("up=new");
  });

  test("refuses an expired token, one that cannot sign and one of another key", async () => {
    using folder = temporaryFolder();
    const files = (await organization.client({ callerid: "up=bob" })).save(folder.file("client"));
    expect(await thrownBy(() => readCredentials(files, organization.now + 3_600_000))).toMatchObject({
      name: "TokenExpiredError",
    });
    writeSeedFile(files.seedFile, generateKey());
    expect(() => readCredentials(files, organization.now)).toThrow("does not belong to the token");
    writeFileSync(files.tokenFile, await organization.provisioning(["nats://b:4222"]));
    expect(() => readCredentials(files, organization.now)).toThrow(
      `cannot use token ${files.tokenFile} with purpose "choria_provisioning" as signer token`,
    );
  });

  test("meets every content of the files with an Error that does not repeat it", async () => {
    using folder = temporaryFolder();
    const member = await organization.client({ callerid: "up=bob" });
    const files = member.save(folder.file("client"));
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.nat(member.token.length - 1).map((length) => member.token.slice(0, length)),
      fc.constant(`${member.token.slice(0, 30)}${"A".repeat(1_000_000)}`),
    );
    fc.assert(
      fc.property(contents, fc.boolean(), (content, isSeed) => {
        member.save(folder.file("client"));
        writeFileSync(isSeed ? files.seedFile : files.tokenFile, content);
        let error: unknown;
        try {
          // A token cut within its signature still reads: whether it holds is for those who receive it.
          readCredentials(files, organization.now);
        } catch (caught) {
          error = caught;
        }
        if (isSeed) expect(error).toBeInstanceOf(Error);
        if (error !== undefined) {
          expect(error).toBeInstanceOf(Error);
          expect(String(error)).not.toContain(member.token.slice(40, 80));
          expect(String(error)).not.toContain(member.key.seed);
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("httpSigner()", () => {
  const delegated = captured.requests.find(({ name }) => name === "delegated_signed_request");
  const secure = Buffer.from(delegated?.layers.secure_request_as_returned_by_signer_utf8 ?? "").toString("base64");

  async function signVia(answer: () => Response | Promise<Response>, timeout = 2_000) {
    const asked: Record<string, unknown>[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        asked.push((await request.json()) as Record<string, unknown>);
        return answer();
      },
    });
    const member = await organization.client({ callerid: "up=bob" });
    using folder = temporaryFolder();
    const credentials = readCredentials(member.save(folder.file("c")), organization.now);
    const signer = httpSigner({ url: `http://127.0.0.1:${server.port}/choria/v1/sign`, timeout });
    try {
      return { asked, member, signed: await signer.sign(encodeUtf8("request"), credentials) };
    } finally {
      await server.stop(true);
    }
  }

  test("asks as the original does and reads what comes back", async () => {
    const { asked, member, signed } = await signVia(() => Response.json({ secure_request: secure, error: "" }));
    expect(asked).toEqual([
      {
        token: member.token,
        request: Buffer.from("request").toString("base64"),
        signature: member.key.sign(encodeUtf8("request")).toHex(),
      },
    ]);
    expect(signed.signer).toBeDefined();
    expect(signed.signer).toBe(signed.caller);
  });

  test.each([
    ["a refusal", () => Response.json({ error: "Request denied" }), "error from remote signer: Request denied"],
    ["another status", () => new Response("x", { status: 503 }), "could not perform remote signing request: 503"],
    ["no JSON", () => new Response("hello"), "could not parse signer response"],
    ["no object", () => Response.json([1]), "could not parse signer response: expected a JSON object"],
    ["no request", () => Response.json({}), "no secure request in it"],
    ["no base64", () => Response.json({ secure_request: "%" }), "no secure request in it"],
  ])("tells of %s", async (_what, answer, reason) => {
    const error = await thrownBy(() => signVia(answer));
    expect(error).toBeInstanceOf(SecurityError);
    expect(String(error)).toContain(reason);
  });

  test("does not wait for ever, neither for an answer nor for the rest of one", async () => {
    const never = () => new Promise<Response>(() => undefined);
    const half = () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(encodeUtf8("{")) }));
    for (const answer of [never, half]) {
      expect(await thrownBy(() => signVia(answer, 100))).toBeInstanceOf(SecurityError);
    }
  });

  test("tells when nobody listens, and when no address is configured", async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;
    const member = await organization.client({ callerid: "up=bob" });
    using folder = temporaryFolder();
    const credentials = readCredentials(member.save(folder.file("c")), organization.now);
    const error = await thrownBy(() => httpSigner({ url }).sign(encodeUtf8("x"), credentials));
    expect(error).toBeInstanceOf(SecurityError);
    expect(() => httpSigner({ url: "" })).toThrow("remote signing URL not configured");
  });
});
