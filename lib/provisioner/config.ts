import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isMap, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { errorText, isFile, isLogLevel, type LogLevel, parseDuration } from "../std/mod.ts";

/** What a provisioner does for every node. */
export interface ProvisionerFeatures {
  /** Ask nodes for their provisioning token and verify it. */
  jwt: boolean;
  /** Give nodes ed25519 keys and server tokens; needs {@link ProvisionerFeatures.jwt}. */
  ed25519: boolean;
  /** Have nodes ask for certificates. */
  pki: boolean;
  /** Bring nodes to the version that the helper names. */
  upgrades: boolean;
}

/** A provisioner's configuration, as `provisioner.yaml` holds it. Durations are milliseconds. */
export interface ProvisionerConfig {
  /** Most helpers that run at a time. @default the number of processors */
  workers: number;
  /** Longest time between two discoveries. @default one minute, which is also the least */
  interval: number;
  /** @default "stdout" */
  logfile: string;
  /** @default "info" */
  loglevel: LogLevel;
  /** Command line of the helper, or path of its module. */
  helper: string;
  /** Import {@link ProvisionerConfig.helper} as a module instead of running it for each node. @default false */
  helperModule: boolean;
  /** Secret that nodes ask for. */
  token: string;
  /** Component whose start-up events announce nodes. @default "provision_mode_server" */
  lifecycleComponent: string;
  /** Connect without TLS. @default false */
  insecure: boolean;
  /** Label of the metrics. */
  site: string;
  /** Port of the metrics; 0 for none. */
  monitorPort: number;
  /** Address that the metrics are served at. @default every interface */
  monitorAddress: string;
  /** Password of the broker's user `provisioner`. */
  brokerPassword: string;
  /** Organization issuer's public key, hex or a file. */
  verifyKey: string;
  /** File of the key that signs server tokens. */
  signingKey: string;
  /** File of the token of that key's owner. */
  signingToken: string;
  /** Lifetime of server tokens where the helper names none. @default one year */
  serverValidity: number;
  /** Work only while elected. @default false */
  leaderElection: boolean;
  upgradesRepository: string;
  /** Go on where an upgrade fails. @default false */
  upgradesOptional: boolean;
  features: ProvisionerFeatures;
}

const leastInterval = 60_000;

/**
 * Read a provisioner's configuration file. Keys that are not known mean nothing.
 *
 * @throws {Error} `file F not found`, or naming file, line and column of what cannot be used.
 */
export function loadProvisionerConfig(path: string): ProvisionerConfig {
  if (!isFile(path)) throw new Error(`file ${path} not found`);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`file ${path} could not be parsed: ${errorText(error)}`, { cause: error });
  }
  return parseProvisionerConfig(text, path);
}

/**
 * Read a provisioner's configuration.
 *
 * @param path Named in errors.
 * @throws {Error} naming line and column of what cannot be used.
 */
export function parseProvisionerConfig(text: string, path: string): ProvisionerConfig {
  const reader = new YamlReader(text, path);
  const features = reader.section("features");
  const config: ProvisionerConfig = {
    workers: reader.integer("workers") || availableParallelism(),
    interval: reader.duration("interval", "1m"),
    logfile: reader.text("logfile") || "stdout",
    loglevel: logLevel(reader),
    helper: reader.text("helper"),
    helperModule: reader.flag("helper_module"),
    token: reader.text("token"),
    lifecycleComponent: reader.text("lifecycle_component") || "provision_mode_server",
    insecure: reader.flag("choria_insecure"),
    site: reader.text("site"),
    monitorPort: reader.integer("monitor_port"),
    monitorAddress: reader.text("monitor_address") || "0.0.0.0",
    brokerPassword: reader.text("broker_provisioning_password"),
    verifyKey: reader.text("jwt_verify_cert"),
    signingKey: reader.text("jwt_signing_key"),
    signingToken: reader.text("jwt_signing_token"),
    serverValidity: reader.duration("server_jwt_validity", "1y"),
    leaderElection: reader.flag("leader_election"),
    upgradesRepository: reader.text("upgrades_repository"),
    upgradesOptional: reader.flag("upgrades_optional"),
    features: {
      jwt: features.flag("jwt") || features.flag("ed25519"),
      ed25519: features.flag("ed25519"),
      pki: features.flag("pki"),
      upgrades: features.flag("upgrades"),
    },
  };
  validate(config, reader);
  return config;
}

