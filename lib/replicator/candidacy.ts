import type { Connection } from "../connector/mod.ts";
import type { Clock, Logger } from "../std/mod.ts";
import { type Election, startElection } from "../streams/mod.ts";
import type { ReplicatorMetrics } from "./metrics.ts";

/** What {@link stand} needs. */
export interface CandidacyOptions {
  connection: Connection;
  /** What is led: the key in the bucket. */
  election: string;
  /** Who stands: the key's value. */
  identity: string;
  replicator: string;
  metrics: ReplicatorMetrics;
  clock: Clock;
  logger: Logger;
  onWon: () => void;
  onLost: () => void;
}

/** Stand for an election and count its rounds. A leader that stops makes room for the next one at once. */
export function stand(options: CandidacyOptions): Election {
  const { connection, election, identity, replicator, metrics, clock, logger, onWon, onLost } = options;
  const labels = { election, identity, replicator };
  const leads = metrics.gauge("election_leader", labels);
  leads(0);
  return startElection({
    connection,
    name: election,
    identity,
    clock,
    logger,
    resigns: true,
    onRound: (state, wait) => {
      metrics.counter("election_campaigns", { ...labels, state })();
      metrics.gauge("election_interval_seconds", labels)(wait / 1_000);
    },
    onWon: () => {
      logger.info("Became the leader", { election });
      leads(1);
      onWon();
    },
    onLost: () => {
      logger.warn("Lost the leadership", { election });
      leads(0);
      onLost();
    },
  });
}
