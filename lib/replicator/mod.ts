/**
 * Streams copied from one NATS server, or Choria broker, to another: each message once and in order, all of them or a
 * sample of every node's.
 *
 * @module
 */
export { ApiError, askApi } from "./_api.ts";
export { type Advisory, advisoryOf, advisorySubject } from "./advisor.ts";
export {
  type AdvisorySettings,
  type ChoriaSettings,
  type EntrySettings,
  type HeartbeatSettings,
  type HeartbeatSubject,
  loadReplicatorConfig,
  parseReplicatorConfig,
  type ReplicatorConfig,
  type TlsSettings,
} from "./config.ts";
export { type Delivery, parseDelivery } from "./delivery.ts";
export { parseReplicatorDuration } from "./duration.ts";
export { connectEndpoint, type Endpoint, type EndpointConnection, type EndpointOptions } from "./endpoint.ts";
export { gossipSubject } from "./gossip.ts";
export { type InspectedMessage, type Inspection, inspect } from "./inspect.ts";
export { Limiter, type LimiterOptions, type Verdict } from "./limiter.ts";
export { ReplicatorMetrics } from "./metrics.ts";
export { formatOrigin, type Origin, originHeader, parseOrigin } from "./origin.ts";
export { type ReplicatorHandle, type ReplicatorOptions, startReplicator } from "./replicator.ts";
export { consumerConfig, consumerName } from "./source_consumer.ts";
export { loadState, saveState, stateFile } from "./state_file.ts";
export { targetConfig } from "./streams.ts";
export { mapStreamSubject, mapSubject, type SubjectMapping } from "./subject.ts";
export {
  decodeItem,
  encodeItem,
  type TrackedItem,
  Tracker,
  type TrackerNews,
  type TrackerSettings,
} from "./tracker.ts";
