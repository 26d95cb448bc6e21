import { labelledLines } from "../../../lib/cli/mod.ts";
import { formatGoTime, formatRemaining } from "../../../lib/std/mod.ts";
import {
  type Claims,
  type ClientClaims,
  type ClientPermissions,
  expiryOf,
  holderOf,
  isChained,
  isChainIssuer,
  isVouchedChainIssuer,
  type ProvisioningClaims,
  privateNetworkId,
  type ServerClaims,
  type ServerPermissions,
  type TokenPurpose,
} from "../../../lib/tokens/mod.ts";

/** What each kind of token is called in its title. */
export const kindNames: Readonly<Record<TokenPurpose, string>> = {
  choria_client_id: "Client Identification",
  choria_server: "Server",
  choria_provisioning: "Provisioning",
};

/** Last Unix time that a date can show. */
const lastSecond = 8_640_000_000_000;

type Row = readonly [label: string, value: string | undefined];

const clientPermissionTexts: readonly (readonly [keyof ClientPermissions, string])[] = [
  ["election_user", "Can use Leader Elections"],
  ["events_viewer", "Can view Lifecycle and Autonomous Agent events"],
  ["streams_user", "Can use Choria Streams"],
  ["streams_admin", "Can administer Choria Streams"],
  ["governor", "Can access Choria Governors"],
  ["org_admin", "Can observe all traffic on all subjects and access the system account"],
  ["system_user", "Can access the Broker system account"],
  ["authentication_delegator", "Can sign requests on behalf of other users"],
  ["service", "Can have an extended token lifetime"],
  ["provisioner", "Can provision Choria Servers"],
];

const serverPermissionTexts: readonly (readonly [keyof ServerPermissions, string])[] = [
  ["service_host", "Can host services"],
  ["submission", "Can publish Choria Submission messages"],
  ["streams", "Can access Choria Streams"],
  ["governor", "Can access Choria Governor"],
];

/**
 * A token's claims as people read them, line by line.
 * @param now Milliseconds since the epoch, for the time that is left.
 */
export function claimsLines(claims: Claims, now: number): string[] {
  if (claims.purpose === "choria_client_id") return clientLines(claims, now);
  return claims.purpose === "choria_server" ? serverLines(claims, now) : provisioningLines(claims, now);
}

function clientLines(claims: ClientClaims, now: number): string[] {
  const rows: Row[] = [
    ["Caller ID", given(claims.callerid)],
    ["Organization Unit", given(claims.ou)],
    ["Allowed Agents", listed(claims.agents)],
    ["Public Key", claims.public_key ?? ""],
    ["Private Network ID", networkId(claims)],
    ["Expires At", expiryText(claims, now)],
    [" Subscriptions Subjects", listed(claims.sub_subjects)],
    ["Publish Subjects", listed(claims.pub_subjects)],
    ["Trust Chain", chainText(claims)],
  ];
  const properties = claims.user_properties;
  const rest: Row[] = [
    ["User Properties", properties && Object.keys(properties).length > 0 ? JSON.stringify(properties) : undefined],
    ["OPA Policy", given(claims.opa_policy)],
  ];
  return [...aligned(rows, 19), "", ...clientPermissionLines(claims.permissions), ...aligned(rest, 19)];
}

function clientPermissionLines(permissions: ClientPermissions | undefined): string[] {
  if (permissions === undefined) return [];
  const { fleet_management, signed_fleet_management } = permissions;
  const fleet = "Can manage Choria fleet nodes";
  const texts = [
    ...(signed_fleet_management ? [`${fleet} subject to authorizing signature`] : fleet_management ? [fleet] : []),
    ...clientPermissionTexts.filter(([name]) => permissions[name]).map(([, text]) => text),
  ];
  const shown = texts.length > 0 ? texts : ["No user specific permissions granted"];
  return [" Client Permissions:", "", ...shown.map((text) => " ".repeat(6) + text), ""];
}

