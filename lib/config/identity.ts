import { lookup, lookupService } from "node:dns/promises";
import { hostname } from "node:os";

/**
 * The name of this machine on the network where the configuration gives none: the host name when it is a full
 * one, else the name that the host's own resolver has for its address (`/etc/hosts` counts for more than DNS: it is
 * where containers have their full name), else the bare host name.
 */
export async function hostIdentity(host: string = hostname()): Promise<string> {
  if ((host.match(/\./g) ?? []).length > 1) return host;
  try {
    const { address } = await lookup(host, 4);
    const { hostname: name } = await lookupService(address, 0);
    if (name && name !== "localhost" && name !== address) return name.replace(/\.$/, "");
  } catch {
    // No DNS here: the bare name has to do.
  }
  return host;
}
