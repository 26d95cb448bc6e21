import {
  decodeRpcReply,
  decodeSecureRequest,
  emptyFilter,
  encodeRpcRequest,
  type RpcReply,
  statusCodes,
  subjects,
} from "../protocol/mod.ts";
import { type RemoteSigner, SecurityError } from "../security/mod.ts";
import { type Clock, decodeUtf8, encodeUtf8, errorText, isObject } from "../std/mod.ts";
import type { Courier, Delivery } from "./courier.ts";

const agent = "aaa_signer";

/** How to reach the signing service over the network. */
export interface ServiceSignerOptions {
  courier: Courier;
  collective: string;
  clock: Clock;
  /** Longest wait for its answer, in milliseconds. */
  timeout: number;
}

/** A {@link RemoteSigner} that asks the service `aaa_signer`. */
export function serviceSigner(options: ServiceSignerOptions): RemoteSigner {
  return {
    async sign(request, credentials) {
      const data = {
        request: decodeUtf8(request),
        token: credentials.token,
        signature: credentials.key.sign(request).toHex(),
      };
      return readAnswer(await ask(options, encodeRpcRequest({ agent, action: "sign", data })));
    },
  };
}

async function ask({ courier, collective, clock, timeout }: ServiceSignerOptions, payload: Uint8Array) {
  const { promise, resolve, reject } = Promise.withResolvers<RpcReply>();
  const none = (reason: string) => reject(new SecurityError(`expected 1 response received 0: ${reason}`));
  const deliver = (delivery: Delivery) => {
    if (delivery.kind === "unheard") none("no AAA service is connected");
    else if (delivery.kind === "rejected") none(delivery.reason);
    else resolve(answerOf(delivery.reply.message));
  };
  using exchange = courier.open(
    { agent, collective, filter: emptyFilter(), payload },
    { deliver, refused: (error) => none(errorText(error)) },
  );
  using _limit = clock.after(timeout, () => none(`the AAA service did not answer within ${timeout / 1_000} s`));
  exchange.send([subjects.service(collective, agent)]).catch(reject);
  return await promise;
}

/** Never throws, so that what cannot be read fails the call like any refusal. */
function answerOf(message: Uint8Array): RpcReply {
  try {
    return decodeRpcReply(message);
  } catch (error) {
    return { action: "sign", statuscode: statusCodes.unknownError, statusmsg: errorText(error), data: {} };
  }
}

function readAnswer(reply: RpcReply) {
  if (reply.statuscode !== statusCodes.ok) throw new SecurityError(`signing failed: ${reply.statusmsg}`);
  const text = isObject(reply.data) ? reply.data.secure_request : undefined;
  if (typeof text !== "string") throw new SecurityError("signing failed: the AAA service sent no request back");
  return decodeSecureRequest(encodeUtf8(text));
}
