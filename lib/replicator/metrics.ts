import { Counter, Gauge, Registry, Summary } from "prom-client";

const prefix = "choria_stream_replicator_";
const counters = {
  replicator_total_messages: "Messages looked at, those that are not copied among them",
  replicator_total_bytes: "Bytes of messages looked at",
  replicator_handler_error_count: "Failed tries to copy a message",
  replicator_too_old_messages: "Messages left out for their age",
  replicator_copied_messages: "Messages copied",
  replicator_copied_bytes: "Bytes of messages copied",
  replicator_skipped_messages: "Messages left out by the limiter",
  replicator_skipped_bytes: "Bytes of messages left out by the limiter",
  replicator_meta_parse_failed_count: "Messages whose reply subject tells nothing",
  replicator_ack_failed_count: "Acknowledgements that could not be sent",
  replicator_consumer_recreated: "Times the consumer in the source was made",
  replicator_refused_messages: "Messages left out because the target refuses them",
  limiter_messages_without_limit_field_count: "Messages without a value to limit by",
  limiter_messages_copy_forced_count: "Messages copied for their force field",
  advisor_total_messages: "Advisories sent",
  advisor_publish_errors: "Advisories that could not be sent",
  election_campaigns: "Rounds of elections",
  heartbeat_published_count: "Heartbeats published, failed ones among them",
  heartbeat_published_error_count: "Heartbeats that no stream took",
} as const;
const gauges = {
  replicator_stream_sequence: "Sequence of the last message from the source",
  tracker_total_items: "Values that the limiter knows",
  tracker_seen_by_gossip: "Values that the limiter knows from other replicators",
  election_leader: "Whether this replicator leads",
  election_interval_seconds: "Seconds between rounds",
  heartbeat_subjects_count: "Subjects that heartbeats go to",
  heartbeat_paused: "Whether another replicator sends the heartbeats",
} as const;
const summaries = {
  replicator_processing_time_seconds: "Seconds from receiving a message to being done with it",
  heartbeat_publish_time: "Seconds until a heartbeat was stored",
} as const;

/** Name of a counter without prefix. */
export type CounterName = keyof typeof counters;
/** Name of a gauge without prefix. */
export type GaugeName = keyof typeof gauges;
/** Name of a summary without prefix. */
export type SummaryName = keyof typeof summaries;
/** Labels of a series. */
export type Labels = Readonly<Record<string, string>>;

/** A counter of one series. */
export type Count = (by?: number) => void;
/** Takes values of one series. */
export type Observe = (value: number) => void;

/** What a replicator counts, under the names `choria_stream_replicator_…`. A series appears with its first value. */
export class ReplicatorMetrics {
  readonly #registry = new Registry();
  readonly #made = new Map<string, Counter | Gauge | Summary>();

  /** The counter of a series. */
  counter(name: CounterName, labels: Labels): Count {
    const counter = this.#metric(name, counters[name], labels, Counter) as Counter;
    let series: ReturnType<Counter["labels"]> | undefined;
    return (by = 1) => {
      series ??= counter.labels(labels);
      series.inc(by);
    };
  }

  /** Sets the gauge of a series. */
  gauge(name: GaugeName, labels: Labels): Observe {
    const gauge = this.#metric(name, gauges[name], labels, Gauge) as Gauge;
    let series: ReturnType<Gauge["labels"]> | undefined;
    return (value) => {
      series ??= gauge.labels(labels);
      series.set(value);
    };
  }

  /** Adds to the summary of a series. */
  summary(name: SummaryName, labels: Labels): Observe {
    const summary = this.#metric(name, summaries[name], labels, Summary) as Summary;
    let series: ReturnType<Summary["labels"]> | undefined;
    return (value) => {
      series ??= summary.labels(labels);
      series.observe(value);
    };
  }

  /** Everything in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #metric(
    name: string,
    help: string,
    labels: Labels,
    Kind: typeof Counter | typeof Gauge | typeof Summary,
  ): Counter | Gauge | Summary {
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const settings = { name: prefix + name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
    const made = Kind === Summary ? new Summary({ ...settings, percentiles: [] }) : new Kind(settings);
    this.#made.set(name, made);
    return made;
  }
}

/** The series of one entry. */
export interface EntryMetrics {
  total: Count;
  totalBytes: Count;
  errors: Count;
  tooOld: Count;
  copied: Count;
  copiedBytes: Count;
  skipped: Count;
  skippedBytes: Count;
  unparsed: Count;
  ackFailed: Count;
  recreated: Count;
  refused: Count;
  seconds: Observe;
  sequence: Observe;
}

/** The series of an entry, all with the labels `stream`, `replicator` and `worker`. */
export function entryMetrics(
  metrics: ReplicatorMetrics,
  labels: { stream: string; replicator: string; worker: string },
): EntryMetrics {
  const count = (name: CounterName) => metrics.counter(name, labels);
  return {
    total: count("replicator_total_messages"),
    totalBytes: count("replicator_total_bytes"),
    errors: count("replicator_handler_error_count"),
    tooOld: count("replicator_too_old_messages"),
    copied: count("replicator_copied_messages"),
    copiedBytes: count("replicator_copied_bytes"),
    skipped: count("replicator_skipped_messages"),
    skippedBytes: count("replicator_skipped_bytes"),
    unparsed: count("replicator_meta_parse_failed_count"),
    ackFailed: count("replicator_ack_failed_count"),
    recreated: count("replicator_consumer_recreated"),
    refused: count("replicator_refused_messages"),
    seconds: metrics.summary("replicator_processing_time_seconds", labels),
    sequence: metrics.gauge("replicator_stream_sequence", labels),
  };
}
