import type { JsonObject } from "../std/mod.ts";

/** What a token is for, as its `purpose` claim says. */
export type TokenPurpose = "choria_client_id" | "choria_server" | "choria_provisioning";

/** Claims that every kind of token carries. Times are Unix seconds. */
export interface StandardClaims {
  purpose: TokenPurpose;
  /** Trust chain signature: hex, or two hex parts joined by a dot. */
  tcs?: string;
  /** Holder's ed25519 public key, 64 hex characters. */
  public_key?: string;
  /** When the issuer of a chained token expires. */
  issexp?: number;
  /** `I-…` on chain issuers, `C-…` on what they issue, else a name. */
  iss?: string;
  sub?: string;
  exp?: number;
  nbf?: number;
  iat?: number;
  jti?: string;
}

/** The claims on which signature, trust chain and times rest, whatever the token is for. */
export type SignedClaims = Omit<StandardClaims, "purpose">;

/** What a client may do beyond being connected; an absent flag is false. */
export interface ClientPermissions {
  streams_admin?: boolean;
  streams_user?: boolean;
  events_viewer?: boolean;
  election_user?: boolean;
  system_user?: boolean;
  governor?: boolean;
  org_admin?: boolean;
  fleet_management?: boolean;
  signed_fleet_management?: boolean;
  service?: boolean;
  authentication_delegator?: boolean;
  provisioner?: boolean;
}

/** Every name of {@link ClientPermissions}, in the order in which tokens list them. */
export const clientPermissionNames = [
  "streams_admin",
  "streams_user",
  "events_viewer",
  "election_user",
  "system_user",
  "governor",
  "org_admin",
  "fleet_management",
  "signed_fleet_management",
  "service",
  "authentication_delegator",
  "provisioner",
] as const satisfies readonly (keyof ClientPermissions)[];

/** Who a client is and what it may do (`choria_client_id`). */
export interface ClientClaims extends StandardClaims {
  purpose: "choria_client_id";
  /** For example `up=choria`. */
  callerid: string;
  /** `agent.action` entries that the holder may call. */
  agents?: string[];
  /** Organization. */
  ou?: string;
  user_properties?: Record<string, string>;
  /** Rego source. */
  opa_policy?: string;
  permissions?: ClientPermissions;
  /** Extra subjects that the broker lets the holder publish to. */
  pub_subjects?: string[];
  /** Extra subjects that the broker lets the holder subscribe to. */
  sub_subjects?: string[];
}

/** What a server may do beyond answering requests. */
export interface ServerPermissions {
  submission?: boolean;
  streams?: boolean;
  governor?: boolean;
  service_host?: boolean;
}

/** Every name of {@link ServerPermissions}, in the order in which tokens list them. */
export const serverPermissionNames = [
  "submission",
  "streams",
  "governor",
  "service_host",
] as const satisfies readonly (keyof ServerPermissions)[];

/** Who a server is (`choria_server`). */
export interface ServerClaims extends StandardClaims {
  purpose: "choria_server";
  identity: string;
  collectives: string[];
  permissions?: ServerPermissions;
  ou?: string;
  pub_subjects?: string[];
}

/** How an unprovisioned server finds its provisioner (`choria_provisioning`). */
export interface ProvisioningClaims extends StandardClaims {
  purpose: "choria_provisioning";
  /** Shared secret that the provisioner presents to the node. */
  cht: string;
  /** Whether the node demands protocol security while it is provisioned. */
  chs: boolean;
  /** Broker URLs joined by commas. */
  chu?: string;
  /** Domain whose SRV records name the brokers. */
  chsrv?: string;
  /** Whether a node provisions unless its configuration says no. */
  chpd: boolean;
  /** File published as registration data. */
  chrd?: string;
  /** File of facts. */
  chf?: string;
  /** NATS user and password. */
  chusr?: string;
  chpwd?: string;
  extensions: JsonObject | null;
  ou?: string;
  /** Protocol v2 and the `choria` security provider. */
  v2?: boolean;
  /** Whether versions may be upgraded while provisioning. */
  update?: boolean;
}

/** The claims of any token. */
export type Claims = ClientClaims | ServerClaims | ProvisioningClaims;

/** Organization of tokens that name none. */
export const defaultOrganization = "choria";
