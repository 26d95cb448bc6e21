import { type Command, InvalidArgumentError, Option } from "commander";
import { errorText, parseBytes, parseDuration } from "../../../../lib/std/mod.ts";
import type { StreamSettings } from "../../../../lib/streams/mod.ts";
import { gather, parsePairs } from "../../client/filters.ts";

/** Flags that say what a stream is like. */
interface SettingsFlags {
  subjects?: string[];
  description?: string;
  storage?: "file" | "memory";
  compression?: "none" | "s2";
  replicas?: number;
  tag?: string[];
  cluster?: string;
  ack?: boolean;
  retention?: string;
  discard?: "new" | "old";
  discardPerSubject?: boolean;
  firstSequence?: number;
  maxAge?: number;
  maxBytes?: number;
  maxConsumers?: number;
  maxMsgSize?: number;
  maxMsgs?: number;
  maxMsgsPerSubject?: number;
  dupeWindow?: number;
  mirror?: string;
  source?: string[];
  allowBatch?: boolean;
  allowFast?: boolean;
  allowCounter?: boolean;
  allowRollup?: boolean;
  denyDelete?: boolean;
  denyPurge?: boolean;
  allowDirect?: boolean;
  allowMirrorDirect?: boolean;
  allowMsgTtl?: boolean;
  allowSchedules?: boolean;
  subjectDelMarkersTtl?: number;
  transformSource?: string;
  transformDestination?: string;
  republishSource?: string;
  republishDestination?: string;
  republishHeaders?: boolean;
  metadata?: string[];
}

/** Words that people use for the ways of keeping messages, and the words of JetStream. */
const retentions = { limits: "limits", interest: "interest", work: "workqueue", workq: "workqueue" } as const;

/** Add the flags of {@link SettingsFlags}. */
export function addSettingsFlags(command: Command): Command {
  const flags = command
    .option("--subjects <subjects>", "subjects that the stream stores; commas between them, or repeated", gather, [])
    .option("--description <text>", "what the stream is for")
    .addOption(new Option("--storage <kind>", "where messages are kept").choices(["file", "memory"]))
    .addOption(new Option("--compression <kind>", "how files are compressed").choices(["none", "s2"]))
    .option("--replicas <count>", "how many brokers keep a copy", whole)
    .option("--tag <tag>", "keep it on brokers with a tag; may be repeated", gather, [])
    .option("--cluster <name>", "keep it in a cluster")
    .addOption(new Option("--retention <kind>", "how long messages are kept").choices(Object.keys(retentions)))
    .addOption(new Option("--discard <which>", "which messages give way when it is full").choices(["new", "old"]))
    .option("--first-sequence <number>", "sequence of the first message", whole)
    .option("--max-age <duration>", "longest life of a message, as 1d; -1 for ever", span)
    .option("--max-bytes <size>", "most bytes, as 10GB; -1 for any", size)
    .option("--max-consumers <count>", "most consumers; -1 for any", whole)
    .option("--max-msg-size <size>", "most bytes of a message; -1 for any", size)
    .option("--max-msgs <count>", "most messages; -1 for any", whole)
    .option("--max-msgs-per-subject <count>", "most messages of a subject; -1 for any", whole)
    .option("--dupe-window <duration>", "how long ids of messages are remembered", span)
    .option("--mirror <stream>", "be a copy of a stream")
    .option("--source <stream>", "take in what a stream stores; may be repeated", gather, []);
  toggle(flags, "ack", "confirm each message to who sent it");
  toggle(flags, "discard-per-subject", "let each subject be full by itself");
  toggle(flags, "allow-batch", "take batches as a whole or not at all");
  toggle(flags, "allow-fast", "take batches quickly");
  toggle(flags, "allow-rollup", "let a message replace those before it");
  toggle(flags, "deny-delete", "let nobody delete single messages");
  toggle(flags, "deny-purge", "let nobody empty it");
  toggle(flags, "allow-direct", "let any replica answer who reads messages");
  toggle(flags, "allow-mirror-direct", "let a copy answer for its origin");
  toggle(flags, "allow-schedules", "take messages that are due later");
  return flags
    .option("--allow-counter", "keep sums instead of messages")
    .option("--allow-msg-ttl", "let messages say how long they live")
    .option("--subject-del-markers-ttl <duration>", "how long a note remains of what has expired", span)
    .option("--transform-source <subject>", "store messages of this subject under another")
    .option("--transform-destination <subject>", "the other subject")
    .option("--republish-source <subject>", "send stored messages of this subject out again")
    .option("--republish-destination <subject>", "where they are sent")
    .option("--republish-headers", "send their headers alone")
    .option("--metadata <key=value>", "a note for programs; may be repeated", gather, []);
}

