/**
 * JetStream as Choria uses it: the streams that every broker manages, and leader elections.
 *
 * @module
 */

export { type Election, type ElectionOptions, startElection } from "./election.ts";
export { type ManageOptions, manageStreams } from "./manage.ts";
export { type ManagedStream, managedStreams } from "./managed.ts";
