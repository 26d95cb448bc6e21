import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { decodeReply, decodeRpcReply } from "../../lib/protocol/mod.ts";
import { startTestBroker } from "../support/broker.ts";
import { canConnect } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";
import { waitFor } from "../support/wait.ts";
import { callSigner, connectAs, requestFor } from "./_call.ts";
import { install, logIn } from "./_installation.ts";

const program = join(import.meta.dir, "../../cmd/aaa.ts");

function run(...args: string[]) {
  return Bun.spawn([process.execPath, program, ...args], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
}

async function outcome(child: ReturnType<typeof run>, input = "") {
  child.stdin.write(input);
  await child.stdin.end();
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

describe("aaa run", () => {
  test("serves until it is told to stop, without USER being set", async () => {
    using set = await install();
    const pid = set.file("aaa.pid");
    await using child = run("run", "--config", set.file("aaa.conf"), "--pid", pid);
    await waitFor("the service to listen", () => canConnect(set.config.port));

    expect(readFileSync(pid, "utf8")).toBe(String(child.pid));
    expect(statSync(pid).mode & 0o777).toBe(0o644);
    const url = `https://127.0.0.1:${set.config.port}`;
    expect((await logIn(url, "admin", "secret", { ca: set.certificate })).token).toBeString();

    child.kill("SIGTERM");
    expect((await outcome(child)).code).toBe(0);
    expect(existsSync(pid)).toBe(false);
    const log = readFileSync(set.file("aaa.log"), "utf8");
    expect(log).toContain('"msg":"Logged in user admin"');
    expect(log).toContain('"msg":"Shutting down on terminated"');
  });

  test("hosts the service on a broker", async () => {
    const organization = new TestOrganization();
    await using broker = await startTestBroker({ organization });
    using set = await install({ broker: broker.address, organization });
    await using child = run("run", "--config", set.file("aaa.conf"));
    const log = () => (existsSync(set.file("aaa.log")) ? readFileSync(set.file("aaa.log"), "utf8") : "");
    await waitFor("the service to be hosted", () => log().includes("Hosting the service"));

    const member = await logIn(`https://127.0.0.1:${set.config.port}`, "admin", "secret", { ca: set.certificate });
    await using client = await connectAs(member, "up=admin", broker.address);
    const { secureReply } = await callSigner(client, member, "up=admin", requestFor("rpcutil", "ping"));
    expect(decodeRpcReply(decodeReply(secureReply.reply).message)).toMatchObject({ statuscode: 0, statusmsg: "OK" });

    child.kill("SIGTERM");
    expect((await outcome(child)).code).toBe(0);
  }, 20_000);

  test("serves plain HTTP behind --disable-tls", async () => {
    using set = await install();
    await using child = run("run", "--config", set.file("aaa.conf"), "--disable-tls", "--debug");
    await waitFor("the service to listen", () => canConnect(set.config.port));
    expect((await logIn(`http://127.0.0.1:${set.config.port}`, "streams")).token).toBeString();
    child.kill("SIGINT");
    expect((await outcome(child)).code).toBe(0);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      "an unknown auditor",
      { auditors: ["paper"] },
      /^aaa: error: Cannot use the configuration ".*": \/auditors\/0: unknown auditor: paper\n$/,
    ],
    [
      "a certificate that is not there",
      { tls_certificate: "/nowhere.crt" },
      /^aaa: error: Cannot read the certificate "\/nowhere\.crt": ENOENT.*\n$/,
    ],
    [
      "a Choria configuration that is not there",
      { choria_config: "/nowhere.conf" },
      /^aaa: error: .*\/nowhere\.conf.*\n$/,
    ],
  ])("ends with one clear line on %s", async (_, changes, line) => {
    using set = await install();
    await Bun.write(set.file("aaa.conf"), JSON.stringify({ ...JSON.parse(set.text), ...changes }));
    const { err, code } = await outcome(run("run", "--config", set.file("aaa.conf")));
    expect(err).toMatch(line);
    expect(code).toBe(1);
  });

  test("ends with one clear line when its port is taken", async () => {
    await using taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    using set = await install({ changes: { port: taken.port } });
    const { err, code } = await outcome(run("run", "--config", set.file("aaa.conf")));
    expect(err).toMatch(/^aaa: error: Cannot serve https on port \d+: .*\n$/);
    expect(code).toBe(1);
  });
});

describe("aaa crypt", () => {
  test("prints a hash for each line", async () => {
    const { out, code } = await outcome(run("crypt", "--cost", "4"), "secret\nhello world\n");
    const [first = "", second = "", ...rest] = out.trim().split("\n");
    expect(rest).toEqual([]);
    expect(await Bun.password.verify("secret", first)).toBe(true);
    expect(await Bun.password.verify("hello world", second)).toBe(true);
    expect(first).toStartWith("$2b$04$");
    expect(code).toBe(0);
  });

  test("makes guessing dear unless it is told otherwise", async () => {
    expect((await outcome(run("crypt"), "secret\n")).out).toStartWith("$2b$10$");
  });

  test("refuses what bcrypt would cut", async () => {
    const { err, code } = await outcome(run("crypt", "--cost", "4"), `${"x".repeat(73)}\n`);
    expect(err).toBe("aaa: error: a password is longer than 72 bytes\n");
    expect(code).toBe(1);
  });
});
