import { mkdirSync, readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import { errorText, isFile } from "../std/mod.ts";
import { GoReader } from "./_go_reader.ts";
import { parseReplicatorDuration } from "./duration.ts";

/** Files for TLS; empty text for none. */
export interface TlsSettings {
  ca: string;
  cert: string;
  key: string;
}

/** A Choria login: used where both files are named. */
export interface ChoriaSettings {
  seedFile: string;
  tokenFile: string;
  collective: string;
}

/** Where news of the limiter's values goes. */
export interface AdvisorySettings {
  /** `%s` stands for the event, `%v` for the value. */
  subject: string;
  /** Publish to a stream, trying again until it has the advisory. */
  reliable: boolean;
}

/** One stream that is copied. Durations are milliseconds, 0 for none. */
export interface EntrySettings {
  stream: string;
  /** Entry name: names the consumer, the state file and the metrics. */
  name: string;
  sourceUrl: string;
  targetUrl: string;
  targetStream: string;
  prefix: string;
  remove: string;
  filterSubject: string;
  startSequence: number;
  /** Unix milliseconds. */
  startTime: number | undefined;
  startDelta: number;
  startAtEnd: boolean;
  noTargetCreate: boolean;
  ephemeral: boolean;
  targetInitiated: boolean;
  /** Messages that the target refuses for what they are: wait for ever, as the original does, or leave them out. */
  refused: "wait" | "skip";
  sourceTls: TlsSettings;
  targetTls: TlsSettings;
  sourceChoria: ChoriaSettings;
  targetChoria: ChoriaSettings;
  maxAge: number;
  inspectField: string;
  inspectForceField: string;
  inspectHeader: string;
  /** Number of the subject's token, from 1; -1 for the whole subject, 0 for none. */
  inspectSubjectToken: number;
  inspectDuration: number;
  warnDuration: number;
  /** Bytes; 0 for off. */
  sizeTrigger: number;
  advisory: AdvisorySettings | undefined;
  /** Candidate name; empty to take no part in elections. */
  leaderElectionName: string;
}

/** A subject that heartbeats go to. */
export interface HeartbeatSubject {
  subject: string;
  /** Milliseconds. */
  interval: number;
  headers: Readonly<Record<string, string>>;
}

/** Messages that show a stream to be alive. */
export interface HeartbeatSettings {
  url: string;
  tls: TlsSettings;
  choria: ChoriaSettings;
  leaderElection: boolean;
  subjects: readonly HeartbeatSubject[];
}

/** A replicator's configuration, as `sr.yaml` holds it. */
export interface ReplicatorConfig {
  name: string;
  entries: readonly EntrySettings[];
  /** Folder of the limiters' tables; empty for none. */
  stateStore: string;
  /** 0 for none. */
  monitorPort: number;
  /** @default every interface */
  monitorAddress: string;
  /** Empty for standard error. */
  logfile: string;
  loglevel: "debug" | "info" | "warn";
  heartbeats: HeartbeatSettings | undefined;
}

/**
 * Read a replicator's configuration file, as {@link parseReplicatorConfig} does. Keys match whatever their case; those that are not
 * known mean nothing.
 *
 * @throws {Error} in the original's words, for example `stream not specified`.
 */
export function loadReplicatorConfig(path: string): ReplicatorConfig {
  if (!isFile(path)) throw new Error(`path '${path}' does not exist`);
  return parseReplicatorConfig(readFileSync(path, "utf8"));
}

/**
 * Read a replicator's configuration, and make its state folder.
 *
 * @throws {Error} in the original's words.
 */
export function parseReplicatorConfig(text: string): ReplicatorConfig {
  const document = parseDocument(text, { prettyErrors: true });
  const [fault] = document.errors;
  if (fault !== undefined) {
    throw new Error(`yaml: line ${fault.linePos?.[0].line ?? 1}: ${fault.message.split("\n")[0]}`);
  }
  const reader = new GoReader("Config", document.toJS() ?? {});
  const raw = readTop(reader);
  if (raw.name === "") throw new Error("name is required");
  if (raw.stateStore !== "") makeStateStore(raw.stateStore);
  const seen = new Set<string>();
  const entries = raw.streams.map((stream) => entryOf(stream, raw, seen));
  const heartbeats = raw.heartbeats === undefined ? undefined : heartbeatsOf(raw.heartbeats);
  for (const entry of entries) checkEntry(entry);
  const { name, stateStore, monitorPort, monitorAddress, logfile, loglevel } = raw;
  return { name, stateStore, monitorPort, monitorAddress, logfile, loglevel, entries, heartbeats };
}

function makeStateStore(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`could not create state directory: ${errorText(error)}`, { cause: error });
  }
}

