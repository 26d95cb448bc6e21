#!/usr/bin/env -S bun --config=/dev/null --no-env-file
/**
 * The agent `requests`: every node makes an HTTP request or fetches a file.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { chmodSync, closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { ActionError, action, defineAgent, type JsonObject, reasonOf } from "./kit.ts";

/** Longest request, in milliseconds: a second less than the agent's own time. */
const timeLimit = 119_000;
const maxRedirects = 10;
/** Longest body that is handed back, in bytes; a reply does not carry more. */
const maxBody = 4 * 1024 * 1024;

const common = {
  url: {
    type: "string",
    prompt: "URL",
    description: "The address to ask, http or https",
    maxlength: 512,
    validation: ".+",
  },
  headers: { type: "hash", prompt: "Headers", description: "Headers to send, names and values", optional: true },
  query: { type: "hash", prompt: "Query", description: "Parameters to add to the address", optional: true },
  username: {
    type: "string",
    prompt: "Username",
    description: "Who to log in as, with basic authentication",
    optional: true,
    maxlength: 128,
    validation: ".+",
  },
  password: {
    type: "string",
    prompt: "Password",
    description: "The password that goes with the username",
    optional: true,
    maxlength: 128,
    validation: ".+",
  },
} as const;

const statuscode = { type: "integer", display_as: "Status Code", description: "The status of the response" } as const;

interface Target {
  url: string;
  headers?: JsonObject;
  query?: JsonObject;
  username?: string;
  password?: string;
}

export const requests = defineAgent({
  name: "requests",
  description: "HTTP requests from the nodes of a fleet",
  author: "Choria on Bun",
  license: "Apache-2.0",
  version: "0.0.1",
  url: "https://choria.io",
  timeout: 120,
  actions: {
    request: action({
      description: "Make a request and hand back the response",
      display: "always",
      inputs: {
        ...common,
        method: {
          type: "list",
          prompt: "Method",
          description: "The method of the request",
          optional: true,
          default: "GET",
          list: ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD"],
        },
        body: {
          type: "string",
          prompt: "Body",
          description: "Text to send as the body",
          optional: true,
          maxlength: 4096,
          validation: ".+",
        },
        body_file: {
          type: "string",
          prompt: "Body File",
          description: "A file on the node to send as the body, unless there is a text",
          optional: true,
          maxlength: 512,
          validation: ".+",
        },
        statuscode: {
          type: "integer",
          prompt: "Expected Status Code",
          description: "The request fails when the response has another status",
          optional: true,
        },
      },
      outputs: {
        body: { type: "string", display_as: "Body", description: "The body of the response" },
        statuscode,
        headers: { type: "hash", display_as: "Headers", description: "The headers of the response, lists by name" },
        duration: { type: "float", display_as: "Duration", description: "How long it took, in seconds" },
      },
      aggregate: [{ function: "summary", output: "statuscode" }],
      run: async (inputs) => {
        requireInput(inputs.url, "URL is required");
        const started = performance.now();
        const nothing = { body: "", statuscode: 500, headers: null, duration: 0 };
        const { method, body, body_file: file } = inputs;
        const content = body ?? (file === undefined ? undefined : Bun.file(file));
        const response = await send(inputs, method, content, nothing);
        const text = await readBody(response, inputs.url, nothing);
        const data = {
          body: text,
          statuscode: response.status,
          headers: listHeaders(response.headers),
          duration: (performance.now() - started) / 1_000,
        };
        const { statuscode: wanted = 0 } = inputs;
        if (wanted > 0 && wanted !== response.status) {
          throw new ActionError(`Request failed: code ${response.status}`, { data });
        }
        return data;
      },
    }),
    download: action({
      description: "Fetch a file and put it in its place in one step",
      display: "failed",
      inputs: {
        ...common,
        target: {
          type: "string",
          prompt: "Target",
          description: "Where to put the file, a path on the node",
          maxlength: 512,
          validation: ".+",
        },
        target_mode: {
          type: "string",
          prompt: "Mode",
          description: "Permissions of the file in octal digits, 0600 by default",
          optional: true,
          maxlength: 4,
          validation: "^\\d+$",
        },
        md5: {
          type: "string",
          prompt: "MD5",
          description: "The file is kept only when it has this MD5 digest",
          optional: true,
          maxlength: 32,
          validation: "^[0-9a-z]+$",
        },
      },
      outputs: {
        bytes: { type: "integer", display_as: "Bytes", description: "The length of the file" },
        statuscode,
        md5: { type: "string", display_as: "MD5", description: "The MD5 digest of the file" },
      },
      aggregate: [
        { function: "summary", output: "statuscode" },
        { function: "summary", output: "md5" },
        { function: "summary", output: "bytes" },
      ],
      run: async (inputs) => {
        requireInput(inputs.url, "URL is required");
        requireInput(inputs.target, "Target is require");
        const mode = parseMode(inputs.target_mode);
        const response = await send(inputs, "GET", undefined, { bytes: 0, md5: "", statuscode: 500 });
        const data = { bytes: 0, md5: "", statuscode: response.status };
        if (response.status !== 200) throw new ActionError(`Download failed: code ${response.status}`, { data });
        return save(response, { path: inputs.target, mode, md5: inputs.md5 }, data);
      },
    }),
  },
});

