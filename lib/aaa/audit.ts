import { errorText, type Logger } from "../std/mod.ts";
import type { AaaMetrics } from "./metrics.ts";

/** A decision about a request, for the record. */
export interface AuditRecord {
  action: "allow" | "deny";
  /** Who asked: proven where the request was allowed, merely claimed where token or signature were bad. */
  caller: string;
  /** The request as JSON. */
  request: string;
  /** Milliseconds since the epoch. */
  time: number;
}

/** Keeps records of decisions. */
export interface Auditor extends AsyncDisposable {
  readonly name: string;
  /** Keep a record. What it throws is counted and logged. */
  record(record: AuditRecord): void;
}

/** Every auditor at once. One that fails keeps none of the others from their record, nor the caller from an answer. */
export class AuditTrail implements AsyncDisposable {
  readonly #auditors: readonly Auditor[];
  readonly #logger: Logger;
  readonly #metrics: AaaMetrics;

  constructor(auditors: readonly Auditor[], options: { logger: Logger; metrics: AaaMetrics }) {
    this.#auditors = auditors;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
  }

  /** Keep a record with every auditor. */
  record(record: AuditRecord): void {
    for (const auditor of this.#auditors) {
      try {
        auditor.record(record);
      } catch (error) {
        this.#metrics.auditorError(auditor.name);
        this.#logger.error("An audit record was not kept", { auditor: auditor.name, reason: errorText(error) });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#auditors.map((auditor) => auditor[Symbol.asyncDispose]()));
  }
}
