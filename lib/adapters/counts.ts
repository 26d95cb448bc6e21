/** What one end of an adapter has done. */
export interface RoleCounts {
  received: number;
  bytes: number;
  /** What was not passed on. */
  errors: number;
  /** Documents that a stream has acknowledged; those of the output only. */
  published: number;
  /** Seconds spent, summed over {@link RoleCounts.timed} messages. */
  seconds: number;
  timed: number;
}

/** What an adapter has done since its start, worker by worker. */
export class AdapterCounts {
  readonly input: readonly RoleCounts[];
  readonly output: readonly RoleCounts[];

  /** @param workers How many workers take in, and how many give out. */
  constructor(workers: { input: number; output: number }) {
    this.input = Array.from({ length: workers.input }, none);
    this.output = Array.from({ length: workers.output }, none);
  }

  /** Everything that one end has done. */
  total(role: "input" | "output"): RoleCounts {
    const total = none();
    for (const counts of this[role]) {
      for (const key of Object.keys(total) as (keyof RoleCounts)[]) total[key] += counts[key];
    }
    return total;
  }
}

/** What {@link formatAdapterMetrics} reads of an adapter. */
export interface CountedAdapter {
  readonly name: string;
  readonly counts: AdapterCounts;
  readonly queue: { readonly length: number; readonly capacity: number };
}

type Kind = "counter" | "gauge" | "summary";

/** Metrics of adapters in Prometheus' text format, with the names of the original. */
export function formatAdapterMetrics(adapters: readonly CountedAdapter[], identity: string): string {
  const ends = adapters.flatMap(({ name, counts }) =>
    (["input", "output"] as const).flatMap((role) =>
      counts[role].map((of, index) => ({ of, labels: labels({ name: `${name}.${index}`, role, identity }) })),
    ),
  );
  const each = (suffix: string, read: (counts: RoleCounts) => number) =>
    ends.map(({ of, labels }) => `choria_adapter_${suffix}${labels} ${read(of)}`);
  const queue = (suffix: string, read: (adapter: CountedAdapter) => number) =>
    adapters.map((adapter) => `choria_adapter_${suffix}${labels({ name: adapter.name, identity })} ${read(adapter)}`);
  return [
    ...family(
      "received_msgs",
      "counter",
      "Messages taken",
      each("received_msgs", ({ received }) => received),
    ),
    ...family("published_msgs", "counter", "Documents acknowledged by a stream", [
      ...each("published_msgs", ({ published }) => published),
    ]),
    ...family(
      "errors",
      "counter",
      "Messages discarded",
      each("errors", ({ errors }) => errors),
    ),
    ...family(
      "bytes",
      "counter",
      "Bytes taken",
      each("bytes", ({ bytes }) => bytes),
    ),
    ...family("time", "summary", "Seconds from a message to what became of it", [
      ...each("time_sum", ({ seconds }) => seconds),
      ...each("time_count", ({ timed }) => timed),
    ]),
    ...family(
      "queue_length",
      "gauge",
      "Documents that wait",
      queue("queue_length", (a) => a.queue.length),
    ),
    ...family(
      "queue_capacity",
      "gauge",
      "Documents that may wait",
      queue("queue_capacity", (a) => a.queue.capacity),
    ),
    "",
  ].join("\n");
}

function none(): RoleCounts {
  return { received: 0, bytes: 0, errors: 0, published: 0, seconds: 0, timed: 0 };
}

function family(suffix: string, kind: Kind, help: string, lines: readonly string[]): string[] {
  return [`# HELP choria_adapter_${suffix} ${help}`, `# TYPE choria_adapter_${suffix} ${kind}`, ...lines];
}

function labels(of: Readonly<Record<string, string>>): string {
  return `{${Object.entries(of)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",")}}`;
}
