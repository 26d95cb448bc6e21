import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type AaaConfig,
  type AaaMetrics,
  type AuditRecord,
  type HttpHandler,
  httpApi,
  LoginService,
  noMetrics,
  PasswordChecker,
  parseAaaConfig,
  RequestAuthorizer,
  SigningService,
  TokenIssuer,
  UserDirectory,
} from "../../lib/aaa/mod.ts";
import { loadRegoEngine } from "../../lib/policy/mod.ts";
import { HeldCredentials } from "../../lib/security/mod.ts";
import { type Logger, silentLogger } from "../../lib/std/mod.ts";
import { readVerifyKey, TokenVerifier } from "../../lib/tokens/mod.ts";
import { FakeClock } from "../support/clock.ts";

/** The second in which the logins and signatures of the vectors were made. */
export const vectorTime = 1_795_321_540_000;

const fixtures = join(import.meta.dir, "../fixtures/aaa");

/** Path of a file of the vectors. */
export function fixture(name: string): string {
  return join(fixtures, name);
}

/** A folder with the policies that the configuration of the vectors names. */
export function writePolicies(folder: string): void {
  writeFileSync(join(folder, "admin.rego"), "package io.choria.aaasvc\n\ndefault allow = true\n");
  const rule = 'allow {\n  input.agent != "choria_provision"\n}\n';
  writeFileSync(join(folder, "choria.rego"), `package io.choria.aaasvc\n\ndefault allow = false\n\n${rule}`);
}

/** The configuration of the vectors, with its files where they are here, and some keys replaced. */
export function vectorConfig(folder: string, changes: (config: Record<string, never>) => void = () => {}): AaaConfig {
  const text = readFileSync(fixture("aaa.conf"), "utf8")
    .replaceAll("/tmp/aaa04/creds", fixture("creds"))
    .replaceAll("/tmp/aaa04", folder);
  const config = JSON.parse(text);
  changes(config);
  return parseAaaConfig(JSON.stringify(config), "aaa.conf");
}

/** What a test's services are made of. */
export interface VectorServices {
  clock: FakeClock;
  login: LoginService;
  signer: SigningService;
  api: HttpHandler;
  /** Everything that was recorded. */
  records: AuditRecord[];
}

/** Login and signing as a configuration says, at the time of the vectors. */
export async function vectorServices(
  config: AaaConfig,
  options: { logger?: Logger; metrics?: AaaMetrics; now?: number } = {},
): Promise<VectorServices> {
  const { logger = silentLogger, metrics = noMetrics, now = vectorTime } = options;
  const clock = new FakeClock(now);
  const { authenticator, signer: settings } = config;
  if (authenticator === undefined || settings?.delegate === undefined) throw new Error("The configuration is no use");
  const records: AuditRecord[] = [];
  const login = new LoginService({
    users: new UserDirectory(authenticator),
    passwords: new PasswordChecker({ logger }),
    issuer: new TokenIssuer({ ...authenticator, clock }),
    clock,
    logger,
    metrics,
  });
  const signer = new SigningService({
    tokens: new TokenVerifier(clock),
    key: readVerifyKey(settings.signingCertificate),
    maxValidity: settings.maxValidity,
    allowBearerTokens: settings.allowBearerTokens,
    authorizer: new RequestAuthorizer({
      name: settings.authorizer,
      site: config.site,
      engine: await loadRegoEngine(),
      metrics,
    }),
    audit: { record: (record) => records.push(record) },
    delegate: new HeldCredentials(settings.delegate, clock),
    clock,
    logger,
    metrics,
  });
  return { clock, login, signer, api: httpApi({ login, signer, logger }), records };
}

/** A POST of JSON to the API. */
export function post(path: string, body: unknown): Request {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const headers = { "Content-Type": "application/json" };
  return new Request(`http://localhost/choria/v1/${path}`, { method: "POST", headers, body: text });
}
