import { join } from "node:path";
import type { Config } from "../config/mod.ts";
import { hostAndPort } from "../connector/mod.ts";
import type { Json } from "../std/mod.ts";
import { natsAccounts } from "./_nats_accounts.ts";
import { gatewayRemotes, leafnodeRemotes } from "./_nats_remotes.ts";
import { type CalloutKeys, routePassword } from "./callout_keys.ts";
import { routeFileNames } from "./route_certificate.ts";

/** Ports on which the world reaches a nats-server. */
export interface BrokerPorts {
  client: number;
  /** 0 without peers. */
  peers: number;
  /** 0 without websockets. */
  websocket: number;
}

/** What a nats-server's configuration is made of besides ours. */
export interface NatsConfigOptions {
  config: Config;
  /** Name of this broker. */
  identity: string;
  keys: CalloutKeys;
  /** Other brokers, `host:port` each. */
  peers: readonly string[];
  /** Private folder of this run: nats-server tells its ports in it, and finds the certificate for other brokers. */
  folder: string;
  /** Ports that must not change: those of the child before this one. */
  ports?: BrokerPorts;
  /**
   * Whether nobody answers logins yet. Who comes too early is then sent away at once to try again, instead of
   * waiting the whole time that a login may take.
   * @default false
   */
  isStarting?: boolean;
}

type Block = { [key: string]: Json };

/** A port of this value, or below, is chosen by the system. */
const anyPort = -1;
const defaultPeerPort = 5_222;
/** Name of the folder, in that of the run, in which nats-server tells its ports. */
export const portsFolder = "ports";
/** Our own responder logs in within a few milliseconds; even a busy machine needs less. */
const startingTimeout = 500;
const routeUser = "broker";
const routeTlsTimeout = 5;

/**
 * Write nats-server's configuration: accounts, auth callout, TLS, streams, and the links to other brokers. It is JSON,
 * which nats-server reads as its own format; no secret is in it but those of links to other brokers.
 *
 * @throws {Error} when a setting of a gateway, leaf node or mapping is missing.
 */
