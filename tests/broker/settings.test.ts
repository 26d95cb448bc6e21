import { describe, expect, test } from "bun:test";
import {
  calloutKeys,
  checkBrokerSettings,
  countBrokers,
  loginPolicy,
  natsConfig,
  peersOf,
  routeCertificateFiles,
} from "../../lib/broker/mod.ts";
import { type Config, configFrom } from "../../lib/config/mod.ts";
import { isObject, type JsonObject, silentLogger } from "../../lib/std/mod.ts";
import { testBrokerSettings } from "../support/broker.ts";
import { temporaryFolder } from "../support/folder.ts";
import { natsServerPath } from "../support/nats.ts";
import { TestOrganization } from "../support/organization.ts";

const organization = new TestOrganization();
const folder = temporaryFolder();
const good = configFrom(await testBrokerSettings(folder.file, { organization }));
const keys = calloutKeys({ identity: "a", isCluster: false, peerSecret: "" });
const secret = "0123456789abcdef0123456789abcdef";

function document(config: Config, peers: readonly string[] = []): JsonObject {
  const text = natsConfig({ config, identity: "broker.test", keys, peers, folder: "/run" });
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error("not an object");
  return value;
}

describe("a configuration without which a broker is none is refused, and the error says which setting it is", () => {
  test.each([
    ["plugin.choria.broker_network", "false", "all broker features are disabled"],
    ["plugin.security.choria.certificate", undefined, "plugin.security.choria.certificate is not set"],
    [
      "plugin.security.choria.key",
      "/nonexistent",
      'plugin.security.choria.key = "/nonexistent": there is no such file',
    ],
    ["plugin.security.issuer.names", undefined, "no organization is trusted"],
    [
      "plugin.choria.network.auth_timeout",
      "61s",
      "plugin.choria.network.auth_timeout and plugin.choria.network.tls_timeout must not exceed 60 seconds",
    ],
    ["plugin.choria.network.tls_timeout", "2m", "must not exceed 60 seconds"],
    [
      "plugin.choria.network.client_signer_cert",
      "x",
      "cannot set trusted client signers using plugin.choria.network.client_signer_cert when an issuer is configured",
    ],
    ["plugin.choria.network.client_port", "http", 'Cannot use plugin.choria.network.client_port = "http"'],
  ])("%s = %s", (key, value, text) => {
    const config = good.with({ [key]: value });
    expect(() => {
      checkBrokerSettings(config);
      document(config);
    }).toThrow(text);
  });

  test.each([
    ["plugin.choria.network.mapping.names", "m", "plugin.choria.network.mapping.m.source is not set"],
    ["plugin.choria.network.leafnode_remotes", "l", "plugin.choria.network.leafnode_remote.l.url is not set"],
  ])("%s = %s", (key, value, text) => {
    expect(() => document(good.with({ [key]: value }))).toThrow(text);
  });
});

test("without provisioning there is no account for it", () => {
  const without = good.with({ "plugin.choria.network.provisioning.client_password": undefined });
  expect(Object.keys(Object(document(good).accounts))).toEqual(["system", "AUTH", "choria", "provisioning"]);
  expect(Object.keys(Object(document(without).accounts))).toEqual(["system", "AUTH", "choria"]);
  expect(Object(document(without).accounts).choria).not.toHaveProperty("imports");
});

test("without a store there are no streams", () => {
  const without = good.with({ "plugin.choria.network.stream.store": undefined });
  expect(document(without)).not.toHaveProperty("jetstream");
  expect(Object(document(without).accounts).choria).not.toHaveProperty("jetstream");
});

test("streams are synced before they are acknowledged unless the configuration says otherwise", () => {
  const store = good.get("plugin.choria.network.stream.store");
  const usual = good.with({ "plugin.choria.network.stream.sync_interval": undefined });
  expect(document(usual).jetstream).toEqual({ store_dir: store, sync_interval: "always" });
  expect(document(good).jetstream).toEqual({ store_dir: store, sync_interval: "2m" });
});

