import { join } from "node:path";
import { generateKey } from "../../crypto/mod.ts";
import { ActionError } from "../../rpc/mod.ts";
import { encodeUtf8, errorText, type JsonObject } from "../../std/mod.ts";
import type { Inputs } from "./_inputs.ts";
import type { ProvisionState } from "./_state.ts";

/** Action `jwt`: show the provisioning token, and half of a key exchange. */
export function readProvisioningJwt(_inputs: Inputs, { files, tokenFile, exchange }: ProvisionState): JsonObject {
  if (tokenFile === "") throw new ActionError("No Provisioning JWT file has been configured");
  if (!files.has(tokenFile)) throw new ActionError("Provisioning JWT file does not exist");
  try {
    return { jwt: files.read(tokenFile), ecdh_public: exchange.renew() };
  } catch (error) {
    throw new ActionError(`Could not read Provisioning JWT: ${errorText(error)}`);
  }
}

/** Action `gen25519`: make the key that the node's token will be for, and prove to have it. */
export function generateServerKey(inputs: Inputs, { files, directory }: ProvisionState): JsonObject {
  const nonce = inputs.text("nonce");
  const key = generateKey();
  try {
    // A token of the former key would only be found not to fit.
    files.remove(join(directory, "server.jwt"));
    files.write(join(directory, "server.seed"), key.seed, 0o600);
  } catch (error) {
    throw new ActionError(`Could not save the server key: ${errorText(error)}`);
  }
  return { public_key: key.publicKey, directory, signature: key.sign(encodeUtf8(nonce)).toHex() };
}