export function natsConfig(options: NatsConfigOptions): string {
  const { config } = options;
  const document: Block = {
    ...listener(options),
    ...limits(config),
    logtime: false,
    debug: config.get("loglevel") === "debug",
    ports_file_dir: join(options.folder, portsFolder),
    // Behind our own statistics listener, so any port will do.
    http: `127.0.0.1:${anyPort}`,
    tls: tls(config),
    system_account: "system",
    accounts: natsAccounts(config, options.keys),
    authorization: authorization(options),
    cluster: cluster(options),
    ...streams(config),
    ...links(options),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** The port for other brokers; 0 when there are none. */
export function peerPort(config: Config, peers: readonly string[]): number {
  if (peers.length === 0) return 0;
  return config.get("plugin.choria.network.peer_port") || defaultPeerPort;
}

function listener({ config, identity, ports }: NatsConfigOptions): Block {
  const configured = config.get("plugin.choria.network.client_port");
  const url = config.get("plugin.choria.network.public_url");
  const advertise = url === "" ? configured > 0 && `${identity}:${configured}` : hostAndPort(url);
  return {
    server_name: identity,
    host: config.get("plugin.choria.network.listen_address"),
    port: ports?.client ?? (configured > 0 ? configured : anyPort),
    ...(advertise === false ? {} : { client_advertise: advertise }),
  };
}

function limits(config: Config): Block {
  return {
    max_connections: config.get("plugin.choria.network.max_connections"),
    max_control_line: config.get("plugin.choria.network.max_control_line"),
    write_deadline: milliseconds(config.get("plugin.choria.network.write_deadline")),
  };
}

function tls(config: Config): Block {
  const suites = list(config.option("plugin.security.cipher_suites"));
  const curves = list(config.option("plugin.security.ecc_curves")).map((curve) =>
    curve.replace(/^P(\d+)$/, "CurveP$1"),
  );
  return {
    cert_file: config.get("plugin.security.choria.certificate"),
    key_file: config.get("plugin.security.choria.key"),
    timeout: config.get("plugin.choria.network.tls_timeout") / 1_000,
    ...(suites.length === 0 ? {} : { cipher_suites: suites }),
    ...(curves.length === 0 ? {} : { curve_preferences: curves }),
  };
}

function authorization({ config, keys, isStarting = false }: NatsConfigOptions): Block {
  const timeout = config.get("plugin.choria.network.auth_timeout");
  return {
    timeout: (isStarting ? Math.min(timeout, startingTimeout) : timeout) / 1_000,
    auth_callout: {
      issuer: keys.issuer.publicKey,
      account: keys.account,
      auth_users: [keys.responder.publicKey, keys.internal.publicKey],
    },
  };
}

function streams(config: Config): Block {
  const store = config.get("plugin.choria.network.stream.store");
  if (store === "") return {};
  return { jetstream: { store_dir: store, sync_interval: config.get("plugin.choria.network.stream.sync_interval") } };
}

function cluster({ config, peers, ports, folder }: NatsConfigOptions): Block {
  const name = config.get("plugin.choria.network.gateway_name");
  // Without a port the block only names the cluster, which reports show even for a broker on its own.
  if (peers.length === 0) return { name };
  const [user, password] = routeCredentials(config);
  const login = user === "" ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  return {
    name,
    host: config.get("plugin.choria.network.listen_address"),
    port: ports?.peers ?? peerPort(config, peers),
    no_advertise: true,
    // Brokers of the original do not pool their routes, and both ends must agree.
    pool_size: -1,
    routes: peers.map((peer) => `nats://${login}${hostAndPort(peer)}`),
    ...(user === "" ? {} : { authorization: { user, password } }),
    ...(config.get("plugin.choria.network.peer_secret") === "" ? {} : { tls: routeTls(folder) }),
  };
}

function routeTls(folder: string): Block {
  const files = Object.entries(routeFileNames).map(([key, name]): [string, Json] => [key, join(folder, name)]);
  return { ...Object.fromEntries(files), timeout: routeTlsTimeout };
}

function routeCredentials(config: Config): [user: string, password: string] {
  const user = config.get("plugin.choria.network.peer_user");
  if (user !== "") return [user, config.get("plugin.choria.network.peer_password")];
  const secret = config.get("plugin.choria.network.peer_secret");
  return secret === "" ? ["", ""] : [routeUser, routePassword(secret)];
}

function links(options: NatsConfigOptions): Block {
  const { config } = options;
  const profiler = config.get("plugin.choria.network.pprof_port");
  return {
    ...gateway(config),
    ...leafnodes(config),
    ...websocket(options),
    ...(profiler > 0 ? { prof_port: profiler } : {}),
  };
}

function gateway(config: Config): Block {
  const port = config.get("plugin.choria.network.gateway_port");
  const remotes = config.get("plugin.choria.network.gateway_remotes");
  if (port <= 0 || remotes.length === 0) return {};
  return {
    gateway: {
      name: config.get("plugin.choria.network.gateway_name"),
      host: config.get("plugin.choria.network.listen_address"),
      port,
      reject_unknown_cluster: true,
      gateways: gatewayRemotes(config, remotes),
    },
  };
}

function leafnodes(config: Config): Block {
  const port = config.get("plugin.choria.network.leafnode_port");
  const remotes = config.get("plugin.choria.network.leafnode_remotes");
  if (port <= 0 && remotes.length === 0) return {};
  const host = config.get("plugin.choria.network.listen_address");
  return {
    leafnodes: {
      ...(port > 0 ? { host, port, tls: tls(config) } : {}),
      ...(remotes.length > 0 ? { remotes: leafnodeRemotes(config, remotes) } : {}),
    },
  };
}

function websocket({ config, ports }: NatsConfigOptions): Block {
  const port = config.get("plugin.choria.network.websocket_port");
  const advertise = config.get("plugin.choria.network.websocket_advertise");
  if (port === 0) return {};
  const { timeout, ...certificate } = tls(config);
  return {
    websocket: {
      host: config.get("plugin.choria.network.listen_address"),
      port: ports?.websocket ?? port,
      compression: true,
      handshake_timeout: milliseconds(Number(timeout) * 1_000),
      tls: certificate,
      ...(advertise === "" ? {} : { advertise }),
    },
  };
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)}ms`;
}

function list(text = ""): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
