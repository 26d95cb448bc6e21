import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { generateKey, type KeyPair, readSeedFile, selfSignedCertificate, writeSeedFile } from "../crypto/mod.ts";
import { isFile, writeFileAtomic } from "../std/mod.ts";
import {
  type Claims,
  decodeTokenUnverified,
  isExpired,
  issueClientToken,
  issueProvisioningToken,
  issueServerToken,
  keySigner,
  type NewClient,
  readTokenFile,
  writeTokenFile,
} from "../tokens/mod.ts";
import type { Layout } from "./layout.ts";

const year = 365 * 86_400_000;

/** Secret that provisioner, broker and nodes of a local network share. */
export const provisioningSecret = "s3cret";

/** What {@link createCredentials} takes from networks that are not on one machine. */
export interface CredentialOptions {
  /** Secret that provisioner and nodes share. @default {@link provisioningSecret} */
  secret?: string;
  /** Host names in the broker's certificate. @default ["broker.choria.local"] */
  brokerNames?: readonly string[];
  /** Host names in the AAA service's certificate. @default ["aaa.choria.local"] */
  aaaNames?: readonly string[];
}

/**
 * Make an organization: its issuer and, signed by it, everybody who takes part before any server exists. What is
 * already there and still good stays as it is, so that a second run changes nothing.
 *
 * @param brokerUrl Where new servers find the broker that has them provisioned.
 * @returns the organization issuer's public key.
 */
export async function createCredentials(
  layout: Layout,
  brokerUrl: string,
  options: CredentialOptions = {},
): Promise<string> {
  const {
    secret = provisioningSecret,
    brokerNames = ["broker.choria.local"],
    aaaNames = ["aaa.choria.local"],
  } = options;
  const maker = new CredentialMaker(layout, makeKey(layout, "issuer", "issuer"));
  await maker.client("aaasvc", "chain-signer", { callerid: "aaa_chain_delegator", permissions: {}, canIssue: true });
  const delegator = { callerid: "aaa_request_signer", permissions: { authentication_delegator: true } };
  await maker.client("aaasvc", "request-signer", delegator);
  await maker.server("aaasvc", "signer-service", "aaa.choria.local", { permissions: { service_host: true } });
  await maker.server("broker", "broker", "broker.choria.local", { pub_subjects: ["choria.node_metadata.>"] });
  await maker.client("provisioner", "signer", {
    callerid: "provisioner_signer",
    permissions: { fleet_management: true, provisioner: true },
    canIssue: true,
  });
  await maker.client("stream-replicator", "choria", replicator);
  makeKey(layout, "client", "plugin-signer");
  await maker.provisioning(brokerUrl, secret);
  await maker.certificate("broker", brokerNames);
  await maker.certificate("aaasvc", aaaNames);
  return maker.issuer.publicKey;
}

const replicator: NewClient = {
  callerid: "stream_replicator",
  permissions: { streams_user: true },
  pub_subjects: ["choria.stream-replicator.sync.>", "choria.node_advisories.>", "choria.node_metadata._monitor"],
  sub_subjects: ["choria.stream-replicator.sync.>"],
};

class CredentialMaker {
  readonly issuer: KeyPair;
  readonly #layout: Layout;

  constructor(layout: Layout, issuer: KeyPair) {
    this.#layout = layout;
    this.issuer = issuer;
  }

  async client(owner: string, name: string, client: NewClient): Promise<void> {
    await this.#token(owner, name, (key) =>
      issueClientToken({ ...client, public_key: key.publicKey }, this.#options()),
    );
  }

  async server(
    owner: string,
    name: string,
    identity: string,
    more: { permissions?: { service_host?: boolean }; pub_subjects?: string[] },
  ): Promise<void> {
    await this.#token(owner, name, (key) =>
      issueServerToken({ identity, collectives: ["choria"], public_key: key.publicKey, ...more }, this.#options()),
    );
  }

  /** The one thing that a new server starts with. */
  async provisioning(url: string, secret: string): Promise<void> {
    const file = this.#layout.credential("server", "provisioning.jwt");
    // The token names the broker, so another port asks for another token.
    const isWanted = (claims: Claims) =>
      claims.purpose === "choria_provisioning" && claims.chu === url && claims.cht === secret;
    if (isGood(file, isWanted)) return;
    const claims = {
      cht: secret,
      chs: false,
      chu: url,
      chpd: true,
      extensions: null,
      v2: true,
      update: true,
    };
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeTokenFile(file, await issueProvisioningToken(claims, this.#options()));
  }

  async certificate(owner: string, names: readonly string[]): Promise<void> {
    const file = this.#layout.credential(owner, "public.crt");
    if (isFile(file)) return;
    const [name = owner, ...others] = names;
    const made = await selfSignedCertificate({ name, alternatives: [...others, "localhost", "127.0.0.1"] });
    writeFileAtomic(this.#layout.credential(owner, "private.key"), made.privateKey, { mode: 0o600 });
    writeFileAtomic(file, made.certificate);
  }

  async #token(owner: string, name: string, issue: (key: KeyPair) => Promise<string>): Promise<void> {
    const file = this.#layout.credential(owner, `${name}.jwt`);
    const key = makeKey(this.#layout, owner, name);
    if (!isGood(file, (claims) => claims.public_key === key.publicKey)) writeTokenFile(file, await issue(key));
  }

  #options() {
    return { signer: keySigner(this.issuer), now: Date.now(), validity: year };
  }
}

/** Whether a token stands there, is not expired and is the one wanted. */
function isGood(file: string, isWanted: (claims: Claims) => boolean): boolean {
  try {
    const claims = decodeTokenUnverified(readTokenFile(file));
    return !isExpired(claims, Date.now()) && isWanted(claims);
  } catch {
    return false;
  }
}

function makeKey(layout: Layout, owner: string, name: string): KeyPair {
  const file = layout.credential(owner, `${name}.seed`);
  if (isFile(file)) return readSeedFile(file);
  const key = generateKey();
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeSeedFile(file, key);
  writeFileAtomic(layout.credential(owner, `${name}.public`), key.publicKey);
  return key;
}
