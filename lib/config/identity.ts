import { lookup, reverse } from "node:dns/promises";
import { hostname } from "node:os";

/**
 * The name of this machine on the network where the configuration gives none: the host name when it is a full
 * one, else the name that DNS has for its address, else the bare host name.
 */
export async function hostIdentity(host: string = hostname()): Promise<string> {
  if ((host.match(/\./g) ?? []).length > 1) return host;
  try {
    const { address } = await lookup(host, 4);
    const names = await reverse(address);
    const name = names[0]?.replace(/\.$/, "");
    if (name && name !== "localhost") return name;
  } catch {
    // No DNS here: the bare name has to do.
  }
  return host;
}
