import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { selfSignedCertificate, verifySignature } from "../../lib/crypto/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, issueClientToken, keySigner } from "../../lib/tokens/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { checkout, choria } from "./support.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
let server: Bun.Server<undefined>;
let config: string;

interface Login {
  username: string;
  password: string;
  signature: string;
  public_key: string;
  timestamp: string;
}

/** A login service with one password. */
async function answer(request: Request): Promise<Response> {
  const login = (await request.json()) as Login;
  const { username, password, timestamp, signature, public_key } = login;
  const signed = encodeUtf8(`${timestamp}:${username}:${password}`);
  if (!verifySignature(public_key, signed, Uint8Array.fromHex(signature)))
    return Response.json({ error: "bad signature" });
  if (Math.abs(Number(timestamp) - Date.now() / 1_000) > 60) return Response.json({ error: "bad time" });
  if (password === "broken") return new Response("upset", { status: 500 });
  if (password === "nothing") return Response.json({});
  if (password === "junk") return Response.json({ token: "junk" });
  if (password !== "secret") return Response.json({ error: "Login failed" });
  const token = await issueClientToken(
    { callerid: `up=${username}`, permissions: {}, public_key },
    { signer: keySigner(organization.issuer), now: Date.now() },
  );
  return Response.json({ token });
}

beforeAll(async () => {
  const { certificate, privateKey } = await selfSignedCertificate({ name: "localhost" });
  const tls = { cert: certificate, key: privateKey };
  server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: answer });
  config = folder.file("client.conf");
  await Bun.write(
    config,
    [
      `plugin.login.aaasvc.login.url = https://127.0.0.1:${server.port}/choria/v1/login`,
      `plugin.security.choria.token_file = ${folder.file("keys/client.jwt")}`,
      `plugin.security.choria.seed_file = ${folder.file("keys/client.key")}`,
    ].join("\n"),
  );
});

afterAll(async () => {
  await server.stop(true);
  folder[Symbol.dispose]();
});

const tokenFile = () => folder.file("keys/client.jwt");
const seedFile = () => folder.file("keys/client.key");

function login(password: string, args: string[] = []) {
  const all = ["login", "--config", config, "--username", "choria", "--password-stdin", ...args];
  return choria(all, { input: `${password}\n` });
}