/** A flag and its opposite; neither leaves things as they are. */
export function toggle(command: Command, name: string, description: string): Command {
  return command.option(`--${name}`, description).option(`--no-${name}`, `do not ${description}`);
}

/** The settings that flags speak of. A toggle that was not given has no value, though commander gives it one. */
export function settingsOf(command: Command): StreamSettings {
  const flags = command.opts<SettingsFlags>();
  const given = (name: keyof SettingsFlags) => command.getOptionValueSource(name) === "cli";
  const settings: Record<string, unknown> = {};
  for (const [flag, setting] of plain) if (given(flag)) settings[setting] = flags[flag];
  const { subjects = [], source = [], tag = [], metadata = [], retention } = flags;
  return {
    ...settings,
    ...(subjects.length === 0 ? {} : { subjects: splitSubjects(subjects.join(",")) }),
    ...(source.length === 0 ? {} : { sources: source }),
    ...(tag.length === 0 ? {} : { tags: tag }),
    ...(metadata.length === 0 ? {} : { metadata: parsePairs(metadata) }),
    ...(retention === undefined ? {} : { retention: retentionOf(retention) }),
    ...pairOf("transform", flags.transformSource, flags.transformDestination),
    ...pairOf("republish", flags.republishSource, flags.republishDestination, flags.republishHeaders ?? false),
  };
}

const plain: readonly (readonly [keyof SettingsFlags, keyof StreamSettings])[] = [
  ["description", "description"],
  ["storage", "storage"],
  ["compression", "compression"],
  ["replicas", "replicas"],
  ["cluster", "cluster"],
  ["ack", "acknowledge"],
  ["discard", "discard"],
  ["discardPerSubject", "discardPerSubject"],
  ["firstSequence", "firstSequence"],
  ["maxAge", "maxAge"],
  ["maxBytes", "maxBytes"],
  ["maxConsumers", "maxConsumers"],
  ["maxMsgSize", "maxMessageSize"],
  ["maxMsgs", "maxMessages"],
  ["maxMsgsPerSubject", "maxMessagesPerSubject"],
  ["dupeWindow", "duplicateWindow"],
  ["mirror", "mirror"],
  ["allowBatch", "allowBatch"],
  ["allowFast", "allowFastBatch"],
  ["allowCounter", "allowCounter"],
  ["allowRollup", "allowRollup"],
  ["denyDelete", "denyDelete"],
  ["denyPurge", "denyPurge"],
  ["allowDirect", "allowDirect"],
  ["allowMirrorDirect", "mirrorDirect"],
  ["allowMsgTtl", "allowMessageTtl"],
  ["allowSchedules", "allowSchedules"],
  ["subjectDelMarkersTtl", "deleteMarkersTtl"],
];

function pairOf(name: string, source: string | undefined, destination: string | undefined, headersOnly?: boolean) {
  if (source === undefined && destination === undefined) return {};
  if (source === undefined || destination === undefined) {
    throw new Error(`--${name}-source and --${name}-destination belong together`);
  }
  return { [name]: { source, destination, ...(headersOnly === undefined ? {} : { headersOnly }) } };
}

/** Subjects with commas or spaces between them. */
export function splitSubjects(text: string): string[] {
  return text.split(/[\s,]+/).filter((subject) => subject !== "");
}

/** JetStream's word for a way of keeping messages. */
function retentionOf(word: string): "limits" | "interest" | "workqueue" {
  const found = Object.entries(retentions).find(([name]) => name === word);
  if (found === undefined) throw new Error(`"${word}" is no way to keep messages: use limits, interest or work`);
  return found[1];
}

/** A whole number, which may be negative. */
export function whole(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("A whole number is needed.");
}

/** A number of bytes. */
export function size(text: string): number {
  try {
    return parseBytes(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}

/** A duration in milliseconds; -1 is taken as it is. */
export function span(text: string): number {
  if (/^-\d+$/.test(text)) return -1;
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(errorText(error));
  }
}
