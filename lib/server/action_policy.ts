import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/mod.ts";
import { matchClasses, matchFact } from "../filter/mod.ts";
import { parseFactFilter } from "../protocol/mod.ts";
import { compileRe2 } from "../re2/mod.ts";
import type { ActionCall, Authorizer, Decision } from "../rpc/mod.ts";
import { isFile, type JsonObject, type Logger } from "../std/mod.ts";
import { type ActionPolicy, type PolicyLine, parseActionPolicy, parseGroups } from "./action_policy_file.ts";
import type { PolicyNode } from "./policy_node.ts";

/** Where {@link actionPolicyAuthorizer} finds what it decides by. */
export interface ActionPolicyOptions {
  /** Folder with `AGENT.policy`, the default policy and `groups`. */
  folder: string;
  config: Pick<Config, "option">;
  node: PolicyNode;
  logger: Logger;
}

/** What the lines of a policy are held against. */
interface Subject {
  caller: string;
  action: string;
  facts: JsonObject;
  classes: readonly string[];
  groups: ReadonlyMap<string, readonly string[]>;
}

/**
 * Decides by action policies that lie on the node: one for each agent, and where it is enabled a default. The first
 * line that fits decides, then the policy's default; no policy, and a line that has no answer, refuse.
 */
export function actionPolicyAuthorizer(options: ActionPolicyOptions): Authorizer {
  const { config, node } = options;
  const isOn = (option: string) => /^(1|yes|true|y|t)$/i.test(config.option(option) ?? "");
  return {
    async authorize(call) {
      const file = policyFile(call.agent, options, isOn("plugin.actionpolicy.enable_default"));
      if (file === undefined) return { allowed: false, reason: `no policy found for ${call.agent}` };
      const initial = isOn("plugin.actionpolicy.allow_unconfigured");
      const policy = parseActionPolicy(readFileSync(file, "utf8"), initial);
      warnOfSkipped(policy, file, options.logger);
      return decide(policy, file, await subjectOf(call, options.folder, node));
    },
  };
}

function policyFile(agent: string, { folder, config }: ActionPolicyOptions, hasDefault: boolean): string | undefined {
  const fallback = config.option("plugin.actionpolicy.default_name") ?? "default";
  const names = hasDefault ? [agent, fallback] : [agent];
  return names.map((name) => join(folder, `${name}.policy`)).find(isFile);
}

function warnOfSkipped(policy: ActionPolicy, file: string, logger: Logger): void {
  for (const { number, reason } of policy.skipped)
    logger.warn("A policy line is skipped", { file, line: number, reason });
}

async function subjectOf(call: ActionCall, folder: string, node: PolicyNode): Promise<Subject> {
  const file = join(folder, "groups");
  const groups = isFile(file) ? parseGroups(readFileSync(file, "utf8")) : new Map<string, readonly string[]>();
  const { caller } = call.message.request;
  return { caller, action: call.action, facts: await node.facts(), classes: node.classes(), groups };
}

function decide(policy: ActionPolicy, file: string, subject: Subject): Decision {
  for (const line of policy.lines) {
    if (fits(line, subject)) return { allowed: line.allows, reason: `line ${line.number} of ${file}` };
  }
  return { allowed: policy.isDefaultAllow, reason: `the default of ${file}` };
}

function fits(line: PolicyLine, subject: Subject): boolean {
  if (!fitsCaller(line.callers, subject)) return false;
  if (!line.actions.includes("*") && !line.actions.includes(subject.action)) return false;
  if (line.classes.length === 0) throw new Error(`line ${line.number} has no classes: write * for any`);
  return fitsFacts(line.facts, subject) && fitsClasses(line.classes, subject);
}

function fitsCaller(wanted: readonly string[], { caller, groups }: Subject): boolean {
  const isCaller = (name: string) => {
    const pattern = /^\/(.+)\/$/.exec(name)?.[1];
    return pattern === undefined ? name === caller : compileRe2(pattern).test(caller);
  };
  return wanted.some((name) => name === "*" || isCaller(name) || (groups.get(name)?.some(isCaller) ?? false));
}

function fitsFacts(wanted: readonly string[], { facts }: Subject): boolean {
  return wanted.includes("*") || wanted.every((text) => matchFact(facts, parseFactFilter(text)));
}

function fitsClasses(wanted: readonly string[], { classes }: Subject): boolean {
  return wanted.includes("*") || matchClasses(wanted, classes);
}
