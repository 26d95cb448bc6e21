import { headers, type MsgHdrs } from "@nats-io/nats-core";
import { encodeUtf8, errorText } from "../../std/mod.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { Properties, readProperties } from "./_properties.ts";

const defaultInterval = 15_000;
const defaultPrefix = "$KV.CHORIA_SERVICES";

/** Unix seconds of Go's zero time. */
const never = -62_135_596_800;

/**
 * Publishes a message as long as the machine is in its states: at once on entering them, then at each interval. It is a
 * text of the manifest's, or tells of a service: `{cluster, service, protocol, address, port, priority, annotations?}`.
 *
 * Tells `previous_subject`, `previous_payload` and `previous_gossip` (Unix seconds) of itself, at its announce interval
 * only.
 */
export const kind: WatcherKind = {
  type: "gossip",
  create(context) {
    const message = readProperties(context.definition.properties, (properties) =>
      messageOf(properties, context.machine.id),
    );
    return new GossipWatcher(context, message, context.definition.interval || defaultInterval);
  },
};

/** What is published; subject and payload are templates. */
interface GossipMessage {
  subject: string;
  payload: string;
  /** Seconds that a stream keeps it; 0 for as long as it does. */
  ttl: number;
}

function messageOf(properties: Properties, id: string): GossipMessage {
  const registration = properties.object("registration");
  const ttl = properties.number("ttl_seconds");
  if (registration !== undefined) return { ...registrationOf(new Properties(registration), id), ttl };
  const subject = properties.required("subject");
  checkSubject(subject);
  return { subject, payload: properties.required("payload"), ttl };
}

function registrationOf(service: Properties, id: string): Omit<GossipMessage, "ttl"> {
  const name = (key: string) => {
    const text = service.required(key);
    if (!/^[a-zA-Z][a-zA-Z\d_-]*$/.test(text)) throw new Error(`invalid ${key} '${text}'`);
    return text;
  };
  const [cluster, kindOfService, protocol] = [name("cluster"), name("service"), name("protocol")];
  const annotations = service.table("annotations");
  const subject = `${service.text("prefix") || defaultPrefix}.${cluster}.${protocol}.${kindOfService}`;
  checkSubject(subject);
  const payload = JSON.stringify({
    cluster,
    service: kindOfService,
    protocol,
    address: service.required("ip"),
    port: portOf(service),
    priority: service.number("priority"),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
  return { subject: `${subject}.${id}`, payload };
}

function portOf(service: Properties): number {
  const port = service.number("port");
  if (port === 0) throw new Error("port is required");
  return port;
}

function checkSubject(subject: string): void {
  if (/[\s^*>]|\.\.|^\.|\.$|^$/.test(subject)) throw new Error("invalid registration subject");
}

class GossipWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #message: GossipMessage;
  readonly #pulse: Pulse;
  #subject = "";
  #payload = "";
  #time = never;
  #wasActive = false;
  /** Why the last message was not published; told once, as there may be no broker for long. */
  #fault = "";

  constructor(context: WatcherContext, message: GossipMessage, interval: number) {
    this.#context = context;
    this.#message = message;
    this.#pulse = new Pulse(context, { interval, first: 0, beat: () => this.#beat() });
  }

  start(): void {
    this.#wasActive = this.#context.isActive();
    this.#pulse.start();
  }

  stateChanged(): void {
    const isActive = this.#context.isActive();
    if (isActive && !this.#wasActive) this.#pulse.poke();
    this.#wasActive = isActive;
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    return {
      fields: { previous_subject: this.#subject, previous_payload: this.#payload, previous_gossip: this.#time },
      text: `${machine.name}#${definition.name} subject: ${this.#subject}, previous: ${this.#time}`,
    };
  }

  async #beat(): Promise<void> {
    const { isActive, machine, render, logger, signal } = this.#context;
    if (!isActive()) return;
    try {
      const [subject, payload] = [await render(this.#message.subject), await render(this.#message.payload)];
      checkSubject(subject);
      const { connection, clock } = machine.node;
      if (connection === undefined) throw new Error("there is no broker");
      if (signal.aborted) return;
      connection.publish(subject, encodeUtf8(payload), this.#options());
      this.#subject = subject;
      this.#payload = payload;
      this.#time = Math.floor(clock.now() / 1_000);
      this.#fault = "";
    } catch (error) {
      const reason = errorText(error);
      if (reason !== this.#fault) logger.error("Gossip could not be published", { reason });
      this.#fault = reason;
    }
  }

  #options(): { headers: MsgHdrs } | undefined {
    const { ttl } = this.#message;
    if (ttl <= 0) return undefined;
    const all = headers();
    // Others look for this spelling, which is not the header by which nats-server knows it.
    all.set("Nats-TTLSeconds", `${ttl}s`);
    return { headers: all };
  }
}
