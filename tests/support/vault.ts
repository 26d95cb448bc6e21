import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { decodeBase64, encodeBase64, generateKey, type KeyPair } from "../../lib/crypto/mod.ts";
import { isObject, type JsonObject } from "../../lib/std/mod.ts";

/** A request that {@link FakeVault} was asked. */
export interface VaultRequest {
  method: string;
  path: string;
  token: string | null;
  namespace: string | null;
  body: JsonObject;
}

/** As much of Vault's transit engine as signs tokens: an ed25519 key `issuer`, an RSA key `rsa`, an AES key `aes`. */
export class FakeVault implements Disposable {
  readonly token = "hvs.test";
  readonly issuer: KeyPair = generateKey();
  readonly rsaPublic: string;
  readonly requests: VaultRequest[] = [];
  /** Replaces the data of every signing answer, to misbehave. */
  misbehave: JsonObject | undefined;
  readonly #rsaPrivate: string;
  readonly #server: Bun.Server<undefined>;

  constructor() {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    this.#rsaPrivate = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    this.rsaPublic = String(createPublicKey(this.#rsaPrivate).export({ type: "spki", format: "pem" }));
    this.#server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: (request) => this.#answer(request) });
  }

  /** `http://127.0.0.1:port`. */
  get address(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** The environment in which tools find it. */
  get env(): Record<string, string> {
    return { VAULT_ADDR: this.address, VAULT_TOKEN: this.token };
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const text = await request.text();
    const parsed: unknown = text === "" ? {} : JSON.parse(text);
    const body = isObject(parsed) ? parsed : {};
    const token = request.headers.get("X-Vault-Token");
    const namespace = request.headers.get("X-Vault-Namespace");
    this.requests.push({ method: request.method, path, token, namespace, body });
    if (token !== this.token) return Response.json({ errors: ["permission denied"] }, { status: 403 });
    const data = this.#data(request.method, path, body);
    return data === undefined ? Response.json({ errors: [] }, { status: 404 }) : Response.json({ data });
  }

  #data(method: string, path: string, body: JsonObject): JsonObject | undefined {
    const old = encodeBase64(generateKey().sign(new Uint8Array()).subarray(32));
    switch (`${method} ${path}`) {
      case "GET /v1/transit/keys/issuer": {
        const public_key = encodeBase64(Uint8Array.fromHex(this.issuer.publicKey));
        return { type: "ed25519", keys: { "1": { public_key: old }, "12": { public_key }, "2": { public_key: old } } };
      }
      case "GET /v1/transit/keys/rsa":
        return { type: "rsa-2048", keys: { "1": { public_key: this.rsaPublic } } };
      case "GET /v1/transit/keys/aes":
        return { type: "aes256-gcm96", keys: { "1": 1700000000 } };
      case "POST /v1/transit/sign/issuer":
        return this.misbehave ?? { signature: `vault:v12:${encodeBase64(this.issuer.sign(input(body)))}` };
      case "POST /v1/transit/sign/rsa":
        return {
          signature: `vault:v1:${encodeBase64(sign("sha256", input(body), createPrivateKey(this.#rsaPrivate)))}`,
        };
      default:
        return undefined;
    }
  }
}

function input(body: JsonObject): Uint8Array {
  return decodeBase64(String(body.input)) ?? new Uint8Array();
}