type RawTop = ReturnType<typeof readTop>;
type RawStream = ReturnType<typeof readStream>;
type RawHeartbeats = ReturnType<typeof readHeartbeats>;

// Types are checked for the whole file before any value is, as a JSON decoder does.
function readTop(reader: GoReader) {
  const level = reader.text("loglevel");
  const heartbeats = reader.section("heartbeats", "HeartBeat");
  return {
    name: reader.text("name"),
    streams: reader.sections("streams", "Stream").map(readStream),
    stateStore: reader.text("state_store"),
    tls: readTls(reader, "tls"),
    choria: readChoria(reader, "choria"),
    monitorPort: reader.integer("monitor_port"),
    monitorAddress: reader.text("monitor_address") || "0.0.0.0",
    profiling: reader.flag("profiling"),
    logfile: reader.text("logfile"),
    loglevel: (level === "debug" || level === "warn" ? level : "info") as ReplicatorConfig["loglevel"],
    heartbeats: heartbeats === undefined ? undefined : readHeartbeats(heartbeats),
  };
}

function readStream(reader: GoReader) {
  return {
    stream: reader.text("stream"),
    name: reader.text("name"),
    sourceUrl: reader.text("source_url"),
    targetUrl: reader.text("target_url"),
    targetStream: reader.text("target_stream"),
    prefix: reader.text("target_subject_prefix"),
    remove: reader.text("target_subject_remove"),
    filterSubject: reader.text("filter_subject"),
    startSequence: reader.unsigned("start_sequence"),
    startTime: reader.time("start_time"),
    startDelta: reader.text("start_delta"),
    startAtEnd: reader.flag("start_at_end"),
    noTargetCreate: reader.flag("no_target_create"),
    ephemeral: reader.flag("ephemeral"),
    targetInitiated: reader.flag("target_initiated"),
    refused: reader.text("refused"),
    tls: readTls(reader, "tls"),
    sourceTls: readTls(reader, "source_tls"),
    targetTls: readTls(reader, "target_tls"),
    choria: readChoria(reader, "choria"),
    sourceChoria: readChoria(reader, "source_choria"),
    targetChoria: readChoria(reader, "target_choria"),
    maxAge: reader.text("max_age"),
    inspectField: reader.text("inspect_field"),
    inspectForceField: reader.text("inspect_force_field"),
    inspectHeader: reader.text("inspect_header"),
    inspectSubjectToken: reader.integer("inspect_subject_token"),
    inspectDuration: reader.text("inspect_duration"),
    warnDuration: reader.text("warn_duration"),
    sizeTrigger: reader.number("size_trigger"),
    advisory: readAdvisory(reader),
    leaderElectionName: reader.text("leader_election_name"),
  };
}

function readHeartbeats(reader: GoReader) {
  return {
    url: reader.text("url"),
    interval: reader.text("interval"),
    headers: reader.texts("headers"),
    leaderElection: reader.flag("leader_election"),
    tls: readTls(reader, "tls"),
    choria: readChoria(reader, "choria"),
    subjects: reader.sections("subjects", "Subject").map((subject) => ({
      subject: subject.text("subject") || subject.text("name"),
      interval: subject.text("interval"),
      headers: subject.texts("headers"),
    })),
  };
}

function readTls(reader: GoReader, key: string): TlsSettings | undefined {
  const section = reader.section(key, "TLS");
  if (section === undefined) return undefined;
  return { ca: section.text("ca"), cert: section.text("cert"), key: section.text("key") };
}

