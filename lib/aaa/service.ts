import { encodeSecureRequest, statusCodes } from "../protocol/mod.ts";
import { type Action, ActionError, type Agent, type AgentMetadata, rpcAgent } from "../rpc/mod.ts";
import { encodeUtf8, type JsonObject, type Logger } from "../std/mod.ts";
import type { SigningService, SignRequest } from "./signer.ts";

/** What the `aaa_signer` service says about itself. */
export const signerMetadata: AgentMetadata = {
  name: "aaa_signer",
  description: "Signs requests that the policies of their callers allow",
  author: "Choria Project",
  license: "Apache-2.0",
  version: "1.0.0",
  url: "https://choria.io",
  timeout: 10,
  service: true,
};

/**
 * The `aaa_signer` service: its action `sign` takes a request as JSON text, a token and a signature in hex, and gives
 * the signed request as JSON text. Nothing about the message that carries the call is believed or needed.
 */
export function signerAgent(signer: Pick<SigningService, "sign">, logger: Logger): Agent {
  return rpcAgent(signerMetadata, { sign: signAction(signer) }, { logger });
}

function signAction(signer: Pick<SigningService, "sign">): Action {
  return async (data) => {
    const answer = await signer.sign(readCall(data));
    if ("secureRequest" in answer) {
      return { secure_request: new TextDecoder().decode(encodeSecureRequest(answer.secureRequest)) };
    }
    const text = answer.reason === undefined ? "Request Denied" : `Request Denied: ${answer.reason}`;
    throw new ActionError(text, { statuscode: statusCodes.aborted, data: { secure_request: "" } });
  };
}

function readCall(data: JsonObject): SignRequest {
  return {
    request: encodeUtf8(textOf(data, "request")),
    token: textOf(data, "token"),
    signature: textOf(data, "signature"),
  };
}

function textOf(data: JsonObject, name: string): string {
  const value = Object.hasOwn(data, name) ? (data[name] ?? "") : "";
  if (typeof value === "string") return value;
  const text = `Could not parse request data for aaa_signer#sign: the field ${name} must be a string`;
  throw new ActionError(text, { statuscode: statusCodes.invalidData });
}
