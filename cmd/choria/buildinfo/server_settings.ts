import { errorText, isFile } from "../../../lib/std/mod.ts";
import { decodeTokenUnverified, type ProvisioningClaims, readTokenFile } from "../../../lib/tokens/mod.ts";

/** A line of the report; without a value it is left out. */
export type Row = readonly [label: string, value: string | undefined];

/**
 * How a server of this build comes to be provisioned, as the token in `file` says. Like the server itself this reads
 * the token without verifying it: there is no key to verify it with.
 */
export function serverSettings(file: string): Row[] {
  const resolver: Row = ["Provisioning Target Resolver", "Choria JWT Resolver"];
  if (!isFile(file)) return [resolver, ...unsupported(file)];
  try {
    return [resolver, ...supported(file, readClaims(file))];
  } catch (error) {
    return [resolver, ...unsupported(file, errorText(error))];
  }
}

function readClaims(file: string): ProvisioningClaims {
  const claims = decodeTokenUnverified(readTokenFile(file));
  if (claims.purpose !== "choria_provisioning") throw new Error("not a provisioning token");
  if (!claims.cht) throw new Error("no auth token");
  if (!claims.chu && !claims.chsrv) throw new Error("no srv domain or urls");
  if (claims.chu && claims.chsrv) throw new Error("both srv domain and URLs supplied");
  return claims;
}

function unsupported(file: string, problem?: string): Row[] {
  return [
    ["Supports Provisioning", "false"],
    ["Provisioning JWT file", file],
    ["Provisioning JWT problem", problem],
  ];
}

function supported(file: string, claims: ProvisioningClaims): Row[] {
  return [
    ["Supports Provisioning", "true"],
    ["Provisioning JWT file", file],
    ["Provisioning Token", "*****"],
    ["Provisioning Default", String(claims.chpd)],
    ["Provisioning TLS", String(claims.chs)],
    ["Default Provisioning Agent", "true"],
    ["Provisioning Brokers", claims.chu],
    ["Provisioning SRV Domain", claims.chsrv],
    ["Provisioning Registration Data", claims.chrd],
    ["Provisioning Facts", claims.chf],
    ["Provisioning Broker Username", claims.chusr],
    ["Provisioning Broker Password", claims.chpwd ? "******" : undefined],
    ["Provisioning Using Protocol v2", claims.v2 ? "true" : undefined],
    ["Provisioning Version Upgrades", claims.update ? "true" : undefined],
  ];
}
