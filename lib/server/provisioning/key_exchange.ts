import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/** The node's half of an X25519 key exchange, by which a provisioner may hide a TLS key. */
export class KeyExchange {
  #privateKey: KeyObject | undefined;

  /** Begin anew; gives the public half as hex. */
  renew(): string {
    const { privateKey } = generateKeyPairSync("x25519");
    this.#privateKey = privateKey;
    // The raw key is the end of its SubjectPublicKeyInfo.
    return createPublicKey(privateKey).export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
  }

  /** The private half; undefined before {@link KeyExchange.renew}. */
  get privateKey(): KeyObject | undefined {
    return this.#privateKey;
  }
}
