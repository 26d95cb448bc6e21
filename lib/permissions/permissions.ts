import { isLiteral, isQueueSubject, isSubject } from "./subject.ts";

/** An account of the broker: a subject space of its own. */
export type Account = "choria" | "provisioning" | "system";

/** Subjects that are allowed and, of these, denied. An empty `allow` with an empty `deny` allows everything. */
export interface SubjectRules {
  allow: string[];
  deny: string[];
}

/** What a login may do. */
export interface Permissions {
  account: Account;
  /** Absent for logins without limits within their account. */
  publish?: SubjectRules;
  /** Absent for logins without limits within their account. */
  subscribe?: SubjectRules;
  /** What a token asked for and does not get, because it is no subject: one sentence each. */
  dropped: string[];
}

/** Everything within an account: for the provisioner and the system user. */
export function unlimitedPermissions(account: Account): Permissions {
  return { account, dropped: [] };
}

/** Nothing at all, within account `choria`. */
export function noPermissions(): Permissions {
  return {
    account: "choria",
    publish: { allow: [], deny: [">"] },
    subscribe: { allow: [], deny: [">"] },
    dropped: [],
  };
}

/** Collects the subjects of a token, leaving out what is none: one bad subject would fail the whole login. */
export class Rules {
  readonly #publish = new Set<string>();
  readonly #subscribe = new Set<string>();
  readonly #dropped: string[] = [];

  /** Add subjects from the tables of this room. */
  publish(...subjects: string[]): void {
    for (const subject of subjects) this.#publish.add(subject);
  }

  /** Add subjects from the tables of this room. */
  subscribe(...subjects: string[]): void {
    for (const subject of subjects) this.#subscribe.add(subject);
  }

  /** Add what a token's `pub_subjects` lists. */
  publishListed(subjects: readonly string[] = []): void {
    for (const subject of subjects) {
      if (isSubject(subject)) this.#publish.add(subject);
      else this.#drop("pub_subjects", subject, "it is not a valid subject");
    }
  }

  /** Add what a token's `sub_subjects` lists; an entry may be limited to a queue group: `subject queue`. */
  subscribeListed(subjects: readonly string[] = []): void {
    for (const subject of subjects) {
      if (isQueueSubject(subject)) this.#subscribe.add(subject);
      else this.#drop("sub_subjects", subject, "it is not a valid subject");
    }
  }

  /**
   * Whether the value of a claim may become a part of subjects. A wildcard in an identity would open the subjects
   * of others, so such a value adds nothing.
   */
  accepts(claim: string, value: string): boolean {
    if (isLiteral(value)) return true;
    this.#drop(claim, value, "it cannot be part of a subject");
    return false;
  }

  /** What was collected; where nothing may be done, everything is denied, as an empty list would allow it. */
  finish(account: Account): Permissions {
    return {
      account,
      publish: rules([...this.#publish]),
      subscribe: rules([...this.#subscribe]),
      dropped: this.#dropped,
    };
  }

  #drop(claim: string, value: string, reason: string): void {
    this.#dropped.push(`${claim} entry ${JSON.stringify(value.slice(0, 200))} is left out: ${reason}`);
  }
}

function rules(allow: string[]): SubjectRules {
  return { allow, deny: allow.length === 0 ? [">"] : [] };
}
