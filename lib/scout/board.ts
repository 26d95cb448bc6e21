import type { CheckResult, MachineTransition, ScoutEvent } from "./event.ts";
import { outputSummary } from "./lines.ts";

/** What is shown of the events of checks and machines. */
export interface BoardFilter {
  /** Part of the node's name. */
  identity?: string;
  /** Part of the machine's name. */
  check?: string;
  /**
   * Whether checks that are OK are shown.
   * @default true
   */
  showsOk?: boolean;
  /** Machines whose transitions are not shown. */
  ignoredMachines?: readonly string[];
  /** Words that must all be in the node, machine, state or output, whatever their case. */
  words?: string;
}

/** How many of what were observed. */
export interface BoardCounts {
  readonly identities: number;
  readonly ok: number;
  readonly warning: number;
  readonly critical: number;
  readonly unknown: number;
  readonly maintenance: number;
}

/** A check that is not OK. */
export interface Problem {
  readonly identity: string;
  readonly machine: string;
  readonly status: string;
  /** Since when, milliseconds since the epoch. */
  readonly since: number;
  /** What the plugin printed, on one line and without its figures. */
  readonly output: string;
}

/** Nodes that were not heard of for this long are forgotten, in milliseconds. */
export const forgottenAfter = 600_000;

/** Events of each kind that are remembered. */
const mostEvents = 2_000;
/** Nodes, checks of each, and checks of all, that are observed. */
const mostNodes = 50_000;
const mostChecks = 500;
const mostChecksOfAll = 250_000;
/** Characters of an output that are kept of a check, as much as a line shows. */
const longestOutput = 256;

interface ObservedNode {
  seenAt: number;
  readonly checks: Map<string, { status: string; since: number; output: string }>;
}

/** What a follower of checks has seen: the latest events, and how every check is. Knows no clock but what it is told. */
export class ScoutBoard {
  readonly #checks: CheckResult[] = [];
  readonly #transitions: MachineTransition[] = [];
  readonly #nodes = new Map<string, ObservedNode>();
  /** Checks of all nodes. */
  #observed = 0;

  /**
   * Take in an event.
   *
   * @param seenAt When it was published, milliseconds since the epoch.
   */
  add(event: ScoutEvent, seenAt: number): void {
    if (event.kind === "check") keep(this.#checks, event);
    else keep(this.#transitions, event);
    this.#observe(event, seenAt);
  }

  /** Results of checks that a filter lets through, the oldest first. */
  checks(filter: BoardFilter = {}): CheckResult[] {
    return this.#checks.filter((check) => showsCheck(check, filter));
  }

  /** Transitions that a filter lets through, the oldest first. */
  transitions(filter: BoardFilter = {}): MachineTransition[] {
    return this.#transitions.filter((transition) => showsTransition(transition, filter));
  }

  /** Count nodes and checks; those that were not heard of lately are forgotten. */
  counts(now: number): BoardCounts {
    this.#forget(now);
    const tally = new Map<string, number>();
    for (const { checks } of this.#nodes.values()) {
      for (const { status } of checks.values()) tally.set(status, (tally.get(status) ?? 0) + 1);
    }
    const count = (status: string) => tally.get(status) ?? 0;
    return {
      identities: this.#nodes.size,
      ok: count("OK"),
      warning: count("WARNING"),
      critical: count("CRITICAL"),
      unknown: count("UNKNOWN"),
      maintenance: count("MAINTENANCE"),
    };
  }

  /** Checks that are not OK, the worst first, and of those the latest. */
  problems(filter: BoardFilter = {}): Problem[] {
    const found: Problem[] = [];
    for (const [identity, { checks }] of this.#nodes) {
      for (const [machine, check] of checks) {
        const problem = { identity, machine, ...check };
        if (check.status !== "OK" && matches(problem, filter)) found.push(problem);
      }
    }
    return found.sort((a, b) => severity(a.status) - severity(b.status) || b.since - a.since);
  }

  /** Forget the events, but not how the checks are. */
  clear(): void {
    this.#checks.length = 0;
    this.#transitions.length = 0;
  }

  #observe(event: ScoutEvent, seenAt: number): void {
    const known = this.#nodes.get(event.identity);
    if (known !== undefined) known.seenAt = Math.max(known.seenAt, seenAt);
    if (event.kind === "check") {
      const node = known ?? this.#newNode(event.identity, seenAt);
      if (node !== undefined) this.#note(node, event.machine, event.status, event);
    } else if (known?.checks.has(event.machine) && states.includes(event.to)) {
      this.#note(known, event.machine, event.to, { time: event.time, output: "" });
    }
  }

  #note(node: ObservedNode, machine: string, status: string, { time, output }: Noted): void {
    const known = node.checks.get(machine);
    if (known === undefined) {
      if (node.checks.size >= mostChecks || this.#observed >= mostChecksOfAll) return;
      this.#observed++;
    }
    const since = known?.status === status ? known.since : time;
    const shown = detached(outputSummary(output).slice(0, longestOutput));
    node.checks.set(machine, { status, since, output: shown || (known?.output ?? "") });
  }

  #newNode(identity: string, seenAt: number): ObservedNode | undefined {
    if (this.#nodes.size >= mostNodes) return undefined;
    const node = { seenAt, checks: new Map() };
    this.#nodes.set(identity, node);
    return node;
  }

  #forget(now: number): void {
    for (const [identity, { seenAt, checks }] of this.#nodes) {
      if (now - seenAt < forgottenAfter) continue;
      this.#nodes.delete(identity);
      this.#observed -= checks.size;
    }
  }
}

/** States of checks that mean something to people, the worst first. */
const states = ["CRITICAL", "UNKNOWN", "WARNING", "MAINTENANCE", "OK"];

function severity(status: string): number {
  const at = states.indexOf(status);
  return at < 0 ? states.length : at;
}

type Noted = Pick<CheckResult, "time" | "output">;

/** A part of a text keeps all of it in memory; a copy does not. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}

function keep<T>(list: T[], item: T): void {
  list.push(item);
  // Now and then, so that not every event moves the whole list.
  if (list.length > mostEvents * 1.1) list.splice(0, list.length - mostEvents);
}

/** Whether a filter lets the result of a check through. */
export function showsCheck(check: CheckResult, filter: BoardFilter): boolean {
  return (check.status !== "OK" || filter.showsOk !== false) && matches(check, filter);
}

/** Whether a filter lets a transition through. */
export function showsTransition(transition: MachineTransition, filter: BoardFilter): boolean {
  if (filter.ignoredMachines?.includes(transition.machine)) return false;
  const { identity, machine, from, to } = transition;
  return matches({ identity, machine, status: `${from} ${to}`, output: transition.transition }, filter);
}

function matches(item: Pick<CheckResult, "identity" | "machine" | "status" | "output">, filter: BoardFilter): boolean {
  const { identity = "", check = "", words = "" } = filter;
  if (!item.identity.includes(identity) || !item.machine.includes(check)) return false;
  if (words.trim() === "") return true;
  const text = `${item.identity} ${item.machine} ${item.status} ${item.output}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
