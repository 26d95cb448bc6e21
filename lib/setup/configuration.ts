import { readFileSync } from "node:fs";
import { formatConf } from "../config/mod.ts";
import { joinCommand } from "../process/mod.ts";
import { writeFileAtomic } from "../std/mod.ts";
import { provisioningSecret } from "./credentials.ts";
import type { Layout, Ports } from "./layout.ts";
import { bunCommand } from "./process.ts";

/** What the configuration files are made from. */
export interface NetworkSettings {
  ports: Ports;
  /** The organization issuer's public key. */
  issuer: string;
  /** Absolute path of the provisioner's helper program. */
  helper: string;
}

/** Password of each of the network's three users, told by the README. */
const userPassword = "secret";

/**
 * Write the configuration of every role. Existing files are replaced: they are made from the ports and keys alone,
 * so what they held is what they hold again, unless somebody asked for other ports.
 */
export async function writeConfiguration(layout: Layout, settings: NetworkSettings): Promise<void> {
  const files: [role: string, file: string, content: string][] = [
    ["broker", "broker.conf", brokerConf(layout, settings)],
    ["aaa", "aaa-choria.conf", aaaChoriaConf(layout, settings)],
    ["aaa", "aaa.conf", await aaaConf(layout, settings)],
    ["aaa", "admin.rego", adminPolicy],
    ["aaa", "choria.rego", choriaPolicy],
    ["provisioner", "choria.cfg", provisionerChoriaCfg(layout, settings)],
    ["provisioner", "provisioner.yaml", provisionerYaml(layout, settings)],
    ["provisioner", "helper.json", helperSettings(layout, settings)],
    ["client", "client.conf", clientConf(layout, settings)],
  ];
  for (const [role, file, content] of files) {
    writeFileAtomic(layout.config(role, file), content, { mode: 0o600, makeFolders: true });
  }
}

function brokerConf(layout: Layout, { ports, issuer }: NetworkSettings): string {
  return formatConf([
    ["plugin.choria.broker_network", "true"],
    ["plugin.choria.network.listen_address", "127.0.0.1"],
    ["plugin.choria.network.client_port", String(ports.broker)],
    ["plugin.choria.network.public_url", `127.0.0.1:${ports.broker}`],
    ["plugin.choria.stats_port", String(ports.stats)],
    ["plugin.choria.network.stream.store", layout.data("broker")],
    ["plugin.choria.network.system.user", "system"],
    ["plugin.choria.network.system.password", "system"],
    ["plugin.choria.network.provisioning.client_password", provisioningSecret],
    ["plugin.choria.adapters", "registration"],
    ["plugin.choria.adapter.registration.type", "choria_streams"],
    ["plugin.choria.adapter.registration.stream.topic", "choria.node_metadata.%s"],
    ["plugin.choria.adapter.registration.ingest.topic", "choria.broadcast.agent.registration"],
    ["plugin.choria.adapter.registration.ingest.protocol", "request"],
    ["plugin.choria.middleware_hosts", brokerUrl(ports)],
    ["plugin.choria.use_srv", "false"],
    ["identity", "broker.choria.local"],
    ["loglevel", "info"],
    ["plugin.security.choria.certificate", layout.credential("broker", "public.crt")],
    ["plugin.security.choria.key", layout.credential("broker", "private.key")],
    ...own(layout, "broker", "broker"),
    ...trust(issuer),
  ]);
}

function aaaChoriaConf(layout: Layout, { ports }: NetworkSettings): string {
  return formatConf([
    ["identity", "aaa.choria.local"],
    ["plugin.choria.middleware_hosts", brokerUrl(ports)],
    ["plugin.choria.use_srv", "false"],
    ...own(layout, "aaasvc", "signer-service"),
  ]);
}