test("every setting of the links reaches nats-server", () => {
  const config = good.with({
    "plugin.choria.network.gateway_port": "7222",
    "plugin.choria.network.gateway_remotes": "DC2",
    "plugin.choria.network.gateway_remote.DC2.urls": "one.example.net:7222,nats://two.example.net:7222",
    "plugin.choria.network.leafnode_port": "6222",
    "plugin.choria.network.leafnode_remotes": "hub",
    "plugin.choria.network.leafnode_remote.hub.url": "hub.example.net:7422",
    "plugin.choria.network.leafnode_remote.hub.credentials": "/etc/hub.creds",
    "plugin.choria.network.websocket_port": "8443",
    "plugin.choria.network.websocket_advertise": "ws.example.net:443",
    "plugin.choria.network.mapping.names": "old",
    "plugin.choria.network.mapping.old.source": "old.*",
    "plugin.choria.network.mapping.old.destination": "new.{{wildcard(1)}}",
    "plugin.choria.network.pprof_port": "6060",
    "plugin.choria.network.write_deadline": "5s",
    "plugin.choria.network.public_url": "nats://broker.example.net:4222",
    "plugin.security.cipher_suites": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "plugin.security.ecc_curves": "X25519,P256",
  });
  const made = document(config);
  expect(made).toMatchObject({
    client_advertise: "broker.example.net:4222",
    write_deadline: "5000ms",
    prof_port: 6060,
    gateway: {
      name: "CHORIA",
      port: 7222,
      reject_unknown_cluster: true,
      gateways: [{ name: "DC2", urls: ["nats://one.example.net:7222", "nats://two.example.net:7222"] }],
    },
    leafnodes: {
      port: 6222,
      remotes: [{ url: "nats://hub.example.net:7422", account: "choria", credentials: "/etc/hub.creds" }],
    },
    websocket: { port: 8443, advertise: "ws.example.net:443", compression: true },
    accounts: { choria: { mappings: { "old.*": "new.{{wildcard(1)}}" } } },
    tls: {
      cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
      curve_preferences: ["X25519", "CurveP256"],
    },
  });
});

test("nats-server accepts the configuration of every link", async () => {
  const config = good.with({
    "plugin.choria.network.gateway_port": "7222",
    "plugin.choria.network.gateway_remotes": "DC2,DC3",
    "plugin.choria.network.gateway_remote.DC2.urls": "one.example.net:7222",
    "plugin.choria.network.gateway_remote.DC3.urls": "three.example.net:7222",
    "plugin.choria.network.gateway_remote.DC3.tls.ca": folder.file("broker.crt"),
    "plugin.choria.network.leafnode_port": "6222",
    "plugin.choria.network.leafnode_remotes": "hub",
    "plugin.choria.network.leafnode_remote.hub.url": "nats://hub.example.net:7422",
    "plugin.choria.network.leafnode_remote.hub.tls.verify": "no",
    "plugin.choria.network.websocket_port": "8443",
    "plugin.choria.network.peer_secret": secret,
    "plugin.choria.network.mapping.names": "old",
    "plugin.choria.network.mapping.old.source": "old.*",
    "plugin.choria.network.mapping.old.destination": "new.{{wildcard(1)}}",
    "plugin.choria.network.pprof_port": "6060",
    "plugin.security.cipher_suites": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "plugin.security.ecc_curves": "X25519,P256,P384,P521",
  });
  const files = await routeCertificateFiles(config, "b", ["a:5222"]);
  for (const [name, text] of Object.entries(files)) await Bun.write(folder.file(name), text);
  const text = natsConfig({ config, identity: "b", keys, peers: ["a:5222", "c:5222"], folder: folder.path });
  await Bun.write(folder.file("nats.conf"), text);
  const check = Bun.spawnSync([natsServerPath(), "-t", "-c", folder.file("nats.conf")]);
  expect([check.exitCode, check.stderr.toString()]).toEqual([0, expect.stringContaining("is valid")]);
});