function serverLines(claims: ServerClaims, now: number): string[] {
  const rows: Row[] = [
    ["Identity", given(claims.identity)],
    ["Expires At", expiryText(claims, now)],
    ["Collectives", listed(claims.collectives)],
    ["Public Key", given(claims.public_key)],
    ["Organization Unit", given(claims.ou)],
    ["Additional Subjects", listed(claims.pub_subjects)],
    ["Private Network ID", networkId(claims)],
    ["Trust Chain", chainText(claims)],
  ];
  return [...aligned(rows, 21), "", ...serverPermissionLines(claims.permissions)];
}

function serverPermissionLines(permissions: ServerPermissions | undefined): string[] {
  if (permissions === undefined) return [];
  const texts = serverPermissionTexts.filter(([name]) => permissions[name]).map(([, text]) => text);
  const shown = texts.length > 0 ? texts : ["No server specific permissions granted"];
  return ["   Broker Permissions:", "", ...shown.map((text) => " ".repeat(10) + text), ""];
}

function provisioningLines(claims: ProvisioningClaims, now: number): string[] {
  const rows: Row[] = [
    ["Expires At", expiryText(claims, now)],
    ["Token", claims.cht === "" ? undefined : "*****"],
    ["Secure", String(claims.chs)],
    ["SRV Domain", given(claims.chsrv)],
    ["URLS", given(claims.chu)],
    ["Provisioning by default", String(claims.chpd)],
    ["Provisioning Registration Data", given(claims.chrd)],
    ["Provisioning Facts", given(claims.chf)],
    ["Broker Username", given(claims.chusr)],
    ["Broker Password", claims.chpwd ? "*****" : undefined],
    ["Using version 2 Protocol", claims.v2 ? "true" : undefined],
    ["Server Version Upgrades", String(claims.update ?? false)],
    ["Extensions", claims.extensions === null ? undefined : JSON.stringify(claims.extensions, null, 2)],
    ["Standard Claims", standardClaims(claims)],
  ];
  return aligned(rows, 30);
}

function standardClaims(claims: ProvisioningClaims): string {
  const { purpose, tcs, public_key, issexp, iss, sub, exp, nbf, iat, jti } = claims;
  return JSON.stringify({ purpose, tcs, public_key, issexp, iss, sub, exp, nbf, iat, jti }, null, 2);
}

function aligned(rows: readonly Row[], width: number): string[] {
  const filled = rows.flatMap(([label, value]): [string, string][] =>
    value === undefined ? [] : [[label, printable(value)]],
  );
  return labelledLines(filled, { width });
}

/** Tokens are shown before anybody vouches for them: what they say must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");
}

function given(text: string | undefined): string | undefined {
  return text || undefined;
}

function listed(items: string[] | undefined): string | undefined {
  return given(items?.join(", "));
}

function networkId(claims: Claims): string | undefined {
  const holder = holderOf(claims);
  return holder ? privateNetworkId(holder) : undefined;
}

function expiryText(claims: Claims, now: number): string | undefined {
  const end = expiryOf(claims);
  if (end === undefined) return undefined;
  const left = end * 1_000 - now;
  const note = left > 0 ? formatRemaining(left) : `expired ${formatRemaining(left)} ago`;
  return Math.abs(end) > lastSecond ? `${end} (${note})` : `${formatGoTime(end * 1_000)} (${note})`;
}

function chainText(claims: ClientClaims | ServerClaims): string | undefined {
  const invalid = "Invalid signing data, issued users will be invalid";
  if (isChainIssuer(claims)) {
    const organization = claims.iss?.slice(2);
    return isVouchedChainIssuer(claims)
      ? `Can Issue Clients as part of a trust chain with Issuer ${organization}`
      : invalid;
  }
  if (!isChained(claims)) return undefined;
  return `Issued by ${(claims.iss ?? "").slice(2).split(".")[0]}`;
}
