import type { Connection } from "../../../lib/connector/mod.ts";
import {
  decodeReply,
  decodeRpcReply,
  decodeSecureReply,
  decodeTransport,
  emptyFilter,
  encodeRequest,
  encodeSecureRequest,
  encodeTransport,
  type Filter,
  newRequest,
  type Reply,
  type RpcReply,
  type SecureReply,
  type Transport,
} from "../../../lib/protocol/mod.ts";
import type { Agent, AgentMetadata } from "../../../lib/rpc/mod.ts";
import { signRequest } from "../../../lib/security/mod.ts";
import { decodeTokenUnverified, holderOf } from "../../../lib/tokens/mod.ts";
import type { Member } from "../../support/organization.ts";

/** Subscriptions and publications of a host, without a broker. */
export class FakeConnection {
  readonly server = "nats://broker.example.net:4222";
  readonly subscribed: { subject: string; queue: string | undefined }[] = [];
  readonly published: { subject: string; data: Uint8Array }[] = [];

  publish(subject: string, data: Uint8Array): void {
    this.published.push({ subject, data });
  }

  subscribe(subject: string, _handler: unknown, queue?: string): ReturnType<Connection["subscribe"]> {
    const entry = { subject, queue };
    this.subscribed.push(entry);
    const unsubscribe = () => this.subscribed.splice(this.subscribed.indexOf(entry), 1);
    return { unsubscribe } as unknown as ReturnType<Connection["subscribe"]>;
  }

  /** The layers of every reply so far. */
  replies(): { subject: string; transport: Transport; secure: SecureReply; reply: Reply }[] {
    return this.published.map(({ subject, data }) => {
      const transport = decodeTransport(data);
      const secure = decodeSecureReply(transport.data);
      return { subject, transport, secure, reply: decodeReply(secure.reply) };
    });
  }

  /** The RPC payloads of every reply so far. */
  rpcReplies(): RpcReply[] {
    return this.replies().map(({ reply }) => decodeRpcReply(reply.message));
  }
}

/** What {@link call} sends, where it differs from a plain call of `probe#run`. */
export interface CallOptions {
  agent?: string;
  payload?: string;
  collective?: string;
  filter?: Partial<Filter>;
  ttl?: number;
  /** When the request was made. */
  now?: number;
  id?: string;
  transport?: Partial<Transport>;
}

/** A call as it arrives from the network, signed by a member with their own key. */
export async function call(member: Member, options: CallOptions = {}): Promise<Uint8Array> {
  const { agent = "probe", collective = "choria", ttl = 60, now = Date.now() } = options;
  const { payload = JSON.stringify({ agent, action: "run", data: {} }) } = options;
  const claims = decodeTokenUnverified(member.token);
  const caller = holderOf(claims) ?? "";
  const request = newRequest(
    {
      message: new TextEncoder().encode(payload),
      sender: "client.example.net",
      caller,
      collective,
      agent,
      ttl,
      filter: { ...emptyFilter(), ...options.filter },
      ...(options.id === undefined ? {} : { id: options.id }),
    },
    now,
  );
  const credentials = { token: member.token, key: member.key, claims, holder: caller };
  const secure = await signRequest(encodeRequest(request), request, credentials);
  return encodeTransport({
    data: encodeSecureRequest(secure),
    sender: request.sender,
    reply: `${collective}.reply.x.${request.id}`,
    ...options.transport,
  });
}

/** An agent that answers as it is told. */
export function agentOf(handle: Agent["handle"], metadata: Partial<AgentMetadata> = {}): Agent {
  return {
    metadata: {
      name: "probe",
      description: "An agent of the tests",
      author: "tests",
      license: "Apache-2.0",
      version: "1.0.0",
      url: "https://example.net",
      timeout: 2,
      ...metadata,
    },
    handle,
  };
}
