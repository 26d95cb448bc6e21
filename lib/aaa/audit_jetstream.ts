import { jetstream } from "@nats-io/jetstream";
import { type Connection, connectBroker, hostAndPort, type Login, type TlsOptions } from "../connector/mod.ts";
import { backoff, type Clock, encodeUtf8, errorText, type Logger, twentySecondSteps } from "../std/mod.ts";
import type { Auditor, AuditRecord } from "./audit.ts";
import type { AaaMetrics } from "./metrics.ts";

const name = "jetstream";
const protocol = "io.choria.signer.v1.signature_audit";

/** Most records on their way at a time. */
const window = 64;
/** How long a lost broker is left alone before it is looked for again, in milliseconds. */
const reconnectCheckMs = 500;
/** How often one record is tried. */
const maxTries = 8;

/** How {@link jetstreamAuditor} reaches its stream. */
export interface JetStreamAuditorOptions {
  /** NATS URLs or `host:port`. */
  servers: readonly string[];
  /** Subject that records are published to; a stream must listen to it. */
  subject: string;
  site: string;
  login: () => Login;
  inboxPrefix: string;
  tls: TlsOptions | false;
  clock: Clock;
  logger: Logger;
  metrics: AaaMetrics;
  /**
   * Most records that wait; those beyond are given up.
   * @default 10_000
   */
  maxWaiting?: number;
}

/**
 * An auditor that publishes each record to a stream and waits for it to be stored. It connects in the background, and
 * keeps what cannot be stored yet; a record is given up, counted and logged only when there is no more room or when
 * it was tried often enough.
 */
export function jetstreamAuditor(options: JetStreamAuditorOptions): Auditor {
  return new JetStreamAuditor(options);
}

class JetStreamAuditor implements Auditor {
  readonly name = name;
  readonly #options: JetStreamAuditorOptions;
  readonly #waiting: Uint8Array[] = [];
  readonly #stopping = new AbortController();
  readonly #connected: Promise<Connection | undefined>;
  #connection: Connection | undefined;
  #flying = 0;
  #idle = Promise.withResolvers<void>();

  constructor(options: JetStreamAuditorOptions) {
    this.#options = options;
    this.#connected = this.#connect();
  }

  record(record: AuditRecord): void {
    const { maxWaiting = 10_000, site } = this.#options;
    if (this.#stopping.signal.aborted) throw new Error("the auditor is stopped");
    if (this.#waiting.length >= maxWaiting) throw new Error(`${maxWaiting} records wait already`);
    this.#waiting.push(encode(record, site));
    this.#pump();
  }

  /** Give what waits a moment to be stored, and close. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { clock, logger } = this.#options;
    const late = new AbortController();
    if (this.#flying + this.#waiting.length > 0) {
      await Promise.race([this.#idle.promise, clock.sleep(2_000, late.signal)]);
    }
    late.abort();
    this.#stopping.abort();
    const lost = this.#waiting.length + this.#flying;
    if (lost > 0) logger.error("Audit records were not stored before the end", { auditor: name, records: lost });
    await (await this.#connected)?.close();
  }

  async #connect(): Promise<Connection | undefined> {
    const { servers, login, inboxPrefix, tls, clock, logger } = this.#options;
    try {
      this.#connection = await connectBroker({
        servers: servers.map(hostAndPort),
        name: "aaa_jetstream_auditor",
        login,
        inboxPrefix,
        tls,
        clock,
        logger: logger.child({ auditor: name }),
        signal: this.#stopping.signal,
      });
      this.#pump();
    } catch (error) {
      if (!this.#stopping.signal.aborted) logger.error("The auditor cannot connect", { reason: errorText(error) });
    }
    return this.#connection;
  }

  #pump(): void {
    while (this.#connection !== undefined && this.#flying < window) {
      const data = this.#waiting.shift();
      if (data === undefined) break;
      this.#flying++;
      void this.#store(this.#connection, data).finally(() => this.#landed());
    }
  }

  #landed(): void {
    this.#flying--;
    this.#pump();
    if (this.#flying > 0) return;
    this.#idle.resolve();
    this.#idle = Promise.withResolvers<void>();
  }

  /** A lost broker is no failed try. */
  async #untilConnected(connection: Connection): Promise<void> {
    const { clock } = this.#options;
    while (connection.server === "" && !this.#stopping.signal.aborted) {
      await clock.sleep(reconnectCheckMs, this.#stopping.signal);
    }
  }

  async #store(connection: Connection, data: Uint8Array): Promise<void> {
    const { subject, clock, logger, metrics } = this.#options;
    const waits = backoff(twentySecondSteps);
    const stream = jetstream(connection.nats, { timeout: 5_000 });
    // The id lets the stream drop what a lost acknowledgement made us send twice.
    const msgID = crypto.randomUUID();
    for (let attempt = 1; !this.#stopping.signal.aborted; attempt++) {
      await this.#untilConnected(connection);
      try {
        await stream.publish(subject, data, { msgID });
        return;
      } catch (error) {
        const isLast = attempt === maxTries;
        const fields = { auditor: name, subject, attempt, reason: errorText(error) };
        if (isLast) {
          metrics.auditorError(name);
          logger.error("An audit record was not kept", fields);
          return;
        }
        logger.debug("An audit record is not stored yet", fields);
        await clock.sleep(waits.delay(attempt), this.#stopping.signal);
      }
    }
  }
}

function encode({ action, caller, request, time }: AuditRecord, site: string): Uint8Array {
  const head = { protocol, callerid: caller, action, site, time: Math.floor(time / 1_000) };
  // The request is JSON already, and its time has more digits than a double holds.
  return encodeUtf8(`${JSON.stringify(head).slice(0, -1)},"request":${request}}`);
}
