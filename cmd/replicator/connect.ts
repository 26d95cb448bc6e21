import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { connectEndpoint, type Endpoint, type EndpointConnection } from "../../lib/replicator/mod.ts";
import { isFile, parseObject, silentLogger, systemClock } from "../../lib/std/mod.ts";

/** How the commands of `admin` connect. */
export interface ContextFlags {
  context?: string | undefined;
  choriaSeed?: string | undefined;
  choriaToken?: string | undefined;
  choriaCollective: string;
}

/**
 * Connect as a context of the `nats` command line says, with a Choria login where one is given.
 * @throws {Error} when there is no such context, or none is selected.
 */
export async function connectContext(flags: ContextFlags): Promise<EndpointConnection> {
  const signal = AbortSignal.timeout(10_000);
  const options = { name: "stream-replicator-admin", clock: systemClock, logger: silentLogger, signal };
  return await connectEndpoint(endpointOf(readContext(flags.context), flags), options);
}

function endpointOf(context: Record<string, unknown>, flags: ContextFlags): Endpoint {
  const text = (key: string) => (typeof context[key] === "string" ? context[key] : "");
  const { choriaSeed = "", choriaToken = "", choriaCollective: collective } = flags;
  const choria = { seedFile: choriaSeed, tokenFile: choriaToken, collective };
  const tls = { ca: text("ca"), cert: text("cert"), key: text("key") };
  return { url: withLogin(text("url") || "nats://127.0.0.1:4222", context), tls, choria };
}

/** A context keeps logins beside the URL. */
function withLogin(url: string, context: Record<string, unknown>): string {
  const { user, password, token, creds, nkey } = context;
  const file = typeof creds === "string" && creds !== "" ? `credentials=${encodeURIComponent(creds)}` : "";
  const key = typeof nkey === "string" && nkey !== "" ? `nkey=${encodeURIComponent(nkey)}` : "";
  const query = file || key;
  const [name, secret] = [user || token, user ? password : ""].map((part) => encodeURIComponent(String(part ?? "")));
  const login = name === undefined || name === "" ? "" : secret === "" ? `${name}@` : `${name}:${secret}@`;
  return url
    .split(",")
    .map((one) => (one.includes("@") ? one : one.trim().replace("://", `://${login}`)))
    .map((one) => (query === "" || one.includes("?") ? one : `${one}?${query}`))
    .join(",");
}

function readContext(name: string | undefined): Record<string, unknown> {
  const folder = join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "nats");
  const selected = join(folder, "context.txt");
  const wanted = name ?? (isFile(selected) ? readFileSync(selected, "utf8").trim() : "");
  if (wanted === "") throw new Error("a NATS context is required when a default context is not selected");
  const file = join(folder, "context", `${wanted}.json`);
  if (/[/\\]|\.\./.test(wanted) || !isFile(file)) throw new Error(`unknown context ${JSON.stringify(wanted)}`);
  return parseObject(readFileSync(file, "utf8"));
}
