import { generateKey, type KeyPair, writeSeedFile } from "../../lib/crypto/mod.ts";
import {
  decodeTokenUnverified,
  type IssueOptions,
  issueClientToken,
  issueProvisioningToken,
  issueServerToken,
  keySigner,
  type NewClient,
  type NewServer,
  writeTokenFile,
} from "../../lib/tokens/mod.ts";

/** Somebody with a key and a token. */
export interface Member {
  key: KeyPair;
  token: string;
  /** Write token and seed to `<path>.jwt` and `<path>.seed`. */
  save(path: string): { tokenFile: string; seedFile: string };
}

/** An organization of a test's own that issues whatever tokens the test asks for. */
export class TestOrganization {
  readonly issuer: KeyPair = generateKey();
  readonly now: number;

  constructor(now = Date.now()) {
    this.now = now;
  }

  /** Trusted issuers, as configurations hold them. */
  get issuers(): Map<string, string> {
    return new Map([["choria", this.issuer.publicKey]]);
  }

  /** A client, issued by the organization, or by a chain issuer when one is given. */
  async client(
    client: Omit<NewClient, "public_key">,
    options: Partial<IssueOptions> & { by?: Member } = {},
  ): Promise<Member> {
    const key = generateKey();
    return member(key, await issueClientToken({ ...client, public_key: key.publicKey }, this.#options(options)));
  }

  /** A server, issued by the organization, or by a chain issuer when one is given. */
  async server(
    server: Omit<NewServer, "public_key">,
    options: Partial<IssueOptions> & { by?: Member } = {},
  ): Promise<Member> {
    const key = generateKey();
    return member(key, await issueServerToken({ ...server, public_key: key.publicKey }, this.#options(options)));
  }

  /** A client that may issue others. */
  chainIssuer(callerid: string): Promise<Member> {
    return this.client({ callerid, permissions: {}, canIssue: true }, { validity: 86_400_000 });
  }

  /** A provisioning token. */
  provisioning(urls: string[], token = "s3cret"): Promise<string> {
    const claims = {
      cht: token,
      chs: false,
      chu: urls.join(","),
      chpd: true,
      extensions: null,
      v2: true,
      update: true,
    };
    return issueProvisioningToken(claims, this.#options({ validity: 86_400_000 }));
  }

  #options(options: Partial<IssueOptions> & { by?: Member }): IssueOptions {
    const { by, ...rest } = options;
    const base = { now: this.now, ...rest };
    if (by === undefined) return { signer: keySigner(this.issuer), ...base };
    return { signer: keySigner(by.key), chainIssuer: decodeTokenUnverified(by.token), ...base };
  }
}

function member(key: KeyPair, token: string): Member {
  return {
    key,
    token,
    save(path) {
      const files = { tokenFile: `${path}.jwt`, seedFile: `${path}.seed` };
      writeTokenFile(files.tokenFile, token);
      writeSeedFile(files.seedFile, key);
      return files;
    },
  };
}