function validate(config: ProvisionerConfig, reader: YamlReader): void {
  if (config.interval < leastInterval) {
    throw reader.bad("interval", "interval is too small, minmum is 1 minute.  Valid example values are 10m or 10h");
  }
  if (/[.>*\s]/.test(config.lifecycleComponent)) {
    throw reader.bad("lifecycle_component", "lifecycle_component may not contain '.', '>' or '*'");
  }
  if (config.workers < 0) throw reader.bad("workers", "workers must be 0 or more");
  if (config.helper === "") throw reader.bad("helper", "helper is not set");
  if (config.features.pki && config.features.ed25519) {
    throw reader.bad("features", "can only enable one of pki or ed25519 features");
  }
}

function logLevel(reader: YamlReader): LogLevel {
  const level = reader.text("loglevel") || "info";
  if (isLogLevel(level)) return level;
  throw reader.bad("loglevel", `unknown loglevel "${level}", expected debug, info, warn, error or fatal`);
}

/** Reads typed values of a YAML mapping and knows where each stands. */
class YamlReader {
  readonly #map: YAMLMap | undefined;
  readonly #lines: LineCounter;
  readonly #path: string;

  constructor(text: string, path: string, parent?: { map: YAMLMap | undefined; lines: LineCounter }) {
    this.#path = path;
    if (parent !== undefined) {
      this.#map = parent.map;
      this.#lines = parent.lines;
      return;
    }
    this.#lines = new LineCounter();
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) throw this.#at(error.pos[0], error.message);
    const { contents } = document;
    if (contents !== null && !isMap(contents)) throw this.#at(0, "expected settings as key: value");
    this.#map = contents ?? undefined;
  }

  text(key: string): string {
    const value = this.#value(key);
    if (typeof value === "string") return value;
    // An unquoted token of digits is still a token.
    if (typeof value === "number") return String(value);
    throw this.bad(key, `${key} must be text`);
  }

  integer(key: string): number {
    const value = this.#value(key) || 0;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw this.bad(key, `${key} must be a whole number`);
  }

  flag(key: string): boolean {
    const value = this.#value(key) || false;
    if (typeof value === "boolean") return value;
    // YAML 1.1, which older files are written in, has these for booleans.
    if (typeof value === "string" && /^(yes|no|on|off|y|n)$/i.test(value)) return /^(yes|on|y)$/i.test(value);
    throw this.bad(key, `${key} must be true or false`);
  }

  duration(key: string, fallback: string): number {
    try {
      return parseDuration(this.text(key) || fallback);
    } catch (error) {
      throw this.bad(key, errorText(error));
    }
  }

  section(key: string): YamlReader {
    const value = this.#map?.get(key, true) as unknown;
    if (value !== undefined && value !== null && !isMap(value) && this.#value(key) !== "") {
      throw this.bad(key, `${key} must hold settings of its own`);
    }
    return new YamlReader("", this.#path, { map: isMap(value) ? value : undefined, lines: this.#lines });
  }

  /** The error for a key, with its place in the file. */
  bad(key: string, reason: string): Error {
    const pair = this.#map?.items.find((item) => String(item.key) === key);
    const key_ = pair?.key;
    const at = typeof key_ === "object" && key_ !== null && "range" in key_ ? key_.range : undefined;
    return this.#at(Array.isArray(at) ? Number(at[0]) : undefined, reason);
  }

  /** The value; empty text where the key is missing or has none. */
  #value(key: string): unknown {
    return this.#map?.get(key) ?? "";
  }

  #at(offset: number | undefined, reason: string): Error {
    const place = offset === undefined ? undefined : this.#lines.linePos(offset);
    const where = place === undefined ? "" : ` line ${place.line}, column ${place.col}:`;
    return new Error(`file ${this.#path} could not be parsed:${where} ${reason}`);
  }
}
