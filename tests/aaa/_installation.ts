import { writeFileSync } from "node:fs";
import { parseAaaConfig } from "../../lib/aaa/mod.ts";
import { type Config, configFrom } from "../../lib/config/mod.ts";
import { generateKey, type KeyPair, selfSignedCertificate } from "../../lib/crypto/mod.ts";
import { encodeUtf8 } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { TestOrganization } from "../support/organization.ts";
import { freePort } from "../support/ports.ts";

/** Everything that an AAA service of a test's own needs on disk. */
export interface Installation extends Disposable {
  organization: TestOrganization;
  file: (name: string) => string;
  /** Text of `aaa.conf`, which also lies there. */
  text: string;
  config: ReturnType<typeof parseAaaConfig>;
  choria: Config;
  /** PEM of the listener's certificate. */
  certificate: string;
}

/** What differs from a plain installation. */
export interface InstallationOptions {
  /** `host:port` of the broker; without it no service is hosted. */
  broker?: string;
  organization?: TestOrganization;
  changes?: Record<string, unknown>;
  /**
   * Bcrypt cost of the passwords.
   * @default 4
   */
  cost?: number;
}

/**
 * Write credentials and configuration as the compose environment has them, with the users `admin` (who may do
 * everything), `choria` (who may not call choria_provision) and `streams` (who may do nothing), all with the password
 * `secret`.
 */
export async function install(options: InstallationOptions = {}): Promise<Installation> {
  const { broker, organization = new TestOrganization(), changes = {}, cost = 4 } = options;
  const folder = temporaryFolder();
  const { file } = folder;
  const { certificate, privateKey } = await selfSignedCertificate({ name: "localhost", alternatives: ["127.0.0.1"] });
  writeFileSync(file("tls.crt"), certificate);
  writeFileSync(file("tls.key"), privateKey);
  writeFileSync(file("admin.rego"), "package io.choria.aaasvc\n\ndefault allow = true\n");
  const rule = 'default allow = false\n\nallow {\n  input.agent != "choria_provision"\n}\n';
  writeFileSync(file("choria.rego"), `package io.choria.aaasvc\n\n${rule}`);
  await writeCredentials(organization, file);
  const choria = {
    identity: "aaa.choria.local",
    logfile: file("aaa.log"),
    "plugin.security.provider": "choria",
    "plugin.security.choria.token_file": file("service.jwt"),
    "plugin.security.choria.seed_file": file("service.seed"),
    "plugin.choria.middleware_hosts": broker ?? "127.0.0.1:1",
    "plugin.choria.use_srv": "false",
  };
  writeFileSync(
    file("aaa-choria.conf"),
    Object.entries(choria)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(""),
  );
  const password = await Bun.password.hash("secret", { algorithm: "bcrypt", cost });
  const document = {
    ...aaaConf(file, password, broker !== undefined),
    port: await freePort(),
    monitor_port: await freePort(),
  };
  const text = JSON.stringify({ ...document, ...changes });
  writeFileSync(file("aaa.conf"), text);
  return {
    organization,
    file,
    text,
    config: parseAaaConfig(text, file("aaa.conf")),
    choria: configFrom(choria),
    certificate,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

async function writeCredentials(organization: TestOrganization, file: (name: string) => string): Promise<void> {
  const day = { validity: 86_400_000 };
  const chain = await organization.chainIssuer("aaa_chain_delegator");
  chain.save(file("chain"));
  writeFileSync(file("chain.public"), chain.key.publicKey);
  const permissions = { authentication_delegator: true };
  (await organization.client({ callerid: "aaa_request_signer", permissions }, day)).save(file("reqsigner"));
  const server = { identity: "aaa.choria.local", collectives: ["choria"], permissions: { service_host: true } };
  (await organization.server(server, day)).save(file("service"));
}

function aaaConf(file: (name: string) => string, password: string, choriaService: boolean) {
  const user = (username: string, policy: string | undefined, permissions: string[]) => ({
    username,
    password,
    ...(policy === undefined ? {} : { opa_policy_file: file(policy) }),
    broker_permissions: Object.fromEntries(permissions.map((name) => [name, true])),
  });
  return {
    choria_config: file("aaa-choria.conf"),
    authenticator: "userlist",
    authorizer: "opa",
    signer: "basicjwt",
    site: "compose",
    address: "127.0.0.1",
    monitor_address: "127.0.0.1",
    tls_certificate: file("tls.crt"),
    tls_key: file("tls.key"),
    auditors: ["logfile"],
    logfile_auditor: { logfile: file("audit.json") },
    basicjwt_signer: {
      signing_certificate: file("chain.public"),
      signing_token: file("reqsigner.jwt"),
      signing_seed: file("reqsigner.seed"),
      max_validity: "2h",
      choria_service: choriaService,
    },
    userlist_authenticator: {
      signing_key: file("chain.seed"),
      signing_token: file("chain.jwt"),
      validity: "1h",
      users: [
        user("admin", "admin.rego", ["org_admin", "system_user", "signed_fleet_management"]),
        user("choria", "choria.rego", ["events_viewer", "signed_fleet_management"]),
        user("streams", undefined, ["streams_admin"]),
      ],
    },
  };
}

/** Somebody who logged in. */
export interface LoggedIn {
  key: KeyPair;
  token: string;
}

/**
 * Log in over HTTP.
 * @throws {Error} with the answer when there is no token in it.
 */
export async function logIn(url: string, username: string, pass = "secret", tls: object = {}): Promise<LoggedIn> {
  const key = generateKey();
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = key.sign(encodeUtf8(`${timestamp}:${username}:${pass}`)).toHex();
  const body = JSON.stringify({ username, password: pass, timestamp, signature, public_key: key.publicKey });
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/choria/v1/login`, { method: "POST", headers, body, tls } as RequestInit);
  const answer = (await response.json()) as { token?: string };
  if (answer.token === undefined) throw new Error(JSON.stringify(answer));
  return { key, token: answer.token };
}
