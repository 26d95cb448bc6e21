import { charge } from "../_ambient.ts";
import { isArray, RegoObject, RegoSet, type RegoValue } from "../values.ts";
import { addressText, mergeNetworks, type Network, networkOf, parseAddress, parseEither, parseNetwork } from "./_ip.ts";
import { type Args, any, bad, type Family, fn, items, obj, old, operandError, str, strings } from "./_kit.ts";

const MAX_EXPANSION = 1 << 20;

function network(text: string): Network {
  const out = parseNetwork(text);
  if (out === undefined) throw bad(`invalid CIDR address: ${text}`);
  return out;
}

function either(text: string): Network {
  const out = parseEither(text);
  if (out === undefined) throw bad(`not a valid textual representation of an IP address or CIDR: ${text}`);
  return out;
}

function holds(outer: Network, inner: Network): boolean {
  return outer.bits === inner.bits && outer.first <= inner.first && inner.last <= outer.last;
}

function contains(args: Args): boolean {
  return holds(network(str(args, 0)), either(str(args, 1)));
}

function intersects(args: Args): boolean {
  const [a, b] = [network(str(args, 0)), network(str(args, 1))];
  return a.bits === b.bits && a.first <= b.last && b.first <= a.last;
}

/** The networks of an operand, each with the key under which it is reported. */
function keyed(args: Args, i: number): [RegoValue, Network][] {
  const value = args[i] ?? null;
  if (typeof value === "string") return [[value, either(value)]];
  const entry = (key: RegoValue, item: RegoValue): [RegoValue, Network] => {
    const text = isArray(item) ? item[0] : item;
    if (typeof text !== "string") throw bad(`operand ${i + 1}: element must be string or non-empty array`);
    return [key, either(text)];
  };
  if (isArray(value)) return value.map((item, at) => entry(at, item));
  if (value instanceof RegoSet) return value.values().map((item) => entry(item, item));
  if (value instanceof RegoObject) return value.entries().map(([key, item]) => entry(key, item));
  throw operandError(i, "one of {string, array, object, set}", value);
}

function containsMatches(args: Args): RegoValue {
  const [outer, inner] = [keyed(args, 0), keyed(args, 1)];
  charge((outer.length * inner.length) / 8);
  const out = new RegoSet();
  for (const [key, net] of outer) for (const [other, each] of inner) if (holds(net, each)) out.add([key, other]);
  return out;
}

function expand(args: Args, make: (bytes: number) => void): RegoValue {
  const { first, last, bits } = network(str(args, 0));
  if (last - first >= BigInt(MAX_EXPANSION)) throw bad("the network has too many addresses");
  make(Number(last - first) * 64);
  const out = new RegoSet();
  for (let at = first; at <= last; at++) out.add(addressText(at, bits));
  return out;
}

function merge(args: Args): RegoValue {
  const networks = strings(args, 0).map(mergeable);
  return RegoSet.of(mergeNetworks(networks).map(({ first, bits, prefix }) => `${addressText(first, bits)}/${prefix}`));
}

/** A network to be merged; an IPv4 address alone stands for its whole class A, B or C network. */
function mergeable(text: string): Network {
  const address = parseAddress(text);
  if (address === undefined) return network(text);
  if (address.bits === 128) throw bad(`IPv6 invalid: needs prefix length: ${text}`);
  const first = Number(address.value >> 24n);
  return networkOf(address, first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : 32);
}

/** Names that stand for this machine wherever they are asked for. */
const LOCAL = /^(?:.+\.)?localhost\.?$/i;

function lookup(args: Args): RegoValue {
  const name = str(args, 0);
  const address = parseAddress(LOCAL.test(name) ? "127.0.0.1" : name);
  if (address === undefined) throw bad("name look-ups are off");
  return RegoSet.of([addressText(address.value, address.bits)]);
}

const REQUEST_KEYS = new Set(
  (
    "method url body raw_body headers enable_redirect force_json_decode force_yaml_decode tls_use_system_certs tls_ca_cert tls_ca_cert_file " +
    "tls_ca_cert_env_variable tls_client_cert tls_client_cert_file tls_client_cert_env_variable tls_client_key tls_client_key_file " +
    "tls_client_key_env_variable tls_insecure_skip_verify tls_server_name timeout cache force_cache force_cache_duration_seconds raise_error " +
    "caching_mode max_retry_attempts cache_ignored_headers"
  ).split(" "),
);

/** Checks a request and answers it as one that could not be made: there is no network here. */
function send(args: Args): RegoValue {
  const request = obj(args, 0);
  const unknown = request.keys().filter((key) => typeof key !== "string" || !REQUEST_KEYS.has(key));
  if (unknown.length > 0) {
    const names = unknown.map((key) => JSON.stringify(key)).join(", ");
    const error = operandError(0, "", "");
    error.message = `invalid request parameters(s): {${names}}`;
    throw error;
  }
  const missing = ["method", "url"].filter((key) => request.get(key) === undefined);
  if (missing.length > 0) {
    const error = operandError(0, "", "");
    error.message = `missing required request parameters(s): {${missing.map((key) => JSON.stringify(key)).join(", ")}}`;
    throw error;
  }
  if (request.get("raise_error") !== false) throw bad("network access is off");
  const error = RegoObject.of([
    ["code", "eval_http_send_network_error"],
    ["message", "network access is off"],
  ]);
  return RegoObject.of([
    ["status_code", 0],
    ["error", error],
  ]);
}

/** Networks, and the functions that would use one. */
export const NETWORK: Family = {
  "net.cidr_contains": fn(2, contains),
  "net.cidr_overlap": old(2, contains),
  "net.cidr_intersects": fn(2, intersects),
  "net.cidr_contains_matches": fn(2, containsMatches),
  "net.cidr_expand": fn(1, (a, c) => expand(a, (bytes) => c.meter.make(bytes))),
  "net.cidr_merge": fn(1, (a) => (items(a, 0).length === 0 ? new RegoSet() : merge(a))),
  "net.cidr_is_valid": fn(1, (a) => {
    const text = any(a, 0);
    return typeof text === "string" && parseNetwork(text) !== undefined;
  }),
  "net.lookup_ip_addr": fn(1, lookup),
  "http.send": fn(1, send),
};