test("an organization without a usable key is left out; where none is left there is no broker", () => {
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (text: string) => errors.push(text) };
  const two = good.with({ "plugin.security.issuer.names": "choria,acme", "plugin.security.issuer.acme.public": "abc" });
  expect([...loginPolicy(two, logger).issuers.keys()]).toEqual(["choria"]);
  expect(errors).toEqual(["An organization issuer is left out: its public key is not 64 hex characters"]);
  expect(() => loginPolicy(two.with({ "plugin.security.issuer.choria.public": undefined }), silentLogger)).toThrow(
    "Cannot start the broker: no organization issuer has a usable public key",
  );
});

test("a broker on its own opens no port for others but names its cluster", () => {
  expect(document(good).cluster).toEqual({ name: "CHORIA" });
});

test("brokers of a cluster listen for each other as the original's do", () => {
  expect(document(good, ["a:5222", "nats://b:5222"]).cluster).toEqual({
    name: "CHORIA",
    host: "127.0.0.1",
    port: 5222,
    no_advertise: true,
    pool_size: -1,
    routes: ["nats://a:5222", "nats://b:5222"],
  });
});

test("routes carry the credentials that they ask for", () => {
  const named = good.with({ "plugin.choria.network.peer_user": "u", "plugin.choria.network.peer_password": "p@s:s" });
  expect(document(named, ["a:5222"]).cluster).toMatchObject({
    authorization: { user: "u", password: "p@s:s" },
    routes: ["nats://u:p%40s%3As@a:5222"],
  });
  const shared = document(good.with({ "plugin.choria.network.peer_secret": secret }), ["a:5222"]);
  expect(shared.cluster).toMatchObject({
    authorization: { user: "broker" },
    tls: { cert_file: "/run/route.crt", key_file: "/run/route.key", ca_file: "/run/route-ca.crt" },
  });
  expect(JSON.stringify(shared)).not.toContain(secret);
});

test("brokers that share a secret share the issuer of logins; others have each their own account and issuer", () => {
  const scope = (identity: string, peerSecret: string) => calloutKeys({ identity, isCluster: true, peerSecret });
  const [a, b] = [scope("a", secret), scope("b", secret)];
  expect([a.issuer.publicKey, a.account]).toEqual([b.issuer.publicKey, b.account]);
  expect(a.responder.publicKey).not.toBe(b.responder.publicKey);
  expect(scope("a", `${secret}x`).issuer.publicKey).not.toBe(a.issuer.publicKey);
  expect(scope("a", "").account).not.toBe(scope("b", "").account);
  expect(scope("a", "").issuer.publicKey).not.toBe(scope("a", "").issuer.publicKey);
});

test("a shared secret that could be guessed is refused", () => {
  expect(() => calloutKeys({ identity: "a", isCluster: true, peerSecret: "s3cret" })).toThrow(
    "Cannot use plugin.choria.network.peer_secret: it has 6 characters, at least 32 are needed",
  );
});

test("peers come from the configuration, else from DNS", async () => {
  const lookup = async (name: string) =>
    name === "_mcollective-broker._tcp.example.net" ? [{ name: "one.example.net.", port: 5222 }] : [];
  const dns = good.with({ "plugin.choria.use_srv": "true", "plugin.choria.srv_domain": "example.net" });
  expect(await peersOf(dns, lookup)).toEqual(["one.example.net:5222"]);
  expect(await peersOf(dns.with({ "plugin.choria.network.peers": "nats://a:1, b:2" }), lookup)).toEqual(["a:1", "b:2"]);
  expect(await peersOf(good, lookup)).toEqual([]);
});

test("a list of peers that names this broker too does not make it one more", () => {
  expect(countBrokers(["a:5222", "b:5222", "c:5222"], "b", 5_222)).toBe(3);
  expect(countBrokers(["a:5222", "c:5222"], "b", 5_222)).toBe(3);
  expect(countBrokers(["127.0.0.1:1", "127.0.0.1:2"], "b", 2)).toBe(2);
  expect(countBrokers([], "b", 0)).toBe(1);
});
