import { resolveSrv } from "node:dns/promises";
import type { Config } from "../config/mod.ts";

/** Looks up SRV records; rejects when there are none. */
export type SrvLookup = (name: string) => Promise<{ name: string; port: number; priority?: number }[]>;

const brokerRecords = ["_mcollective-server._tcp", "_x-puppet-mcollective._tcp"];

/**
 * The brokers a node connects to, as `host:port`: those configured, else those in DNS, else `puppet:4222` as ever.
 */
export async function brokersOf(config: Config, lookup: SrvLookup = resolveSrv): Promise<string[]> {
  const configured = config.get("plugin.choria.middleware_hosts");
  if (configured.length > 0) return configured.map(hostAndPort);
  const domain = config.get("plugin.choria.srv_domain");
  if (config.get("plugin.choria.use_srv") && domain !== "") {
    for (const record of brokerRecords) {
      const found = await lookupBrokers(`${record}.${domain}`, lookup);
      if (found.length > 0) return found;
    }
  }
  return ["puppet:4222"];
}

/** Brokers that an SRV record names, as `host:port`, those of the lowest priority number first; none without a record. */
export async function lookupBrokers(record: string, lookup: SrvLookup = resolveSrv): Promise<string[]> {
  try {
    const found = (await lookup(record)).sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
    return found.map(({ name, port }) => `${name.replace(/\.$/, "")}:${port}`);
  } catch {
    return [];
  }
}

/** A broker's address without its scheme. */
export function hostAndPort(address: string): string {
  return address.trim().replace(/^[a-z]+:\/\//, "");
}
