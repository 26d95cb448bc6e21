import { decodeBase64, encodeBase64 } from "../crypto/mod.ts";
import { decodeSecureRequest } from "../protocol/mod.ts";
import { errorText, isObject } from "../std/mod.ts";
import { SecurityError } from "./error.ts";
import type { RemoteSigner } from "./signer.ts";

/** How to reach a signing service over HTTP. */
export interface HttpSignerOptions {
  url: string;
  /** PEM of the authorities that may vouch for the service; without any, TLS only encrypts. */
  ca?: string;
  /**
   * Longest wait for an answer, in milliseconds.
   * @default 10_000
   */
  timeout?: number;
}

/** A {@link RemoteSigner} that asks the AAA service's `/choria/v1/sign`. */
export function httpSigner(options: HttpSignerOptions): RemoteSigner {
  const { url, ca, timeout = 10_000 } = options;
  if (url === "") throw new SecurityError("remote signing URL not configured");
  const tls = ca === undefined ? { rejectUnauthorized: false } : { ca };
  return {
    async sign(request, credentials) {
      const body = JSON.stringify({
        token: credentials.token,
        request: encodeBase64(request),
        signature: credentials.key.sign(request).toHex(),
      });
      return decodeSecureRequest(readAnswer(await post(url, body, tls, timeout)));
    },
  };
}

async function post(url: string, body: string, tls: object, timeout: number): Promise<string> {
  const headers = { "Content-Type": "application/json" };
  try {
    const response = await fetch(url, { method: "POST", headers, body, tls, signal: AbortSignal.timeout(timeout) });
    if (response.status === 200) return await response.text();
    throw new SecurityError(`could not perform remote signing request: ${response.status} ${response.statusText}`);
  } catch (error) {
    if (error instanceof SecurityError) throw error;
    throw new SecurityError(`could not perform signing request: ${errorText(error)}`, { cause: error });
  }
}

function readAnswer(text: string): Uint8Array {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new SecurityError(`could not parse signer response: ${errorText(error)}`, { cause: error });
  }
  if (!isObject(answer)) throw new SecurityError("could not parse signer response: expected a JSON object");
  if (typeof answer.error === "string" && answer.error !== "") {
    throw new SecurityError(`error from remote signer: ${answer.error}`);
  }
  const bytes = typeof answer.secure_request === "string" ? decodeBase64(answer.secure_request) : undefined;
  if (bytes === undefined) throw new SecurityError("could not parse signer response: no secure request in it");
  return bytes;
}
