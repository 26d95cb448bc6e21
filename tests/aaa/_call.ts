import { type Connection, connectBroker } from "../../lib/connector/mod.ts";
import {
  decodeSecureReply,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  encodeRpcRequest,
  encodeSecureRequest,
  encodeTransport,
  newRequest,
  type Request,
  type SecureReply,
  subjects,
} from "../../lib/protocol/mod.ts";
import { type Credentials, signRequest } from "../../lib/security/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { decodeTokenUnverified, holderOf } from "../../lib/tokens/mod.ts";
import type { LoggedIn } from "./_installation.ts";

/** A request of now for an action without inputs. */
export function requestFor(agent: string, action: string): Request {
  const message = encodeRpcRequest({ agent, action, data: {} });
  const filter = { ...emptyFilter(), agent: [agent] };
  return newRequest({ message, sender: "client", caller: "up=x", collective: "choria", agent, ttl: 60, filter });
}

/** What a client signs with. */
export function credentialsOf({ token, key }: LoggedIn): Credentials {
  const claims = decodeTokenUnverified(token);
  return { token, key, claims, holder: holderOf(claims) ?? "" };
}

/** Connect to a broker as somebody who logged in. */
export function connectAs({ token, key }: LoggedIn, holder: string, broker: string): Promise<Connection> {
  return connectBroker({
    servers: [broker],
    name: holder,
    login: () => ({ token, key }),
    inboxPrefix: subjects.inbox("choria", holder),
    logger: silentLogger,
  });
}

/** Call the `aaa_signer` service over a connection; gives its reply and the id that it must answer. */
export async function callSigner(
  connection: Connection,
  by: LoggedIn,
  holder: string,
  asked: Request,
): Promise<{ secureReply: SecureReply; id: string }> {
  const bytes = encodeRequest(asked);
  const data = { request: Buffer.from(bytes).toString(), token: by.token, signature: by.key.sign(bytes).toHex() };
  const message = encodeRpcRequest({ agent: "aaa_signer", action: "sign", data });
  const base = { sender: "client", caller: holder, collective: "choria", agent: "aaa_signer", ttl: 60 };
  const request = newRequest({ ...base, message, filter: emptyFilter() });
  const secure = await signRequest(encodeRequest(request), request, credentialsOf(by));
  const reply = subjects.reply("choria", holder, request.id);
  const answer = Promise.withResolvers<Uint8Array>();
  const subscription = connection.subscribe(reply, (received) => answer.resolve(received.data));
  const transport = encodeTransport({ data: encodeSecureRequest(secure), sender: "client", reply });
  connection.publish(subjects.service("choria", "aaa_signer"), transport);
  const received = decodeTransport(await answer.promise);
  subscription.unsubscribe();
  return { secureReply: decodeSecureReply(received.data), id: request.id };
}