function readChoria(reader: GoReader, key: string): ChoriaSettings | undefined {
  const section = reader.section(key, "ChoriaConnection");
  if (section === undefined) return undefined;
  return {
    seedFile: section.text("seed_file"),
    tokenFile: section.text("jwt_file"),
    collective: section.text("collective"),
  };
}

function readAdvisory(reader: GoReader): AdvisorySettings | undefined {
  const section = reader.section("advisory", "Advisory");
  return section === undefined ? undefined : { subject: section.text("subject"), reliable: section.flag("reliable") };
}

const noTls: TlsSettings = { ca: "", cert: "", key: "" };
const noChoria: ChoriaSettings = { seedFile: "", tokenFile: "", collective: "" };

function entryOf(raw: RawStream, top: RawTop, seen: Set<string>): EntrySettings {
  const modes = [raw.inspectField !== "", raw.inspectHeader !== "", raw.inspectSubjectToken !== 0];
  if (modes.filter(Boolean).length > 1) throw new Error("only one inspection mode can be set per stream");
  const name = raw.name || top.name;
  const key = JSON.stringify([raw.stream, name]);
  if (seen.has(key)) throw new Error(`duplicate stream configuration name ${name} for stream ${raw.stream}`);
  seen.add(key);
  if (raw.stream === "") throw new Error("stream not specified");
  const { tls, choria, startDelta, inspectDuration, warnDuration, maxAge, refused, ...same } = raw;
  const entry: EntrySettings = {
    ...same,
    name,
    targetStream: raw.targetStream || raw.stream,
    startDelta: duration("start_delta", startDelta),
    inspectDuration: duration("inspect_duration", inspectDuration),
    warnDuration: duration("warn_duration", warnDuration),
    maxAge: duration("max_age", maxAge),
    refused: refused === "skip" ? "skip" : "wait",
    sourceTls: raw.sourceTls ?? tls ?? top.tls ?? noTls,
    targetTls: raw.targetTls ?? tls ?? top.tls ?? noTls,
    sourceChoria: raw.sourceChoria ?? choria ?? top.choria ?? noChoria,
    targetChoria: raw.targetChoria ?? choria ?? top.choria ?? noChoria,
  };
  if (entry.warnDuration === 0) entry.warnDuration = entry.inspectDuration / 2;
  if (entry.targetInitiated) checkTargetInitiated(entry, modes.includes(true));
  return entry;
}

function checkTargetInitiated({ filterSubject, maxAge }: EntrySettings, isInspected: boolean): void {
  if (filterSubject === "") throw new Error("filter_subject is required with target_initiated");
  if (maxAge > 0) throw new Error("max_age cannot be used with target_initiated");
  if (isInspected) throw new Error("message inspection and sampling cannot be used with target_initiated");
}

function checkEntry({ sourceUrl, targetUrl, targetInitiated, noTargetCreate }: EntrySettings): void {
  if (sourceUrl === "") throw new Error("source_url is required");
  if (targetUrl === "") throw new Error("target_url is required");
  if (targetInitiated && noTargetCreate) {
    throw new Error("target initiated streams requires no_target_create to not be set");
  }
}

function heartbeatsOf(raw: RawHeartbeats): HeartbeatSettings {
  if (raw.url === "") throw new Error("url is required with heartbeat");
  const interval = duration("interval", raw.interval || "10s");
  if (raw.subjects.length === 0) throw new Error("heartbeat requires at least one subject");
  const subjects = raw.subjects.map(({ subject, interval: own, headers }) => {
    if (subject === "") throw new Error("name is required with subject");
    const ownInterval = duration("interval", own);
    return { subject, interval: ownInterval || interval, headers: { ...raw.headers, ...headers } };
  });
  const { url, leaderElection, tls = noTls, choria = noChoria } = raw;
  return { url, leaderElection, subjects, tls, choria };
}

function duration(key: string, text: string): number {
  try {
    return parseReplicatorDuration(text);
  } catch (error) {
    throw new Error(`invalid ${key}: ${errorText(error)}`, { cause: error });
  }
}
