import { readFileSync } from "node:fs";
import { errorText, isLogLevel, type LogLevel } from "../std/mod.ts";
import { Fields } from "./_fields.ts";
import { type AuditorConfig, decodeAuditors } from "./config_auditors.ts";
import { type BasicJwtConfig, decodeBasicJwt } from "./config_signer.ts";
import { decodeUserlist, type UserlistConfig } from "./config_userlist.ts";

/** Which claim decides whether a request is signed. */
export type AuthorizerName = "actionlist" | "opa";

/** Certificate and key of the HTTPS listener. */
export interface TlsFiles {
  certificate: string;
  key: string;
  /** Authorities that clients must have a certificate of; undefined asks for none. */
  ca: string | undefined;
}

/** What `aaa.conf` says. */
export interface AaaConfig {
  /** The file itself. */
  file: string;
  /** Log file; empty leaves it to the Choria configuration. */
  logfile: string;
  loglevel: LogLevel;
  /** Configuration of the broker connection; empty when there is none. */
  choriaConfig: string;
  /** Name of this installation in audit records, metrics and policies. */
  site: string;
  /** Port of logins and signatures; 0 for none. */
  port: number;
  /** Address to listen on; undefined for all. */
  address: string | undefined;
  /** Port of the metrics; 0 for none. */
  monitorPort: number;
  /** Address of the metrics; undefined for all. */
  monitorAddress: string | undefined;
  /** Undefined where no certificate is configured. */
  tls: TlsFiles | undefined;
  /** Undefined where nobody can log in here. */
  authenticator: UserlistConfig | undefined;
  /** Undefined where nothing is signed here. */
  signer: (BasicJwtConfig & { authorizer: AuthorizerName }) | undefined;
  auditors: AuditorConfig[];
}

/**
 * Read the configuration file of the AAA service.
 *
 * @throws {Error} naming the file, and the key with its path, when something in it cannot be used.
 */
export function loadAaaConfig(file: string): AaaConfig {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read the configuration "${file}": ${errorText(error)}`, { cause: error });
  }
  return parseAaaConfig(text, file);
}

/**
 * Like {@link loadAaaConfig}, from text. Unknown keys are passed over.
 * @throws {Error} naming the file, and the key with its path, when something in it cannot be used.
 */
export function parseAaaConfig(text: string, file: string): AaaConfig {
  try {
    return decode(new Fields(JSON.parse(text)), file);
  } catch (error) {
    throw new Error(`Cannot use the configuration "${file}": ${errorText(error)}`, { cause: error });
  }
}

function decode(fields: Fields, file: string): AaaConfig {
  return {
    file,
    logfile: fields.text("logfile"),
    loglevel: decodeLevel(fields),
    choriaConfig: fields.text("choria_config"),
    site: fields.text("site") || "default",
    port: fields.port("port"),
    address: fields.text("address") || undefined,
    monitorPort: fields.port("monitor_port"),
    monitorAddress: fields.text("monitor_address") || undefined,
    tls: decodeTls(fields),
    authenticator: decodeAuthenticator(fields),
    signer: decodeSigner(fields),
    auditors: decodeAuditors(fields),
  };
}

function decodeLevel(fields: Fields): LogLevel {
  const level = fields.text("loglevel") || "info";
  if (isLogLevel(level)) return level;
  throw fields.error("loglevel", "expected debug, info, warn, error or fatal");
}

function decodeTls(fields: Fields): TlsFiles | undefined {
  const certificate = fields.text("tls_certificate");
  const key = fields.text("tls_key");
  const ca = fields.text("tls_ca") || undefined;
  if (certificate === "" && key === "" && ca === undefined) return undefined;
  if (certificate === "") throw fields.error("tls_certificate", "is required beside tls_key and tls_ca");
  if (key === "") throw fields.error("tls_key", "is required beside tls_certificate");
  return { certificate, key, ca };
}

function decodeAuthenticator(fields: Fields): UserlistConfig | undefined {
  const name = fields.text("authenticator");
  if (name === "") return undefined;
  if (name === "okta") throw fields.error("authenticator", "okta authenticator has been removed");
  if (name !== "userlist") throw fields.error("authenticator", `unknown authenticator: ${name}`);
  const settings = fields.object("userlist_authenticator");
  if (settings === undefined) {
    throw fields.error("userlist_authenticator", "is required, as the authenticator is userlist");
  }
  return decodeUserlist(settings);
}

function decodeSigner(fields: Fields): AaaConfig["signer"] {
  const name = fields.text("signer");
  const authorizer = decodeAuthorizer(fields);
  if (name === "") return undefined;
  if (name !== "basicjwt") throw fields.error("signer", `unknown signer: ${name}`);
  const settings = fields.object("basicjwt_signer");
  if (settings === undefined) {
    throw fields.error("basicjwt_signer", "basicjwt signer enabled without a valid configuration");
  }
  if (authorizer === undefined) {
    throw fields.error("authorizer", "is required where requests are signed: actionlist or opa");
  }
  return { ...decodeBasicJwt(settings), authorizer };
}

function decodeAuthorizer(fields: Fields): AuthorizerName | undefined {
  const name = fields.text("authorizer");
  if (name === "") return undefined;
  if (name === "actionlist" || name === "opa") return name;
  throw fields.error("authorizer", `unknown authorizer: ${name}`);
}
