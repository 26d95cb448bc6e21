/**
 * JetStream as Choria uses it: the streams that every broker manages, leader elections, governors and buckets.
 *
 * @module
 */

export { type BucketEntry, type BucketReader, openBucket, readObject, type StoredObject } from "./bucket.ts";
export { type Election, type ElectionOptions, startElection } from "./election.ts";
export {
  type EnterOptions,
  enterGovernor,
  GovernorError,
  type GovernorSlot,
  governorStreamName,
  governorSubject,
} from "./governor.ts";
export { type GovernorLease, type GovernorSettings, type GovernorStatus, Governors } from "./governors.ts";
export { type ManageOptions, manageStreams } from "./manage.ts";
export { type ManagedStream, managedStreams } from "./managed.ts";
