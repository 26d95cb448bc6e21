import { allow, type Decision, deny } from "./decision.ts";

/**
 * Judge a call by the `agents` claim: entries `*`, `agent.*` and `agent.action`, looked at in their order. The first
 * that is none of these ends the search against the call.
 *
 * @returns `invalid agent policy: ENTRY` as the reason of such a refusal.
 */
export function evaluateActionList(entries: readonly string[], agent: string, action: string): Decision {
  for (const entry of entries) {
    if (entry === "*") return allow('allowed by the action list entry "*"');
    const [entryAgent, entryAction, extra] = entry.split(".");
    if (entryAction === undefined || extra !== undefined) return deny(`invalid agent policy: ${entry}`);
    if (entryAgent !== agent) continue;
    if (entryAction === "*" || entryAction === action) return allow(`allowed by the action list entry "${entry}"`);
  }
  return deny(`no entry of the action list allows ${agent}.${action}`);
}
