import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { formatConf } from "../config/mod.ts";
import { joinCommand } from "../process/mod.ts";
import { writeFileAtomic } from "../std/mod.ts";
import { provisioningSecret } from "./credentials.ts";
import type { Layout, Ports } from "./layout.ts";
import type { Site } from "./site.ts";

/** What the configuration files are made from. */
export interface NetworkSettings {
  ports: Ports;
  /** The organization issuer's public key. */
  issuer: string;
  /** Command that starts the provisioner's helper, without its settings file. */
  helper: readonly string[];
  site: Site;
}

/** Password of each of the network's three users, told by the README. */
const userPassword = "secret";

/**
 * Write the configuration of every role. Existing files are replaced: they are made from the ports and keys alone,
 * so what they held is what they hold again, unless somebody asked for other ports.
 */
export async function writeConfiguration(layout: Layout, settings: NetworkSettings): Promise<void> {
  const files: [role: string, file: string, content: string][] = [
    ["broker", "broker.conf", brokerConf(settings)],
    ["aaa", "aaa-choria.conf", aaaChoriaConf(settings)],
    ["aaa", "aaa.conf", await aaaConf(settings, existingPassword(layout))],
    ["aaa", "admin.rego", adminPolicy],
    ["aaa", "choria.rego", choriaPolicy],
    ["provisioner", "choria.cfg", provisionerChoriaCfg(settings)],
    ["provisioner", "provisioner.yaml", provisionerYaml(settings)],
    ["provisioner", "helper.json", helperSettings(layout, settings)],
    ["client", "client.conf", clientConf(settings)],
    ["stream-replicator", "sr.yaml", replicatorYaml(settings)],
  ];
  for (const [role, file, content] of files) {
    writeFileAtomic(layout.config(role, file), content, { mode: 0o600, makeFolders: true });
  }
}

function brokerConf({ ports, issuer, site }: NetworkSettings): string {
  return formatConf([
    ["plugin.choria.broker_network", "true"],
    ["plugin.choria.network.listen_address", site.listen],
    ["plugin.choria.network.client_port", String(ports.broker)],
    ["plugin.choria.network.public_url", `${site.hosts.broker}:${ports.broker}`],
    ["plugin.choria.stats_port", String(ports.stats)],
    ["plugin.choria.network.stream.store", site.data("broker")],
    ["plugin.choria.network.system.user", "system"],
    ["plugin.choria.network.system.password", "system"],
    ["plugin.choria.network.provisioning.client_password", provisioningSecret],
    ["plugin.choria.adapters", "registration"],
    ["plugin.choria.adapter.registration.type", "choria_streams"],
    ["plugin.choria.adapter.registration.stream.topic", "choria.node_metadata.%s"],
    ["plugin.choria.adapter.registration.ingest.topic", "choria.broadcast.agent.registration"],
    ["plugin.choria.adapter.registration.ingest.protocol", "request"],
    ["plugin.choria.middleware_hosts", brokerUrl(site, ports)],
    ["plugin.choria.use_srv", "false"],
    ["identity", "broker.choria.local"],
    ["loglevel", "info"],
    ["plugin.security.choria.certificate", site.credential("broker", "public.crt")],
    ["plugin.security.choria.key", site.credential("broker", "private.key")],
    ...own(site, "broker", "broker"),
    ...trust(issuer),
  ]);
}

function aaaChoriaConf({ ports, site }: NetworkSettings): string {
  return formatConf([
    ["identity", "aaa.choria.local"],
    ["plugin.choria.middleware_hosts", brokerUrl(site, ports)],
    ["plugin.choria.use_srv", "false"],
    ...own(site, "aaasvc", "signer-service"),
  ]);
}

async function aaaConf({ ports, site }: NetworkSettings, kept: string | undefined): Promise<string> {
  const password = kept ?? (await Bun.password.hash(userPassword, { algorithm: "bcrypt", cost: 10 }));
  const user = (username: string, broker_permissions: object, policy?: string) => ({
    username,
    password,
    ...(policy === undefined ? {} : { opa_policy_file: site.config("aaa", policy) }),
    broker_permissions,
  });
  return `${JSON.stringify(
    {
      choria_config: site.config("aaa", "aaa-choria.conf"),
      logfile: "/dev/stdout",
      loglevel: "info",
      site: site.name,
      port: ports.aaa,
      address: site.listen,
      monitor_port: ports.aaaMonitor,
      monitor_address: site.listen,
      tls_certificate: site.credential("aaasvc", "public.crt"),
      tls_key: site.credential("aaasvc", "private.key"),
      authenticator: "userlist",
      authorizer: "opa",
      signer: "basicjwt",
      auditors: ["logfile"],
      logfile_auditor: { logfile: site.log("signer_audit") },
      basicjwt_signer: {
        signing_certificate: site.credential("aaasvc", "chain-signer.public"),
        signing_token: site.credential("aaasvc", "request-signer.jwt"),
        signing_seed: site.credential("aaasvc", "request-signer.seed"),
        max_validity: "2h",
        choria_service: true,
      },
      userlist_authenticator: {
        signing_key: site.credential("aaasvc", "chain-signer.seed"),
        signing_token: site.credential("aaasvc", "chain-signer.jwt"),
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

function provisionerChoriaCfg({ ports, site }: NetworkSettings): string {
  return formatConf([
    ["identity", "provisioner_signer"],
    ["plugin.choria.middleware_hosts", brokerUrl(site, ports)],
    ["plugin.choria.use_srv", "false"],
    ...own(site, "provisioner", "signer"),
  ]);
}

function provisionerYaml({ ports, issuer, helper, site }: NetworkSettings): string {
  const settings = {
    workers: 4,
    interval: "1m",
    logfile: "/dev/stdout",
    loglevel: "info",
    helper: joinCommand([...helper, site.config("provisioner", "helper.json")]),
    token: provisioningSecret,
    choria_insecure: false,
    site: site.name,
    monitor_port: ports.provisionerMonitor,
    monitor_address: site.listen,
    broker_provisioning_password: provisioningSecret,
    jwt_verify_cert: issuer,
    jwt_signing_key: site.credential("provisioner", "signer.seed"),
    jwt_signing_token: site.credential("provisioner", "signer.jwt"),
    features: { jwt: true, ed25519: true },
  };
  // JSON is YAML, and quotes whatever needs quoting.
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${lines.join("\n")}\n`;
}