describe("a login without a terminal", () => {
  test("that fails leaves no files", async () => {
    expect(await login("wrong")).toEqual({ code: 1, out: "", err: "choria: error: Login failed\n" });
    expect(existsSync(tokenFile())).toBe(false);
    expect(existsSync(seedFile())).toBe(false);
  });

  test("saves token and key, for their owner only", async () => {
    const { code, out, err } = await login("secret");
    expect({ code, out, err }).toEqual({ code: 0, out: `Token saved to ${tokenFile()}\n`, err: "" });
    const claims = decodeTokenUnverified(readFileSync(tokenFile(), "utf8"));
    expect(claims).toMatchObject({ callerid: "up=choria" });
    expect(readFileSync(seedFile(), "utf8")).toMatch(/^[0-9a-f]{64}$/);
    for (const file of [tokenFile(), seedFile()]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(folder.file("keys")).mode & 0o777).toBe(0o700);
  });

  test("that fails later leaves the token and key that were there", async () => {
    const before = [readFileSync(tokenFile(), "utf8"), readFileSync(seedFile(), "utf8")];
    const failures: [string, string][] = [
      ["wrong", "Login failed"],
      ["broken", "invalid response code 500: upset"],
      ["nothing", "no token received"],
      ["junk", "the login service sent something that is no token"],
    ];
    for (const [password, reason] of failures) {
      const { code, err } = await login(password);
      expect(code).toBe(1);
      expect(err).toContain(reason);
    }
    expect([readFileSync(tokenFile(), "utf8"), readFileSync(seedFile(), "utf8")]).toEqual(before);
  });

  test("makes a new key each time", async () => {
    const before = readFileSync(seedFile(), "utf8");
    await login("secret");
    expect(readFileSync(seedFile(), "utf8")).not.toBe(before);
  });

  test("needs a name and a password", async () => {
    const nameless = await choria(["login", "--config", config, "--password-stdin"], { input: "secret" });
    expect(nameless.err).toBe("choria: error: --password-stdin needs --username\n");
    expect((await login("")).err).toBe("choria: error: there is no password on standard input\n");
    const silent = await choria(["login", "--config", config]);
    expect(silent.err).toContain("use --username NAME --password-stdin");
  });

  test("says which setting is missing, and when the service cannot be reached", async () => {
    await Bun.write(folder.file("bare.conf"), "plugin.security.choria.token_file = /tmp/x\n");
    const bare = await choria(["login", "--config", folder.file("bare.conf")]);
    expect(bare.err).toContain("please configure a login server URL using plugin.login.aaasvc.login.url");
    await Bun.write(folder.file("gone.conf"), readFileSync(config, "utf8").replace(/:\d+\//, ":1/"));
    const args = ["login", "--config", folder.file("gone.conf"), "--username", "x", "--password-stdin"];
    expect((await choria(args, { input: "x" })).err).toContain("Cannot reach the login service https://127.0.0.1:1/");
  });
});

describe("a login on a terminal", () => {
  /** Answer the prompts as they come; gives what stood on the screen and the exit code. */
  async function converse(answers: [prompt: string, text: string][], env: Record<string, string> = {}) {
    let screen = "";
    const child = Bun.spawn(["./choria", "login", "--config", config], {
      cwd: checkout,
      env: { PATH: process.env.PATH, HOME: folder.path, TERM: "xterm", ...env },
      terminal: {
        cols: 120,
        rows: 24,
        data(_terminal, data) {
          screen += Buffer.from(data).toString();
        },
      },
    });
    for (const [prompt, text] of answers) {
      await waitFor(`the prompt ${prompt}`, () => Bun.stripANSI(screen).includes(prompt));
      child.terminal?.write(text);
    }
    const code = await child.exited;
    return { code, screen: Bun.stripANSI(screen) };
  }

  test("asks for name and password, and shows neither secret", async () => {
    const { code, screen } = await converse([
      ["? Username:", "choria\r"],
      ["? Password:", "secret\r"],
    ]);
    expect(code).toBe(0);
    expect(screen).toContain("? Password:  ******");
    expect(screen).toContain(`Token saved to ${tokenFile()}`);
    expect(screen).not.toContain("secret");
  });

  test("offers the user's own name", async () => {
    const { code, screen } = await converse(
      [
        ["? Username:", "\r"],
        ["? Password:", "secret\r"],
      ],
      { USER: "admin" },
    );
    expect(code).toBe(0);
    expect(screen).toContain("? Username:  (admin)");
    expect(decodeTokenUnverified(readFileSync(tokenFile(), "utf8"))).toMatchObject({ callerid: "up=admin" });
  });

  test("that is broken off by Ctrl-C changes nothing", async () => {
    const before = readFileSync(seedFile(), "utf8");
    const { code, screen } = await converse([
      ["? Username:", "choria\r"],
      ["? Password:", "sec\u0003"],
    ]);
    expect(code).toBe(1);
    expect(screen).toContain("choria: error: interrupted");
    expect(readFileSync(seedFile(), "utf8")).toBe(before);
  });
});

describe("an organization's own login program", () => {
  test("is called instead, with the same arguments, and its exit code is ours", async () => {
    mkdirSync(folder.file("bin"));
    await Bun.write(folder.file("bin/choria-login"), '#!/bin/sh\necho "own login: $*"\nexit 7\n');
    chmodSync(folder.file("bin/choria-login"), 0o755);
    const env = { PATH: `${folder.file("bin")}:${process.env.PATH}` };
    expect(await choria(["login", "--config", "x"], { env })).toEqual({
      code: 7,
      out: "own login: --config x\n",
      err: "",
    });
  });
});
