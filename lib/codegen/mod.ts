/**
 * What is generated from a DDL: a typed client, and DDLs themselves from answers to questions.
 *
 * @module
 */
export { type ClientOptions, type GeneratedFile, generateClient } from "./client.ts";
export { type Interviewer, interviewDdl, quietInterviewer } from "./interview.ts";
