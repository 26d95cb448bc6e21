import { readFileSync } from "node:fs";
import { createInbox } from "@nats-io/nats-core";
import { type Connection, connectBroker, type Login, type TlsOptions } from "../connector/mod.ts";
import { nkeyFromSeed, readSeedFile } from "../crypto/mod.ts";
import { backoff, type Clock, errorCode, errorText, type Logger, twentySecondSteps } from "../std/mod.ts";
import { decodeTokenUnverified, holderOf, privateNetworkId } from "../tokens/mod.ts";
import type { ChoriaSettings, TlsSettings } from "./config.ts";

/** Where a connection goes and how it logs in. */
export interface Endpoint {
  /** URL, or several with commas between them. */
  url: string;
  tls: TlsSettings;
  choria: ChoriaSettings;
}

/** How {@link connectEndpoint} goes about it. */
export interface EndpointOptions {
  /** Shown in the server's reports, after `Choria Stream Replicator: `. */
  name: string;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  onState?: (state: "connected" | "disconnected" | "closed") => void;
}

/** A connection that knows where it may receive answers. */
export interface EndpointConnection {
  connection: Connection;
  /** A new subject that nobody else uses. */
  newInbox: () => string;
}

/**
 * Connect to a NATS server or a Choria broker, trying until it works; the connection then comes back by itself. What a
 * connection publishes does not return to it.
 *
 * @throws {Error} when files of the login cannot be used, or `signal` aborts.
 */
export async function connectEndpoint(endpoint: Endpoint, options: EndpointOptions): Promise<EndpointConnection> {
  const { name, clock, logger, signal, onState } = options;
  const { servers, shown, login, tls, inboxPrefix, timeout } = dialing(endpoint);
  const waits = backoff(twentySecondSteps);
  const connect = {
    servers,
    name: `Choria Stream Replicator: ${name}`,
    login,
    tls,
    inboxPrefix,
    timeout,
    pingInterval: 10_000,
    echo: false,
    attempts: 1,
    clock,
    logger,
    signal,
    ...(onState === undefined ? {} : { onState }),
  };
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      logger.info(`Attempting to connect to ${shown} on try ${attempt}`);
      const connection = await connectBroker(connect);
      logger.info(`Connected to ${shown}`);
      return { connection, newInbox: () => createInbox(inboxPrefix) };
    } catch (error) {
      signal.throwIfAborted();
      logger.error(`Initial connection failed: ${errorText(error instanceof Error ? (error.cause ?? error) : error)}`);
    }
    await clock.sleep(waits.delay(attempt - 1), signal);
  }
}

/** What is dialled, as an {@link Endpoint} has it. */
interface Dialing {
  servers: string[];
  /** The addresses without passwords. */
  shown: string;
  login: () => Login;
  tls: TlsOptions | false;
  inboxPrefix: string;
  timeout: number;
}

function dialing({ url, tls, choria }: Endpoint): Dialing {
  const urls = url.split(",").map(parseUrl);
  const query = urls.find(({ searchParams: q }) => q.has("credentials") || q.has("jwt")) ?? urls[0];
  const options = query?.searchParams ?? new URLSearchParams();
  const base = {
    servers: urls.map(({ host, port }) => (port === "" ? `${host}:4222` : host)),
    shown: urls.map(redacted).join(", "),
    timeout: milliseconds(options.get("connect_timeout")),
  };
  if (choria.seedFile !== "" && choria.tokenFile !== "") return { ...base, ...choriaLogin(choria, tls) };
  const wantsTls = urls.some(({ protocol }) => protocol === "tls:");
  const login = natsLogin(urls, options);
  // The files are read now as well, so that a wrong name is told at once.
  login();
  return { ...base, login, tls: plainTls(tls, options, wantsTls), inboxPrefix: "_INBOX" };
}

function parseUrl(text: string): URL {
  const trimmed = text.trim();
  try {
    return new URL(/^[a-z]+:\/\//.test(trimmed) ? trimmed : `nats://${trimmed}`);
  } catch {
    throw new Error(`Cannot use the URL "${trimmed.replace(/^([a-z]+:\/\/)?.*@/, "$1")}": expected nats://host:port`);
  }
}

function redacted({ protocol, username, host, password }: URL): string {
  const user = password !== "" ? `${username}:xxxxx@` : username !== "" ? "xxxxx@" : "";
  return `${protocol}//${user}${host}`;
}

function milliseconds(text: string | null): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text ?? "");
  if (found === null) return 5_000;
  return Number(found[1]) * (found[2] === "ms" ? 1 : found[2] === "s" ? 1_000 : 60_000);
}

