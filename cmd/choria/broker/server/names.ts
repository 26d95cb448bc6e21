import { isIP } from "node:net";

/** The order of two texts or numbers. */
export function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Shortens names by the domain that all of them share; addresses stay as they are. */
export function compactNames(names: readonly string[], isWanted = true): (name: string) => string {
  const domains = new Set(names.filter((name) => isIP(name) === 0).map(domainOf));
  const [domain = ""] = domains;
  if (!isWanted || domains.size !== 1 || domain === "") return (name) => name;
  return (name) => (name.endsWith(domain) ? name.slice(0, -domain.length) : name);
}

/** What follows the first label, with its dot. */
function domainOf(name: string): string {
  const at = name.indexOf(".");
  return at < 1 ? "" : name.slice(at);
}
