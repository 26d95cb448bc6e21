import { hostname, networkInterfaces } from "node:os";
import type { Config } from "../config/mod.ts";
import { hostAndPort, lookupBrokers, type SrvLookup } from "../connector/mod.ts";

const record = "_mcollective-broker._tcp";

/** The brokers of the cluster, as `host:port`: those configured, else those in DNS. This one may be among them. */
export async function peersOf(config: Config, lookup?: SrvLookup): Promise<string[]> {
  const configured = config.get("plugin.choria.network.peers");
  const domain = config.get("plugin.choria.srv_domain");
  if (configured.length > 0) return configured.map(hostAndPort);
  return config.get("plugin.choria.use_srv") && domain !== "" ? lookupBrokers(`${record}.${domain}`, lookup) : [];
}

/**
 * How many brokers a cluster has. Lists of peers are often the same on every broker, so an entry that is this very
 * broker is not counted twice.
 *
 * @param port Where this broker listens for others.
 */
export function countBrokers(peers: readonly string[], identity: string, port: number): number {
  const own = ownNames(identity);
  const others = peers.filter((peer) => {
    return !peer.endsWith(`:${port}`) || !own.has(hostOf(peer));
  });
  return new Set(others).size + 1;
}

/**
 * The names and addresses under which the brokers of a cluster may reach this one. Those of the others are among
 * them, as nobody knows which of a list of peers is which.
 */
export function routeNames(peers: readonly string[], identity: string): string[] {
  const listed = peers.map((peer) => hostOf(peer)).filter((host) => host !== "");
  return [...new Set([...listed, ...ownNames(identity)])];
}

function hostOf(peer: string): string {
  return (/^\[?(.*?)\]?:\d+$/.exec(peer)?.[1] ?? "").toLowerCase();
}

function ownNames(identity: string): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
  return new Set([identity.toLowerCase(), hostname().toLowerCase(), "localhost", ...addresses]);
}
