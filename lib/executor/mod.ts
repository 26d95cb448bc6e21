/**
 * Commands that take longer than a call: each has a folder of its own, a process that watches over it and outlives the
 * server, and events that reach a stream by message submission.
 *
 * @module
 */
export { type JobEvents, jobEvents } from "./events.ts";
export { type Job, JobError, type JobExit, type NewJob, newJob } from "./job.ts";
export { JobSpool } from "./job_spool.ts";
export { decodeJobNews, type JobMessage, type JobNews, type JobNewsOptions, jobNews } from "./news.ts";
export { type JobQuery, matchesQuery } from "./query.ts";
export { type SuperviseOptions, superviseJob } from "./supervise.ts";
