import type { Msg } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import {
  decodeRpcReply,
  decodeSecureReply,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  encodeRpcRequest,
  encodeSecureRequest,
  encodeTransport,
  newRequest,
  subjects,
  type Transport,
} from "../protocol/mod.ts";
import { type Credentials, type ReplyVerifier, signRequest } from "../security/mod.ts";
import { type Clock, encodeUtf8, errorText, isObject, type JsonObject, type Logger } from "../std/mod.ts";

/** Collective in which nodes are provisioned. */
const collective = "provisioning";
const requestTtl = 60;
/** The discovery agent takes the word in base64. */
const ping = encodeUtf8("cGluZw==");

/** Why a call had no result: nobody of that name listens, no answer came in time, or the node refused. */
export type CallFault = "gone" | "timeout" | "refused";

/** A call that had no result. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly fault: CallFault;

  constructor(fault: CallFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** What {@link NodeCaller} works with. */
export interface NodeCallerOptions {
  connection: Pick<Connection, "publish" | "subscribe" | "server">;
  /** Caller id, which the replies' subject is made of. */
  callerId: string;
  /** Identity of this process. */
  identity: string;
  /** Token and key that requests are signed with. */
  credentials: () => Credentials;
  verifier: Pick<ReplyVerifier, "verify">;
  clock: Clock;
  logger: Logger;
}

/** One action of one node. */
export interface NodeCall {
  node: string;
  agent: string;
  action: string;
  data: JsonObject;
  /** Longest wait for the reply, in milliseconds. */
  timeout: number;
  /** Calls it off. */
  signal?: AbortSignal;
}

interface Waiting {
  node: string;
  resolve: (transport: Transport) => void;
  reject: (error: Error) => void;
}

/**
 * Calls actions of unprovisioned nodes and discovers them, all over one subscription. Such nodes have no key yet, so
 * their replies are matched by request id and sender.
 */
export class NodeCaller implements Disposable {
  readonly #options: NodeCallerOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #subscription: { unsubscribe(): void };
  #discovery: { id: string; onNode: (node: string) => void } | undefined;

  constructor(options: NodeCallerOptions) {
    this.#options = options;
    const replies = `${subjects.inbox(collective, options.callerId)}.*`;
    this.#subscription = options.connection.subscribe(replies, (message) => this.#take(message));
  }

  /**
   * Call an action and give the data of its reply.
   *
   * @throws {CallError} when there is no reply, or one with another status than 0.
   */
  async call(call: NodeCall): Promise<JsonObject> {
    const payload = encodeRpcRequest({ agent: call.agent, action: call.action, data: call.data });
    const { id, bytes } = await this.#wrap(call.agent, [call.agent], payload);
    const transport = await this.#ask(id, bytes, call);
    const reply = await this.#options.verifier.verify(decodeSecureReply(transport.data));
    if (reply.request !== id || reply.sender !== call.node) {
      throw new CallError("refused", `invalid response from ${call.node}: it answers another request`);
    }
    const { statuscode, statusmsg, data } = decodeRpcReply(reply.message);
    if (statuscode !== 0) {
      throw new CallError("refused", `invalid response from ${call.node}: ${statusmsg} (${statuscode})`);
    }
    return isObject(data) ? data : {};
  }

  /**
   * Ask every node that can be provisioned to name itself. Answers are taken until the next discovery.
   *
   * @param onNode Called with each name as it comes in.
   */
  async discover(onNode: (node: string) => void): Promise<void> {
    const { id, bytes } = await this.#wrap("discovery", ["choria_provision"], ping);
    this.#discovery = { id, onNode };
    this.#options.connection.publish(subjects.broadcast(collective, "discovery"), bytes);
  }

  /** Give up every call that still waits. */
  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
    for (const { reject } of [...this.#waiting.values()]) reject(new Error("the provisioner stops"));
  }

  async #wrap(agent: string, filter: string[], message: Uint8Array): Promise<{ id: string; bytes: Uint8Array }> {
    const { callerId, identity, credentials, clock, connection } = this.#options;
    const request = newRequest(
      {
        message,
        sender: identity,
        caller: callerId,
        collective,
        agent,
        ttl: requestTtl,
        filter: { ...emptyFilter(), agent: filter },
      },
      clock.now(),
    );
    const secure = await signRequest(encodeRequest(request), request, credentials());
    const { server } = connection;
    const bytes = encodeTransport({
      data: encodeSecureRequest(secure),
      sender: identity,
      reply: subjects.reply(collective, callerId, request.id),
      trace: [[server, identity, server]],
    });
    return { id: request.id, bytes };
  }

  async #ask(id: string, bytes: Uint8Array, { node, timeout, signal }: NodeCall): Promise<Transport> {
    const { connection, clock, callerId } = this.#options;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Transport>();
    const onAbort = () => reject(new Error("it was called off"));
    signal?.addEventListener("abort", onAbort, { once: true });
    using _limit = clock.after(timeout, () => reject(new CallError("timeout", noReply(node))));
    this.#waiting.set(id, { node, resolve, reject });
    try {
      // Nodes do not look at this reply subject; the broker does, and says at once when nobody listens.
      const reply = subjects.reply(collective, callerId, id);
      connection.publish(subjects.node(collective, node), bytes, { reply });
      return await promise;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #take(message: Msg): void {
    const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    const waiting = this.#waiting.get(id);
    if (message.data.length === 0 && message.headers?.code === 503) {
      waiting?.reject(new CallError("gone", noReply(waiting.node)));
      return;
    }
    if (waiting === undefined && id !== this.#discovery?.id) return;
    let transport: Transport;
    try {
      transport = decodeTransport(message.data);
    } catch (error) {
      this.#options.logger.warn("A reply could not be read", { requestid: id, reason: errorText(error) });
      return;
    }
    if (waiting !== undefined) waiting.resolve(transport);
    else this.#discovery?.onNode(transport.sender);
  }
}

function noReply(node: string): string {
  return `received 0 responses while expecting a response from ${node}`;
}
