import { createHash } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import type { Connection } from "../../connector/mod.ts";
import { type Clock, errorText, version } from "../../std/mod.ts";
import { readObject } from "../../streams/mod.ts";
import { ArchiveError } from "./tar.ts";

/** What {@link fetchArchive} fetches. */
export interface FetchOptions {
  /** `http://…`, `https://…`, or `obj://BUCKET/NAME` for an object of an object bucket in Choria Streams. */
  source: string;
  /** Where it goes; nothing may stand there. */
  path: string;
  /** For HTTP's basic authentication; empty for none. */
  username?: string;
  password?: string;
  /** Take any certificate. @default false */
  isInsecure?: boolean;
  /** Longest time for all of it, in milliseconds. */
  timeout: number;
  /** Most bytes that are taken. */
  maxBytes: number;
  /** For objects of buckets. */
  connection?: Pick<Connection, "nats"> | undefined;
  clock: Clock;
  /** Ends it. */
  signal?: AbortSignal;
}

const maxRedirects = 5;

/**
 * Fetch an archive to disk.
 *
 * @returns its SHA-256, lower-case hex.
 * @throws {ArchiveError} naming the source, without any password in it, and what went wrong.
 */
export async function fetchArchive(options: FetchOptions): Promise<string> {
  const { clock, timeout, signal, source } = options;
  const limit = new AbortController();
  using _timer = clock.after(timeout, () => limit.abort(new Error(`it took longer than ${timeout / 1_000} s`)));
  const end = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  try {
    const content = await open(options, end);
    return await save(content, options, end);
  } catch (error) {
    const reason = end.aborted ? errorText(end.reason) : errorText(error);
    throw new ArchiveError(`Cannot fetch the archive ${withoutSecrets(source)}: ${reason}`, { cause: error });
  }
}

/** A source as it may be shown: without the user and the password that stand in some. */
export function withoutSecrets(source: string): string {
  return source.replace(/^([a-z]+:\/\/)[^/?#]*@/i, "$1");
}

async function open(options: FetchOptions, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const url = URL.canParse(options.source) ? new URL(options.source) : undefined;
  if (url?.protocol === "obj:") return openObject(url, options, signal);
  if (url === undefined || !isHttp(url)) throw new Error("expected a URL of http, https or obj");
  return openHttp(url, options, signal);
}

async function openObject(url: URL, options: FetchOptions, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  if (options.connection === undefined) throw new Error("there is no broker to fetch it from");
  // The names of buckets tell capitals apart, which hosts of URLs do not.
  const [, bucket = "", name = ""] = /^obj:\/\/([^/]*)\/(.+)$/i.exec(url.href) ?? [];
  const reading = readObject(options.connection, bucket, decodeURIComponent(name));
  const { size, content } = await before(signal, reading);
  if (size > options.maxBytes) throw new Error(`it has more than ${options.maxBytes} bytes`);
  return content;
}

async function openHttp(first: URL, options: FetchOptions, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  let url = first;
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const response = await fetch(withoutSecrets(url.href), {
      headers: headersFor(url, first, options),
      redirect: "manual",
      // Some web servers call the compression of the archive one of its way; the checksum is that of the file.
      decompress: false,
      signal,
      ...(options.isInsecure ? { tls: { rejectUnauthorized: false } } : {}),
    });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return bodyOf(response, options.maxBytes);
    await response.body?.cancel();
    url = new URL(location, url);
    if (!isHttp(url)) throw new Error(`it is said to be at ${url.protocol}, where archives do not come from`);
  }
  throw new Error(`it is said to be elsewhere more than ${maxRedirects} times`);
}

function bodyOf(response: Response, maxBytes: number): ReadableStream<Uint8Array> {
  if (response.status !== 200) {
    void response.body?.cancel();
    throw new Error(`the web server answered ${response.status}`);
  }
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    void response.body?.cancel();
    throw new Error(`it has more than ${maxBytes} bytes`);
  }
  return response.body ?? new Blob([]).stream();
}

/** A password is for the host that it was given for, and not for those that this one names. */
function headersFor(url: URL, first: URL, { username, password }: FetchOptions): Record<string, string> {
  const agent = { "User-Agent": `Choria Archive Watcher ${version}`, "Accept-Encoding": "identity" };
  const [user, secret] = username ? [username, password ?? ""] : [urlPart(first.username), urlPart(first.password)];
  if (user === "" || url.host !== first.host || url.protocol !== first.protocol) return agent;
  return { ...agent, Authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}` };
}

function urlPart(text: string): string {
  return decodeURIComponent(text);
}

function isHttp({ protocol }: URL): boolean {
  return protocol === "http:" || protocol === "https:";
}

async function save(
  content: ReadableStream<Uint8Array>,
  { path, maxBytes }: FetchOptions,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  const reader = content.getReader();
  const file = openSync(path, "wx", 0o600);
  try {
    for (let total = 0; ; ) {
      const { done, value } = await before(signal, reader.read());
      if (done) return hash.digest("hex");
      total += value.length;
      if (total > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
      hash.update(value);
      for (let at = 0; at < value.length; ) at += writeSync(file, value, at);
    }
  } finally {
    closeSync(file);
    void reader.cancel().catch(() => undefined);
  }
}

/** What a promise gives, unless the signal aborts before. */
async function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    promise.catch(() => undefined);
  }
}