async function aaaConf(layout: Layout, { ports }: NetworkSettings): Promise<string> {
  const password =
    existingPassword(layout) ?? (await Bun.password.hash(userPassword, { algorithm: "bcrypt", cost: 10 }));
  const user = (username: string, broker_permissions: object, policy?: string) => ({
    username,
    password,
    ...(policy === undefined ? {} : { opa_policy_file: layout.config("aaa", policy) }),
    broker_permissions,
  });
  return `${JSON.stringify(
    {
      choria_config: layout.config("aaa", "aaa-choria.conf"),
      logfile: "/dev/stdout",
      loglevel: "info",
      site: "local",
      port: ports.aaa,
      address: "127.0.0.1",
      monitor_port: ports.aaaMonitor,
      monitor_address: "127.0.0.1",
      tls_certificate: layout.credential("aaasvc", "public.crt"),
      tls_key: layout.credential("aaasvc", "private.key"),
      authenticator: "userlist",
      authorizer: "opa",
      signer: "basicjwt",
      auditors: ["logfile"],
      logfile_auditor: { logfile: layout.log("signer_audit") },
      basicjwt_signer: {
        signing_certificate: layout.credential("aaasvc", "chain-signer.public"),
        signing_token: layout.credential("aaasvc", "request-signer.jwt"),
        signing_seed: layout.credential("aaasvc", "request-signer.seed"),
        max_validity: "2h",
        choria_service: true,
      },
      userlist_authenticator: {
        signing_key: layout.credential("aaasvc", "chain-signer.seed"),
        signing_token: layout.credential("aaasvc", "chain-signer.jwt"),
        validity: "1h",
        users: [
          user("admin", { org_admin: true, system_user: true, signed_fleet_management: true }, "admin.rego"),
          user("streams", { streams_admin: true }),
          user("choria", { signed_fleet_management: true, events_viewer: true }, "choria.rego"),
        ],
      },
    },
    null,
    2,
  )}\n`;
}

/** A hash has fresh salt each time; keeping the old one keeps a second run from changing the file. */
function existingPassword(layout: Layout): string | undefined {
  try {
    const text = readFileSync(layout.config("aaa", "aaa.conf"), "utf8");
    return /"password": "([^"]+)"/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

const adminPolicy = `package io.choria.aaasvc

default allow = true
`;

const choriaPolicy = `package io.choria.aaasvc

import rego.v1

default allow := false

# Everything but taking servers out of service.
allow if {
	input.agent != "choria_provision"
}
`;

function provisionerChoriaCfg(layout: Layout, { ports }: NetworkSettings): string {
  return formatConf([
    ["identity", "provisioner_signer"],
    ["plugin.choria.middleware_hosts", brokerUrl(ports)],
    ["plugin.choria.use_srv", "false"],
    ...own(layout, "provisioner", "signer"),
  ]);
}

function provisionerYaml(layout: Layout, { ports, issuer, helper }: NetworkSettings): string {
  const settings = {
    workers: 4,
    interval: "1m",
    logfile: "/dev/stdout",
    loglevel: "info",
    helper: joinCommand(bunCommand(helper, layout.config("provisioner", "helper.json"))),
    token: provisioningSecret,
    choria_insecure: false,
    site: "local",
    monitor_port: ports.provisionerMonitor,
    monitor_address: "127.0.0.1",
    broker_provisioning_password: provisioningSecret,
    jwt_verify_cert: issuer,
    jwt_signing_key: layout.credential("provisioner", "signer.seed"),
    jwt_signing_token: layout.credential("provisioner", "signer.jwt"),
    features: { jwt: true, ed25519: true },
  };
  // JSON is YAML, and quotes whatever needs quoting.
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${lines.join("\n")}\n`;
}

function helperSettings(layout: Layout, { ports, issuer }: NetworkSettings): string {
  const plugins = readFileSync(layout.credential("client", "plugin-signer.public"), "utf8").trim();
  return `${JSON.stringify({ brokers: brokerUrl(ports), issuer, pluginSigner: plugins, layout: "folder" }, null, 2)}\n`;
}

function clientConf(layout: Layout, { ports, issuer }: NetworkSettings): string {
  return formatConf([
    ["loglevel", "warn"],
    ["plugin.choria.middleware_hosts", brokerUrl(ports)],
    ["plugin.choria.use_srv", "false"],
    ["plugin.choria.discovery.broadcast.windowed_timeout", "true"],
    ["plugin.choria.security.request_signer.service", "true"],
    ["plugin.login.aaasvc.login.url", `https://127.0.0.1:${ports.aaa}/choria/v1/login`],
    ["plugin.choria.network.system.user", "system"],
    ["plugin.choria.network.system.password", "system"],
    ["plugin.security.provider", "choria"],
    ["plugin.security.choria.token_file", layout.data("client/client.jwt")],
    ["plugin.security.choria.seed_file", layout.data("client/client.key")],
    ["plugin.choria.services.registry.cache", layout.data("client/registry")],
    ...trust(issuer),
  ]);
}

function own(layout: Layout, owner: string, name: string): [string, string][] {
  return [
    ["plugin.security.provider", "choria"],
    ["plugin.security.choria.token_file", layout.credential(owner, `${name}.jwt`)],
    ["plugin.security.choria.seed_file", layout.credential(owner, `${name}.seed`)],
  ];
}

function trust(issuer: string): [string, string][] {
  return [
    ["plugin.security.issuer.names", "choria"],
    ["plugin.security.issuer.choria.public", issuer],
  ];
}

function brokerUrl(ports: Ports): string {
  return `nats://127.0.0.1:${ports.broker}`;
}
