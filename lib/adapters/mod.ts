/**
 * Data adapters: what nodes publish, verified and turned into documents that streams keep. One adapter takes in the
 * messages of one subject, requests such as registrations or replies, and puts a document for each under a subject of
 * the sender's own.
 *
 * @module
 */
export { type Adapter, type AdapterOptions, type StateListener, startAdapter } from "./adapter.ts";
export { type AdaptersHandle, type AdaptersOptions, startAdapters } from "./adapters.ts";
export { AdapterCounts, type CountedAdapter, formatAdapterMetrics, type RoleCounts } from "./counts.ts";
export { type AdapterDocument, adapterDocument, isSubject } from "./document.ts";
export { type Intake, replyIntake, requestIntake, type TakenIn } from "./intake.ts";
export { type AdapterSettings, adapterSettings } from "./settings.ts";