/**
 * A Choria login. TLS is asked for and, as brokers have certificates of their own making, does not verify; it does
 * where a client certificate is configured.
 */
function choriaLogin({ seedFile, tokenFile, collective }: ChoriaSettings, tls: TlsSettings) {
  const read = (): Required<Pick<Login, "token" | "key">> => ({
    token: readText(tokenFile).trim(),
    key: readSeedFile(seedFile),
  });
  try {
    const text = readText(tokenFile).trim();
    if (collective === "") throw new Error("collective is required");
    const holder = holderOfToken(text, tokenFile);
    read();
    const inboxPrefix = `${collective}.reply.${privateNetworkId(holder)}`;
    const files = tlsFiles(tls);
    return { login: read, tls: files.cert === undefined ? {} : files, inboxPrefix };
  } catch (error) {
    throw new Error(`could not set up choria connection: ${errorText(error)}`, { cause: error });
  }
}

function holderOfToken(token: string, file: string): string {
  try {
    const holder = holderOf(decodeTokenUnverified(token));
    if (holder !== undefined && holder !== "") return holder;
  } catch {
    // Said below: what is no token has no purpose either.
  }
  throw new Error(`unsupported token purpose: "${file}" holds no token of a client or server`);
}

function natsLogin(urls: URL[], options: URLSearchParams): () => Login {
  const credentials = options.get("credentials");
  const [jwtFile, nkeyFile] = [options.get("jwt"), options.get("nkey")];
  if (credentials !== null) return () => userOf(readText(credentials), readText(credentials), credentials);
  if (jwtFile !== null && nkeyFile !== null) return () => userOf(readText(jwtFile), readText(nkeyFile), nkeyFile);
  if (nkeyFile !== null) return () => ({ nkey: nkeyFromSeed("user", seedIn(readText(nkeyFile), nkeyFile)) });
  const { username = "", password = "" } = urls.find((url) => url.username !== "") ?? {};
  if (username === "") return () => ({});
  const user = decodeURIComponent(username);
  // A name alone stands for a token.
  return () => (password === "" ? { token: user } : { user, password: decodeURIComponent(password) });
}

function userOf(jwtText: string, seedText: string, file: string): Login {
  const jwt = /[\w-]+\.[\w-]+\.[\w-]+/.exec(jwtText)?.[0];
  if (jwt === undefined) throw new Error(`Cannot use the credentials "${file}": there is no JWT in it`);
  return { jwt, nkey: nkeyFromSeed("user", seedIn(seedText, file)) };
}

function seedIn(text: string, file: string): string {
  const seed = /\bSU[A-Z2-7]{56}\b/.exec(text)?.[0];
  if (seed === undefined) throw new Error(`Cannot use the credentials "${file}": there is no user's seed in it`);
  return seed;
}

function plainTls(tls: TlsSettings, options: URLSearchParams, isWanted: boolean): TlsOptions | false {
  const handshakeFirst = options.get("tls_handshake_first") === "true";
  const isInsecure = options.get("insecure") === "true";
  const files = tlsFiles(tls);
  if (!isWanted && !handshakeFirst && !isInsecure && Object.keys(files).length === 0) return false;
  const { ca, ...own } = files;
  return { ...own, ...(isInsecure || ca === undefined ? { trustSystem: !isInsecure } : { ca }), handshakeFirst };
}

function tlsFiles({ ca, cert, key }: TlsSettings): Pick<TlsOptions, "ca" | "cert" | "key"> {
  return {
    ...(ca === "" ? {} : { ca: readText(ca) }),
    ...(cert === "" || key === "" ? {} : { cert: readText(cert), key: readText(key) }),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = errorCode(error) === "ENOENT" ? "no such file or directory" : errorText(error);
    throw new Error(`open ${path}: ${reason}`, { cause: error });
  }
}
