/**
 * JetStream as Choria uses it: the streams that every broker manages, leader elections, governors, buckets and
 * backups.
 *
 * @module
 */

export { BackupLimitError, type BackupOptions, type BackupReport, backupStream, defaultBackupLimit } from "./backup.ts";
export { type BucketEntry, type BucketReader, openBucket, openStore, readObject, type StoredObject } from "./bucket.ts";
export { type BucketSettings, bucketStreamName, newBucket } from "./bucket_definition.ts";
export {
  checkStream,
  type Difference,
  defaultDuplicateWindow,
  differences,
  isStreamName,
  newStream,
  type StreamDefinition,
  type StreamSettings,
  settingsDocument,
} from "./definition.ts";
export { type Election, type ElectionOptions, startElection } from "./election.ts";
export { findStream } from "./find.ts";
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
export { type MessageQuery, readMessage, type StoredMessage } from "./messages.ts";
export { type Backup, type RestoreOptions, readBackup, restoreStream } from "./restore.ts";
