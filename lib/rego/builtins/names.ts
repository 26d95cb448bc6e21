import { normalizeInteger } from "../_scalars.ts";
import { RegoObject, type RegoValue } from "../values.ts";
import { type Args, any, bad, type Family, fn, str } from "./_kit.ts";

const VARIANTS = ["NCS", "NCS", "NCS", "NCS", "RFC4122", "RFC4122", "Microsoft", "Future"];
const DOMAINS = ["Person", "Group", "Org"];
const GREGORIAN = 0x01b21dd213814000n;

function parseUuid(args: Args): RegoValue | undefined {
  const text = str(args, 0)
    .replace(/^urn:uuid:/i, "")
    .replace(/^\{(.*)\}$/, "$1");
  const dashed = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
  if (!dashed && !/^[0-9a-f]{32}$/i.test(text)) throw bad("invalid UUID");
  const hex = text.replaceAll("-", "").toLowerCase();
  const version = Number.parseInt(hex[12] ?? "0", 16);
  const out = new RegoObject();
  out.set("version", version);
  out.set("variant", VARIANTS[Number.parseInt(hex[16] ?? "0", 16) >> 1] ?? "Invalid");
  if (version === 1 || version === 2) addTimeFields(out, hex, version);
  return out;
}

function addTimeFields(out: RegoObject, hex: string, version: number): void {
  const ticks = BigInt(`0x${hex.slice(13, 16)}${hex.slice(8, 12)}${hex.slice(0, 8)}`) - GREGORIAN;
  out.set("time", normalizeInteger(ticks * 100n));
  out.set("nodeid", hex.slice(20).match(/../g)?.join("-") ?? "");
  const first = Number.parseInt(hex.slice(20, 22), 16);
  out.set("macvariables", `${(first & 2) === 0 ? "global" : "local"}:${(first & 1) === 0 ? "unicast" : "multicast"}`);
  out.set("clocksequence", Number.parseInt(hex.slice(16, 20), 16) & 0x3fff);
  if (version !== 2) return;
  out.set("id", Number.parseInt(hex.slice(0, 8), 16));
  const domain = Number.parseInt(hex.slice(18, 20), 16);
  out.set("domain", DOMAINS[domain] ?? `Domain${domain}`);
}

const URI = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

function parseUri(text: string): RegoObject | undefined {
  if (text === "") return new RegoObject();
  const relative = /^(?:\/\/([^/?#]*))?([^?#:]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(text);
  const [, scheme, authority, path = "", query, fragment] = URI.exec(text) ?? [
    text,
    undefined,
    ...(relative?.slice(1) ?? []),
  ];
  if ((scheme === undefined && relative === null) || /[\s\p{Cc}]/u.test(text)) return undefined;
  const out = new RegoObject();
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined && value !== "") out.set(key, value);
  };
  const host = /^(?:[^@]*@)?(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(authority ?? "");
  if (host === null) return undefined;
  add("scheme", scheme?.toLowerCase());
  add("hostname", host[1]?.replace(/^\[|\]$/g, ""));
  add("port", host[2]);
  if (authority !== undefined || scheme === undefined || path.startsWith("/")) {
    const decoded = percentDecoded(path);
    if (decoded === undefined) return undefined;
    add("path", decoded);
    add("raw_path", path);
  }
  add("raw_query", query);
  add("fragment", fragment === undefined ? undefined : percentDecoded(fragment));
  return out;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** UUIDs and URIs, and what a policy may ask about its surroundings. */
export const NAMES: Family = {
  "uuid.parse": fn(1, (a) => parseUuid(a)),
  "uuid.rfc4122": fn(1, (a, c) => {
    const key = `uuid ${JSON.stringify(any(a, 0))}`;
    const known = c.memo.get(key);
    if (typeof known === "string") return known;
    const made = crypto.randomUUID();
    c.memo.set(key, made);
    return made;
  }),
  "uri.parse": fn(1, (a) => {
    const out = parseUri(str(a, 0));
    if (out === undefined) throw bad("invalid URI");
    return out;
  }),
  "uri.is_valid": fn(1, (a) => {
    const text = any(a, 0);
    return typeof text === "string" && text !== "" && parseUri(text) !== undefined;
  }),
  "opa.runtime": fn(0, () => new RegoObject()),
  "rego.metadata.chain": fn(0, () => []),
  "rego.metadata.rule": fn(0, () => new RegoObject()),
  trace: fn(1, (a) => typeof str(a, 0) === "string"),
};
