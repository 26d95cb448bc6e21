/**
 * Message submission: programs leave messages in a spool on disk, the server sends them on, and what is reliable is
 * kept until a stream has it.
 *
 * @module
 */
export { checkMessage, type NewMessage, type SpooledMessage, SubmissionError } from "./message.ts";
export { Spool, type SpoolEntry, type SpoolOptions } from "./spool.ts";
export { type Submitter, type SubmitterOptions, startSubmitter } from "./submitter.ts";
