import { PermissionViolationError } from "@nats-io/nats-core";
import type { Connection } from "../connector/mod.ts";
import {
  decodeSecureReply,
  decodeTransport,
  encodeRequest,
  encodeSecureRequest,
  encodeTransport,
  type Filter,
  newRequest,
  type Reply,
  subjects,
} from "../protocol/mod.ts";
import { type Credentials, type RemoteSigner, type ReplyVerifier, signRequest } from "../security/mod.ts";
import { type Clock, errorText, type Logger, newKsuid } from "../std/mod.ts";

/** What a {@link Courier} works with. */
export interface CourierOptions {
  connection: Connection;
  /** Token and key, asked for each request: both may be renewed meanwhile. */
  credentials: () => Credentials;
  /** Caller id for whose replies this listens. */
  caller: string;
  /** Identity of this process. */
  sender: string;
  verifier: ReplyVerifier;
  /** Seconds for which requests are valid. */
  ttl: number;
  clock: Clock;
  logger: Logger;
}

/** A request that is to be sent. */
export interface Parcel {
  agent: string;
  collective: string;
  filter: Filter;
  payload: Uint8Array;
  /** Subject for replies that somebody else receives. Without it they come here. */
  replyTo?: string;
  /** Who signs it; the caller's own key by default. */
  signer?: RemoteSigner;
}

/** What comes back on a request. */
export type Delivery =
  | { kind: "reply"; reply: Reply /** Milliseconds since the request was first sent. */; elapsed: number }
  /** A reply that is not believed. Its sender is only what it says. */
  | { kind: "rejected"; sender: string; reason: string }
  /** The broker knows nobody who listens on this subject, so nothing will come from there. */
  | { kind: "unheard"; subject: string };

/** Who is told what comes back. */
export interface Receiver {
  deliver(delivery: Delivery): void;
  /** The request is signed and about to leave; told each time it is sent. */
  leaving?(): void;
  /** The broker does not let the caller send or receive this. */
  refused(error: Error): void;
}

/** An exchange of one request, under one id, and its replies. Disposing it ends the wait for more. */
export interface Exchange extends Disposable {
  readonly id: string;
  /** Sign the request anew and send it to each of the subjects. */
  send(subjects: readonly string[]): Promise<void>;
}

interface OpenExchange {
  receiver: Receiver;
  sent: string[];
  replySubject: string;
  /** When the request was first sent, milliseconds since the epoch. */
  sentAt: number;
}

/** Signs and sends requests over one connection, and receives and verifies what comes back. */
export class Courier {
  readonly #options: CourierOptions;
  readonly #open = new Set<OpenExchange>();

  constructor(options: CourierOptions) {
    this.#options = options;
    void this.#watchRefusals();
  }

  /** Begin an exchange: from now on replies are received. */
  open(parcel: Parcel, receiver: Receiver): Exchange {
    const { caller, connection, clock } = this.#options;
    const id = newKsuid(Math.floor(clock.now() / 1_000));
    const replySubject = parcel.replyTo ?? subjects.reply(parcel.collective, caller, id);
    const exchange: OpenExchange = { receiver, sent: [], replySubject, sentAt: 0 };
    this.#open.add(exchange);
    const subscriptions = parcel.replyTo === undefined ? this.#listen(exchange, id) : [];
    return {
      id,
      send: async (targets) => {
        const bytes = await this.#pack(parcel, id, replySubject);
        receiver.leaving?.();
        this.#publish(exchange, targets, bytes, parcel.replyTo === undefined);
        // A connection that is closed meanwhile never confirms.
        await Promise.race([connection.flush(), connection.closed]);
      },
      [Symbol.dispose]: () => {
        this.#open.delete(exchange);
        for (const subscription of subscriptions) subscription.unsubscribe();
      },
    };
  }

  #listen(exchange: OpenExchange, id: string): { unsubscribe(): void }[] {
    const { connection, clock } = this.#options;
    const { receiver, replySubject, sent } = exchange;
    return [
      connection.subscribe(replySubject, async ({ data }) => {
        const elapsed = clock.now() - exchange.sentAt;
        receiver.deliver(await this.#unpack(data, id, elapsed));
      }),
      // Each target is sent with a subject of its own here, on which the broker says when nobody listens there.
      connection.subscribe(`${replySubject}.*`, ({ subject, headers }) => {
        const target = sent[Number(subject.slice(replySubject.length + 1))];
        if (headers?.code === 503 && target !== undefined) receiver.deliver({ kind: "unheard", subject: target });
      }),
    ];
  }

  async #pack(parcel: Parcel, id: string, reply: string): Promise<Uint8Array> {
    const { caller, sender, ttl, clock, connection } = this.#options;
    const credentials = this.#options.credentials();
    if (credentials.holder !== caller) {
      throw new Error(
        `The token is now that of ${credentials.holder}, the connection that of ${caller}: connect again`,
      );
    }
    const { agent, collective, filter, payload } = parcel;
    const fields = { id, agent, collective, filter, message: payload, caller, sender, ttl };
    const request = newRequest(fields, clock.now());
    const secure = await signRequest(encodeRequest(request), request, credentials, parcel.signer);
    const { server } = connection;
    return encodeTransport({ data: encodeSecureRequest(secure), sender, reply, trace: [[server, sender, server]] });
  }

  #publish(exchange: OpenExchange, targets: readonly string[], bytes: Uint8Array, isOurs: boolean): void {
    const { connection, clock } = this.#options;
    exchange.sentAt ||= clock.now();
    for (const target of targets) {
      const number = exchange.sent.push(target) - 1;
      connection.publish(target, bytes, isOurs ? { reply: `${exchange.replySubject}.${number}` } : {});
    }
  }

  async #unpack(data: Uint8Array, id: string, elapsed: number): Promise<Delivery> {
    let sender = "";
    try {
      const transport = decodeTransport(data);
      sender = transport.sender;
      const reply = await this.#options.verifier.verify(decodeSecureReply(transport.data), id);
      return { kind: "reply", reply, elapsed };
    } catch (error) {
      const reason = errorText(error);
      this.#options.logger.debug("A reply is not accepted", { requestid: id, sender, reason });
      return { kind: "rejected", sender, reason };
    }
  }

  /** The broker tells about refusals aside, so they are matched by their subject. */
  async #watchRefusals(): Promise<void> {
    const { connection, caller } = this.#options;
    for await (const status of connection.nats.status()) {
      if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      for (const { receiver, sent, replySubject } of this.#open) {
        if (operation === "publish" && sent.includes(subject)) {
          receiver.refused(new Error(`The broker does not let ${caller} publish to ${subject}`));
        } else if (operation === "subscription" && subject.startsWith(replySubject)) {
          receiver.refused(new Error(`The broker does not let ${caller} subscribe to ${subject}`));
        }
      }
    }
  }
}
