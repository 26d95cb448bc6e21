import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import type { Config } from "../config/mod.ts";

/** A stream that the broker creates and keeps configured. */
export type ManagedStream = Partial<StreamConfig> &
  Pick<StreamConfig, "name" | "subjects" | "max_age" | "num_replicas">;

const nanosPerMs = 1_000_000;
const twoMinutes = 120_000;

/** JetStream replicates to at most this many servers. */
const mostReplicas = 5;

/** A leadership claim is a few words; larger ones are a mistake. */
const largestClaim = 1_024;

/**
 * Choria's own streams as a configuration wants them, in the order of their creation. One whose retention is 0 is
 * left out, which by default goes for the executor's.
 *
 * @param brokers How many brokers the cluster has: that many replicas where a setting is -1.
 */
export function managedStreams(config: Config, brokers: number): ManagedStream[] {
  const replicas = (wanted: number) => Math.min(Math.max(wanted < 0 ? brokers : wanted, 1), mostReplicas);
  const streams = [
    plain(
      "CHORIA_EVENTS",
      "choria.lifecycle.>",
      config.get("plugin.choria.network.stream.event_retention"),
      replicas(config.get("plugin.choria.network.stream.event_replicas")),
    ),
    plain(
      "CHORIA_MACHINE",
      "choria.machine.>",
      config.get("plugin.choria.network.stream.machine_retention"),
      replicas(config.get("plugin.choria.network.stream.machine_replicas")),
    ),
    plain(
      "CHORIA_STREAM_ADVISORIES",
      "$JS.EVENT.ADVISORY.>",
      config.get("plugin.choria.network.stream.advisory_retention"),
      replicas(config.get("plugin.choria.network.stream.advisory_replicas")),
    ),
    executor(
      config.get("plugin.choria.network.stream.executor_retention"),
      replicas(config.get("plugin.choria.network.stream.executor_replicas")),
    ),
  ].filter(({ max_age }) => max_age > 0);
  const election = elections(
    config.get("plugin.choria.network.stream.leader_election_ttl"),
    replicas(config.get("plugin.choria.network.stream.leader_election_replicas")),
  );
  return [...streams, election];
}

function plain(name: string, subject: string, retention: number, replicas: number): ManagedStream {
  return {
    name,
    subjects: [subject],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: retention * nanosPerMs,
    num_replicas: replicas,
    duplicate_window: duplicateWindow(retention),
    allow_direct: false,
  };
}

/** Executor events arrive as submissions and are stored under the subjects that their readers know. */
function executor(retention: number, replicas: number): ManagedStream {
  const submitted = "choria.submission.in.choria.executor.>";
  return {
    ...plain("CHORIA_EXECUTOR", submitted, retention, replicas),
    description: "Choria Executor Events",
    subject_transform: { src: submitted, dest: "choria.executor.>" },
    allow_direct: true,
  };
}

/** The bucket of leader elections: a key each, whose value expires when its holder stops renewing it. */
function elections(ttl: number, replicas: number): ManagedStream {
  return {
    ...plain("KV_CHORIA_LEADER_ELECTION", "$KV.CHORIA_LEADER_ELECTION.>", ttl, replicas),
    description: "Choria Leader Election Bucket",
    max_msgs_per_subject: 1,
    max_msg_size: largestClaim,
    discard: DiscardPolicy.New,
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
  };
}

/** JetStream refuses a window for duplicates that is longer than the messages live. */
export function duplicateWindow(retention: number): number {
  return (retention > 0 ? Math.min(retention, twoMinutes) : twoMinutes) * nanosPerMs;
}
