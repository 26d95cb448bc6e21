/**
 * JetStream as Choria uses it: the streams that every broker manages.
 *
 * @module
 */

export { type ManageOptions, manageStreams } from "./manage.ts";
export { type ManagedStream, managedStreams } from "./managed.ts";
