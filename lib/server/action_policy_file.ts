/** One rule of an action policy. */
export interface PolicyLine {
  /** Where it stands, from 1. */
  number: number;
  allows: boolean;
  /** Caller ids, `/expressions/`, names of groups, or `*`. */
  callers: readonly string[];
  actions: readonly string[];
  /** Conditions on facts, of which all must hold, or `*`. */
  facts: readonly string[];
  /** Classes, of which the node must have all, or `*`; empty where the column is missing. */
  classes: readonly string[];
}

/** An action policy as it is written in `AGENT.policy`. */
export interface ActionPolicy {
  /** What holds where no line fits. */
  isDefaultAllow: boolean;
  lines: PolicyLine[];
  /** Lines that could not be used. */
  skipped: { number: number; reason: string }[];
}

/**
 * Read an action policy: `policy default allow`, and lines of `allow` or `deny`, callers, actions, facts and classes,
 * separated by tabs. What is neither is skipped, and said to be.
 *
 * @param isDefaultAllow The default where the policy sets none.
 */
export function parseActionPolicy(text: string, isDefaultAllow: boolean): ActionPolicy {
  const policy: ActionPolicy = { isDefaultAllow, lines: [], skipped: [] };
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trimEnd();
    if (line === "" || line.startsWith("#")) continue;
    readLine(line, index + 1, policy);
  }
  return policy;
}

/** Read a groups file: a name, then its members, separated by blanks. */
export function parseGroups(text: string): Map<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [name = "", ...members] = words(line);
    if (/^[\w.-]+$/.test(name)) groups.set(name, members);
  }
  return groups;
}

function readLine(line: string, number: number, policy: ActionPolicy): void {
  const fallback = /^policy\s+default\s+(\w+)$/.exec(line)?.[1];
  if (fallback !== undefined) {
    policy.isDefaultAllow = fallback === "allow";
    return;
  }
  const [verb, callers, actions, facts, classes = ""] = line.split(/\t+/);
  if ((verb !== "allow" && verb !== "deny") || callers === undefined || actions === undefined || facts === undefined) {
    policy.skipped.push({ number, reason: "it is not of the form verb, callers, actions, facts, classes with tabs" });
    return;
  }
  if ([...words(facts), ...words(classes)].some(isCompound)) {
    policy.skipped.push({ number, reason: "compound statements are not supported" });
    return;
  }
  policy.lines.push({
    number,
    allows: verb === "allow",
    callers: words(callers),
    actions: words(actions),
    facts: words(facts),
    classes: words(classes),
  });
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function isCompound(word: string): boolean {
  return word.startsWith("!") || ["and", "or", "not"].includes(word) || /\(.+\)/.test(word);
}
