import type { CredentialFiles } from "../security/mod.ts";
import type { Fields } from "./_fields.ts";

/** `logfile_auditor` of the configuration. */
export interface LogfileAuditorConfig {
  kind: "logfile";
  /** Empty writes lines of text to the standard output. */
  logfile: string;
}

/** `jetstream_auditor` of the configuration. */
export interface JetStreamAuditorConfig {
  kind: "jetstream";
  /** NATS URLs. */
  servers: string[];
  /** Subject that records are published to. */
  topic: string;
  /** Credentials of the auditor alone; undefined takes those of the Choria configuration. */
  credentials: CredentialFiles | undefined;
  /** NATS user and password, for servers that are not brokers. */
  user: string | undefined;
  password: string | undefined;
  /** Whether the servers are reached without TLS, as plain NATS servers are. */
  disableTls: boolean;
}

/** An auditor that the configuration asks for. */
export type AuditorConfig = LogfileAuditorConfig | JetStreamAuditorConfig;

/**
 * Read which auditors there are, and their settings.
 * @throws {Error} naming the key's path.
 */
export function decodeAuditors(fields: Fields): AuditorConfig[] {
  return fields.texts("auditors").map((name, index): AuditorConfig => {
    const path = `auditors/${index}`;
    if (name === "natsstream") throw fields.error(path, "NATS Streaming Server auditor has been removed");
    if (name !== "logfile" && name !== "jetstream") throw fields.error(path, `unknown auditor: ${name}`);
    const settings = fields.object(`${name}_auditor`);
    if (settings === undefined) throw fields.error(`${name}_auditor`, `is required, as ${name} is among the auditors`);
    return name === "logfile" ? { kind: name, logfile: settings.text("logfile") } : decodeJetStream(settings);
  });
}

function decodeJetStream(fields: Fields): JetStreamAuditorConfig {
  const servers = fields
    .requiredText("servers")
    .split(",")
    .map((server) => server.trim())
    .filter((server) => server !== "");
  return {
    kind: "jetstream",
    servers,
    topic: fields.requiredText("topic"),
    credentials: decodeCredentials(fields),
    user: fields.text("user") || undefined,
    password: fields.text("password") || undefined,
    disableTls: fields.flag("disable_tls"),
  };
}

function decodeCredentials(fields: Fields): CredentialFiles | undefined {
  const tokenFile = fields.text("token_file");
  const seedFile = fields.text("seed_file");
  if (tokenFile === "" && seedFile === "") return undefined;
  if (tokenFile === "" || seedFile === "") {
    throw fields.error(tokenFile === "" ? "token_file" : "seed_file", "is required, as the two belong together");
  }
  return { tokenFile, seedFile };
}