function requireInput(value: string | undefined, reason: string): void {
  if (!value) throw new ActionError(reason);
}

function parseMode(text = "0600"): number {
  if (/^[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  throw new ActionError("Invalid file mode");
}

type Content = string | Blob | undefined;

async function send(target: Target, method: string, content: Content, nothing: JsonObject): Promise<Response> {
  const name = method.charAt(0) + method.slice(1).toLowerCase();
  try {
    return await follow(addressOf(target), { method, headers: headersOf(target), ...bodyOf(content) });
  } catch (error) {
    throw new ActionError(`Request error: ${name} "${target.url}": ${reasonOf(error)}`, { data: nothing });
  }
}

interface Sending {
  method: string;
  headers: Headers;
  body?: string | Blob;
}

function bodyOf(content: Content): { body?: string | Blob } {
  return content === undefined ? {} : { body: content };
}

/** Follow redirects as far as is reasonable. Credentials stay with the host that they were given for. */
async function follow(start: URL, first: Sending): Promise<Response> {
  const signal = AbortSignal.timeout(timeLimit);
  let [url, sending] = [start, first];
  for (let hops = 0; ; hops++) {
    const response = await fetch(url, { ...sending, redirect: "manual", signal });
    const location = response.headers.get("location");
    if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return response;
    if (hops >= maxRedirects) throw new Error(`stopped after ${maxRedirects} redirects`);
    const next = new URL(location, url);
    sending = redirected(sending, response.status, next.host === url.host);
    url = next;
  }
}

function redirected({ method, headers, body }: Sending, status: number, isSameHost: boolean): Sending {
  const kept = new Headers(headers);
  if (!isSameHost) for (const name of ["authorization", "cookie", "www-authenticate"]) kept.delete(name);
  if (status >= 307 || method === "GET" || method === "HEAD") {
    return { method, headers: kept, ...(body === undefined ? {} : { body }) };
  }
  return { method: "GET", headers: kept };
}

function addressOf({ url, query = {} }: Target): URL {
  const address = new URL(url);
  for (const [name, value] of Object.entries(query)) address.searchParams.append(name, String(value));
  return address;
}

function headersOf({ headers: given = {}, username, password = "" }: Target): Headers {
  const headers = new Headers({ "User-Agent": "Choria Requests Agent/0.0.1", "Accept-Encoding": "gzip" });
  if (username) headers.set("Authorization", `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`);
  for (const [name, value] of Object.entries(given)) headers.set(name, String(value));
  return headers;
}

async function readBody(response: Response, url: string, nothing: JsonObject): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBody) throw new Error(`the response is longer than ${maxBody} bytes, download it instead`);
    }
  } catch (error) {
    throw new ActionError(`Request error: Get "${url}": ${reasonOf(error)}`, { data: nothing });
  }
  return Buffer.concat(chunks).toString();
}

/** Names as people write them, `Content-Type`, each with the list of its values. */
function listHeaders(headers: Headers): Record<string, string[]> {
  const named = [...headers].map(([name, value]): [string, string[]] => [
    name.replace(/(^|-)[a-z]/g, (start) => start.toUpperCase()),
    name === "set-cookie" ? headers.getSetCookie() : [value],
  ]);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface Place {
  path: string;
  mode: number;
  md5: string | undefined;
}

interface Saved extends JsonObject {
  bytes: number;
  md5: string;
  statuscode: number;
}

/** Write beside the target and rename, so that nobody ever sees half a file. */
async function save(response: Response, { path, mode, md5 }: Place, nothing: Saved): Promise<Saved> {
  const temporary = join(dirname(path), randomUUID().replaceAll("-", ""));
  const file = create(temporary, nothing);
  try {
    const data = { ...nothing, ...(await write(response, file)) };
    if (md5 && md5 !== data.md5) throw new ActionError("Digest mismatch", { data });
    chmodSync(temporary, mode);
    renameSync(temporary, path);
    return data;
  } catch (error) {
    if (error instanceof ActionError) throw error;
    throw new ActionError(`Could not save file: ${reasonOf(error)}`, { data: nothing });
  } finally {
    rmSync(temporary, { force: true });
  }
}

function create(path: string, data: JsonObject): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (error) {
    throw new ActionError(`Could not create temporary file: ${reasonOf(error)}`, { data });
  }
}

async function write(response: Response, file: number): Promise<{ bytes: number; md5: string }> {
  const digest = new Bun.CryptoHasher("md5");
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      digest.update(chunk);
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      bytes += chunk.length;
    }
  } finally {
    closeSync(file);
  }
  return { bytes, md5: digest.digest("hex") };
}

if (import.meta.main) await requests.serve();
