import { readFileSync } from "node:fs";
import { readCertificateFiles } from "../crypto/mod.ts";
import { errorText, systemClock } from "../std/mod.ts";
import type { TlsFiles } from "./config.ts";
import { maxBodyBytes } from "./http_body.ts";

/** Where a {@link Listener} listens. */
export interface ListenerOptions {
  /** 0 takes any free port. */
  port: number;
  /** Undefined listens on every address. */
  address: string | undefined;
  /** Undefined serves plain HTTP. */
  tls: TlsFiles | undefined;
  handle: (request: Request) => Response | Promise<Response>;
}

/** A port on which HTTP is served. */
export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** For example `https://0.0.0.0:8080`. */
  readonly url: string;
}

/** Seconds after which an idle connection is closed; clients keep theirs for the next request. */
const idleTimeout = 60;

/** How long requests that are being answered may take once the port is given up. */
const graceMs = 2_000;

/**
 * Serve HTTP or HTTPS.
 * @throws {Error} naming the port, or the certificate file, when that is not possible.
 */
export function listen(options: ListenerOptions): Listener {
  const { port, address, tls, handle } = options;
  const scheme = tls === undefined ? "http" : "https";
  const files = tls === undefined ? undefined : readFiles(tls);
  const answering = new Set<Promise<Response>>();
  const answer = async (request: Request): Promise<Response> => {
    const response = Promise.resolve(handle(request));
    answering.add(response);
    try {
      return await response;
    } finally {
      answering.delete(response);
    }
  };
  try {
    const server = Bun.serve({
      port,
      ...(address === undefined ? {} : { hostname: address }),
      ...(files === undefined ? {} : { tls: files }),
      idleTimeout,
      // A little more than is read, so that a slightly too long body gets an answer that says so.
      maxRequestBodySize: maxBodyBytes + 65_536,
      fetch: answer,
      error: () => new Response(null, { status: 500 }),
    });
    const bound = server.port ?? port;
    return {
      port: bound,
      url: `${scheme}://${address ?? "0.0.0.0"}:${bound}`,
      async [Symbol.asyncDispose]() {
        // Not awaited, as it also waits for clients that keep a connection in reserve.
        const closed = server.stop(false);
        const idle = new AbortController();
        await Promise.race([Promise.allSettled(answering), systemClock.sleep(graceMs, idle.signal)]);
        idle.abort();
        await Promise.all([server.stop(true), closed]);
      },
    };
  } catch (error) {
    throw new Error(`Cannot serve ${scheme} on port ${port}: ${errorText(error)}`, { cause: error });
  }
}

function readFiles({ certificate, key, ca }: TlsFiles) {
  const own = readCertificateFiles(certificate, key);
  return {
    cert: own.certificate,
    key: own.key,
    ...(ca === undefined ? {} : { ca: readAuthorities(ca), requestCert: true, rejectUnauthorized: true }),
  };
}

function readAuthorities(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`Cannot read tls_ca "${file}": ${errorText(error)}`, { cause: error });
  }
  if (text.includes("-----BEGIN ")) return text;
  throw new Error(`Cannot use tls_ca "${file}": expected PEM`);
}