function helperSettings(layout: Layout, { ports, issuer, site }: NetworkSettings): string {
  const plugins = readFileSync(layout.credential("client", "plugin-signer.public"), "utf8").trim();
  return `${JSON.stringify({ brokers: brokerUrl(site, ports), issuer, pluginSigner: plugins, layout: site.serverLayout }, null, 2)}\n`;
}

/** Copies what nodes say of themselves to a NATS server that has nothing to do with the network. */
function replicatorYaml({ ports, site }: NetworkSettings): string {
  const login = {
    seed_file: site.credential("stream-replicator", "choria.seed"),
    jwt_file: site.credential("stream-replicator", "choria.jwt"),
    collective: "choria",
  };
  const isLocal = site.name === "local";
  const settings = {
    name: isLocal ? "LOCAL" : "COMPOSE",
    monitor_port: ports.replicatorMonitor || 8_082,
    monitor_address: site.listen,
    loglevel: "info",
    // Containers keep nothing but what is in their volumes; the table is as good new.
    state_store: isLocal ? site.data("stream-replicator") : "/tmp",
    streams: [
      {
        stream: "CHORIA_REGISTRATION",
        start_sequence: 1,
        source_url: brokerUrl(site, ports),
        target_url: `nats://${site.hosts.nats}:${ports.nats || 4_222}`,
        inspect_field: "sender",
        inspect_duration: "20m",
        warn_duration: "11m",
        size_trigger: 1_024,
        advisory: { subject: "choria.node_advisories.%v" },
        source_choria: login,
      },
    ],
    heartbeats: {
      interval: "10s",
      url: brokerUrl(site, ports),
      headers: { from: isLocal ? "choria_local" : "choria_compose" },
      choria: login,
      subjects: [{ subject: "choria.node_metadata._monitor" }],
    },
  };
  return stringify(settings);
}

/** Configuration of the NATS server that the replicator copies to. It knows nobody, and listens on this machine alone. */
export function standaloneNatsConf(layout: Layout, port: number): string {
  const store = JSON.stringify(layout.data("nats"));
  return `server_name: nats.choria.local\nlisten: "127.0.0.1:${port}"\njetstream { store_dir: ${store} }\n`;
}

function clientConf({ ports, issuer, site }: NetworkSettings): string {
  return formatConf([
    ["loglevel", "warn"],
    ["plugin.choria.middleware_hosts", brokerUrl(site, ports)],
    ["plugin.choria.use_srv", "false"],
    ["plugin.choria.discovery.broadcast.windowed_timeout", "true"],
    ["plugin.choria.security.request_signer.service", "true"],
    ["plugin.login.aaasvc.login.url", `https://${site.hosts.aaa}:${ports.aaa}/choria/v1/login`],
    ["plugin.choria.network.system.user", "system"],
    ["plugin.choria.network.system.password", "system"],
    ["plugin.security.provider", "choria"],
    ["plugin.security.choria.token_file", site.data("client/client.jwt")],
    ["plugin.security.choria.seed_file", site.data("client/client.key")],
    ["plugin.choria.services.registry.cache", site.data("client/registry")],
    ...trust(issuer),
  ]);
}

function own(site: Site, owner: string, name: string): [string, string][] {
  return [
    ["plugin.security.provider", "choria"],
    ["plugin.security.choria.token_file", site.credential(owner, `${name}.jwt`)],
    ["plugin.security.choria.seed_file", site.credential(owner, `${name}.seed`)],
  ];
}

function trust(issuer: string): [string, string][] {
  return [
    ["plugin.security.issuer.names", "choria"],
    ["plugin.security.issuer.choria.public", issuer],
  ];
}

function brokerUrl(site: Site, ports: Ports): string {
  return `nats://${site.hosts.broker}:${ports.broker}`;
}
