import { errorText, formatDuration, parseBytes, parseDuration } from "../../../../lib/std/mod.ts";
import { defaultDuplicateWindow, isStreamName, type StreamSettings } from "../../../../lib/streams/mod.ts";
import { splitSubjects } from "./flags.ts";

/** How a person is asked. */
export interface Questions {
  /** Ask for a line of text; `check` gives what is wrong with it. */
  text(message: string, fallback: string, check: (answer: string) => string | undefined): Promise<string>;
  /** Ask for one of some words. */
  choose(message: string, choices: readonly string[], fallback: string): Promise<string>;
  confirm(message: string, fallback: boolean): Promise<boolean>;
}

/** Take every default, and ask for nothing else. */
export const noQuestions: Questions = {
  text: async (message, fallback, check) => {
    const problem = check(fallback);
    if (problem !== undefined) throw new Error(`${message}: ${problem}; there is no default to accept`);
    return fallback;
  },
  choose: async (_message, _choices, fallback) => fallback,
  confirm: async (_message, fallback) => fallback,
};

/** A question that nobody is there to answer names the way to make it unnecessary. */
export function terminalOrFail(questions: Questions): Questions {
  if (process.stdin.isTTY) return questions;
  const refuse = async (message: string): Promise<never> => {
    throw new Error(
      `Cannot ask for "${message}" without a terminal: say it by flags, or take the defaults by --defaults`,
    );
  };
  return { text: refuse, choose: refuse, confirm: refuse };
}

const retentionChoices = { Limits: "limits", Interest: "interest", "Work Queue": "workqueue" } as const;

/** Ask for whatever settings do not say yet, in the order that people know. */
export async function askForStream(given: StreamSettings, ask: Questions): Promise<StreamSettings> {
  const hasOrigin = given.mirror !== undefined || given.sources !== undefined;
  const { mirror } = given;
  const settings: { -readonly [K in keyof StreamSettings]: StreamSettings[K] } = { ...given };
  if (!hasOrigin) settings.subjects ??= splitSubjects(await ask.text("Subjects", "", subjectsProblem));
  settings.storage ??= word(await ask.choose("Storage", ["file", "memory"], "file")) === "memory" ? "memory" : "file";
  settings.replicas ??= Number(await ask.text("Replication", "1", countProblem));
  settings.retention ??= retention(await ask.choose("Retention Policy", Object.keys(retentionChoices), "Limits"));
  settings.discard ??= word(await ask.choose("Discard Policy", ["New", "Old"], "Old")) === "new" ? "new" : "old";
  settings.maxMessages ??= Number(await ask.text("Stream Messages Limit", "-1", countProblem));
  if (mirror === undefined) {
    settings.maxMessagesPerSubject ??= Number(await ask.text("Per Subject Messages Limit", "-1", countProblem));
  }
  settings.maxBytes ??= parseBytes(await ask.text("Total Stream Size", "-1", sizeProblem));
  settings.maxAge ??= age(await ask.text("Message TTL", "-1", ageProblem));
  settings.maxMessageSize ??= parseBytes(await ask.text("Max Message Size", "-1", sizeProblem));
  if (mirror === undefined) {
    const window = formatDuration(defaultDuplicateWindow(settings.maxAge));
    settings.duplicateWindow ??= parseDuration(
      await ask.text("Duplicate tracking time window", window, durationProblem),
    );
  }
  settings.allowRollup ??= await ask.confirm("Allow message Roll-ups", false);
  settings.denyDelete ??= !(await ask.confirm("Allow message deletion", true));
  settings.denyPurge ??= !(await ask.confirm("Allow purging subjects or the entire stream", true));
  return settings;
}

/** What is wrong with a name for a stream. */
export function nameProblem(answer: string): string | undefined {
  return isStreamName(answer) ? undefined : "a name without spaces, dots, *, >, / and \\ is needed";
}

function word(answer: string): string {
  return answer.toLowerCase();
}

function retention(answer: string): "limits" | "interest" | "workqueue" {
  return Object.entries(retentionChoices).find(([label]) => label === answer)?.[1] ?? "limits";
}

function age(answer: string): number {
  return answer === "-1" ? -1 : parseDuration(answer);
}

function subjectsProblem(answer: string): string | undefined {
  return splitSubjects(answer).length === 0 ? "at least one subject is needed" : undefined;
}

/** What is wrong with a limit that is a number. */
export function countProblem(answer: string): string | undefined {
  return /^-?\d{1,15}$/.test(answer) ? undefined : "a whole number is needed, -1 for no limit";
}

function sizeProblem(answer: string): string | undefined {
  return problemOf(() => parseBytes(answer));
}

function ageProblem(answer: string): string | undefined {
  return problemOf(() => age(answer));
}

function durationProblem(answer: string): string | undefined {
  return problemOf(() => parseDuration(answer));
}

function problemOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
