import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { generateKey, generateNkey, issuedCertificate, verifyNkeySignature } from "../../lib/crypto/mod.ts";
import { connectEndpoint, type Endpoint } from "../../lib/replicator/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { RecordingLogger } from "../support/log.ts";
import { StreamServer } from "./support.ts";

const noTls = { ca: "", cert: "", key: "" };
const noChoria = { seedFile: "", tokenFile: "", collective: "" };

/** Whether a server lets a connection in; what it logged otherwise. */
async function login(url: string, more: Partial<Endpoint> = {}): Promise<true | string[]> {
  const logger = new RecordingLogger();
  const signal = AbortSignal.timeout(700);
  try {
    const endpoint = { url, tls: noTls, choria: noChoria, ...more };
    const { connection } = await connectEndpoint(endpoint, { name: "TEST", clock: systemClock, logger, signal });
    await connection.flush();
    await connection.close();
    return true;
  } catch {
    return logger.messages;
  }
}

async function server(folder: { file: (name: string) => string }, name: string, extra: string): Promise<StreamServer> {
  mkdirSync(folder.file(name));
  return await StreamServer.start(folder.file(name), extra);
}

test("a user with a password, a token and an nkey log in, each as its URL says", async () => {
  using folder = temporaryFolder();
  const nkey = generateNkey("user");
  await Bun.write(folder.file("user.nk"), `${nkey.seed}\n`);
  const users = `authorization { users: [{user: u, password: "p@ss"}, {nkey: ${nkey.publicKey}}] }`;
  await using nats = await server(folder, "users", users);
  const address = `127.0.0.1:${nats.port}`;
  expect(await login(`nats://u:p%40ss@${address}`)).toBe(true);
  expect(await login(`nats://${address}?nkey=${folder.file("user.nk")}`)).toBe(true);
  const refused = await login(`nats://u:secret-word@${address}`);
  expect(refused).toContain(`Attempting to connect to nats://u:xxxxx@${address} on try 1`);
  expect(String(refused)).not.toContain("secret-word");
  await using token = await server(folder, "token", `authorization { token: abc }`);
  expect(await login(`nats://abc@127.0.0.1:${token.port}`)).toBe(true);
  expect(await login(`127.0.0.1:${token.port}`)).not.toBe(true);
});

test("certificates are shown and checked as configured", async () => {
  using folder = temporaryFolder();
  const authority = generateKey();
  const made = await issuedCertificate(authority, { name: "localhost", alternatives: ["127.0.0.1"] });
  const own = await issuedCertificate(authority, { name: "replicator" });
  const files = {
    crt: made.certificate,
    key: made.privateKey,
    ca: made.authority,
    own: own.certificate,
    ownkey: own.privateKey,
  };
  for (const [name, text] of Object.entries(files)) await Bun.write(folder.file(name), text);
  const pem = `cert_file: "${folder.file("crt")}", key_file: "${folder.file("key")}", ca_file: "${folder.file("ca")}"`;
  await using nats = await server(folder, "tls", `tls { ${pem}, verify: true }`);
  const url = `tls://127.0.0.1:${nats.port}`;
  const tls = { ca: folder.file("ca"), cert: folder.file("own"), key: folder.file("ownkey") };
  expect(await login(url, { tls })).toBe(true);
  expect(await login(url, { tls: { ...tls, cert: "", key: "" } })).not.toBe(true);
  expect(await login(url, { tls: { ...tls, ca: "" } })).not.toBe(true);
  expect(await login(`${url}?insecure=true`, { tls: { ...tls, ca: "" } })).toBe(true);
  await using first = await server(folder, "first", `tls { ${pem}, handshake_first: true }`);
  expect(
    await login(`nats://127.0.0.1:${first.port}?tls_handshake_first=true`, { tls: { ...tls, cert: "", key: "" } }),
  ).toBe(true);
});

test("a credentials file shows its JWT and signs with its seed, no more", async () => {
  using folder = temporaryFolder();
  const user = generateNkey("user");
  const jwt = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJVIn0.c2ln";
  const text = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${user.seed}\n------END USER NKEY SEED------\n`;
  await Bun.write(folder.file("user.creds"), text);
  const shown = Promise.withResolvers<Record<string, string>>();
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (socket) =>
        void socket.write(
          `INFO ${JSON.stringify({
            server_id: "X",
            version: "2.15.1",
            max_payload: 1_000_000,
            proto: 1,
            headers: true,
            nonce: "abc",
            auth_required: true,
          })}\r\n`,
        ),
      data: (socket, data) => {
        const fields = /^CONNECT (.*)\r\n/.exec(data.toString())?.[1];
        if (fields !== undefined) shown.resolve(JSON.parse(fields));
        socket.write("PONG\r\n");
      },
    },
  });
  await login(`nats://127.0.0.1:${listener.port}?credentials=${folder.file("user.creds")}`);
  const fields = await shown.promise;
  listener.stop(true);
  expect(fields).toMatchObject({ jwt, echo: false, name: "Choria Stream Replicator: TEST" });
  expect(fields.auth_token).toBeUndefined();
  const signature = Uint8Array.fromBase64(fields.sig ?? "", { alphabet: "base64url" });
  expect(verifyNkeySignature(user.publicKey, Buffer.from("abc"), signature)).toBe(true);
});

test("files that are missing or hold something else are told at once", async () => {
  using folder = temporaryFolder();
  await Bun.write(folder.file("junk"), "junk");
  const junk = folder.file("junk");
  const connect = (url: string, choria = noChoria) =>
    connectEndpoint(
      { url, tls: noTls, choria },
      { name: "TEST", clock: systemClock, logger: new RecordingLogger(), signal: AbortSignal.timeout(1_000) },
    );
  const gone = { seedFile: junk, tokenFile: "nope.jwt", collective: "choria" };
  await expect(connect("a:1", gone)).rejects.toThrow(
    "could not set up choria connection: open nope.jwt: no such file or directory",
  );
  await expect(connect("a:1", { ...gone, tokenFile: junk })).rejects.toThrow("unsupported token purpose: ");
  await expect(connect("a:1", { seedFile: junk, tokenFile: junk, collective: "" })).rejects.toThrow(
    "collective is required",
  );
  await expect(connect(`a:1?credentials=${junk}`)).rejects.toThrow("there is no JWT in it");
  await expect(connect("nats://u:secret@[:1")).rejects.toThrow(
    'Cannot use the URL "nats://[:1": expected nats://host:port',
  );
  await expect(connect("u:secret@[:1")).rejects.toThrow('Cannot use the URL "[:1": expected nats://host:port');
});
