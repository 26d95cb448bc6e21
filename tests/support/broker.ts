import { type BrokerHandle, startBroker } from "../../lib/broker/mod.ts";
import { type Config, configFrom } from "../../lib/config/mod.ts";
import { type Certificate, selfSignedCertificate } from "../../lib/crypto/mod.ts";
import { createLogger, type Logger } from "../../lib/std/mod.ts";
import { temporaryFolder } from "./folder.ts";
import type { TestOrganization } from "./organization.ts";

/** A broker of a test's own. */
export interface TestBroker extends AsyncDisposable {
  /** `127.0.0.1:port`, as `plugin.choria.middleware_hosts` wants it. */
  address: string;
  /** `nats://127.0.0.1:port`. */
  url: string;
  port: number;
  config: Config;
  handle: BrokerHandle;
  /** End the broker and remove its files. Idempotent. */
  stop(): Promise<void>;
}

/** What {@link startTestBroker} starts. */
export interface TestBrokerOptions {
  /** Whose tokens it accepts. */
  organization: TestOrganization;
  /** Further settings, or others in place of those below; an empty text removes one. */
  settings?: Readonly<Record<string, string>>;
  /**
   * Set the environment variable `BROKER_LOG` to a level to see what it logs.
   * @default one that says nothing
   */
  logger?: Logger;
}

let certificate: Promise<Certificate> | undefined;

/**
 * The settings of a broker whose files lie in a folder, with a certificate of its own. `{@link startTestBroker}`
 * says what they are.
 */
export async function testBrokerSettings(
  file: (name: string) => string,
  { organization, settings = {} }: TestBrokerOptions,
): Promise<Record<string, string>> {
  certificate ??= selfSignedCertificate({ name: "localhost", alternatives: ["127.0.0.1"] });
  const pem = await certificate;
  await Bun.write(file("broker.crt"), pem.certificate);
  await Bun.write(file("broker.key"), pem.privateKey);
  const all = Object.entries({ ...defaults(file), ...issuers(organization), ...settings });
  return Object.fromEntries(all.filter(([, value]) => value !== ""));
}

/**
 * Start the broker role in this process, with a real nats-server on a free port of 127.0.0.1: TLS with a certificate
 * of its own, provisioning with the password `s3cret`, the system user `system` with the password `system`, and
 * streams in a temporary folder that are not synced at each write. It takes logins when this returns.
 */
export async function startTestBroker(options: TestBrokerOptions): Promise<TestBroker> {
  const folder = temporaryFolder();
  const config = configFrom(await testBrokerSettings(folder.file, options));
  const handle = await startBroker(config, { logger: options.logger ?? logger() });
  const stop = async () => {
    await handle.stop();
    folder[Symbol.dispose]();
  };
  const address = `127.0.0.1:${handle.ports.client}`;
  return {
    address,
    url: `nats://${address}`,
    port: handle.ports.client,
    config,
    handle,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function defaults(file: (name: string) => string): Record<string, string> {
  return {
    identity: "broker.test",
    "plugin.choria.broker_network": "true",
    "plugin.choria.use_srv": "false",
    "plugin.choria.network.listen_address": "127.0.0.1",
    // Any free port.
    "plugin.choria.network.client_port": "-1",
    "plugin.choria.network.provisioning.client_password": "s3cret",
    "plugin.choria.network.system.user": "system",
    "plugin.choria.network.system.password": "system",
    "plugin.choria.network.stream.store": file("streams"),
    "plugin.choria.network.stream.sync_interval": "2m",
    "plugin.security.choria.certificate": file("broker.crt"),
    "plugin.security.choria.key": file("broker.key"),
  };
}

function issuers(organization: TestOrganization): Record<string, string> {
  const names = [...organization.issuers.keys()];
  return Object.fromEntries([
    ["plugin.security.issuer.names", names.join(",")],
    ...names.map((name) => [`plugin.security.issuer.${name}.public`, organization.issuers.get(name) ?? ""]),
  ]);
}

function logger(): Logger {
  const level = process.env.BROKER_LOG;
  return createLogger({ destination: level ? "stderr" : "discard", level: level === "debug" ? "debug" : "info" });
}
