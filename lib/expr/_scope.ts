import type { Kind } from "./_kinds.ts";

/** Where a variable is kept, and what is known of it. */
export interface Local {
  slot: number;
  kind: Kind;
}

/** The places of a predicate, and the function it is given to. */
export interface Pointers {
  item: number;
  index: number;
  accumulator: number;
  name: string;
}

/** Variables and predicates around the node that is being compiled; each gets places of its own. */
export class Scope {
  readonly #locals = new Map<string, Local>();
  readonly #predicates: Pointers[] = [];
  #slots = 0;

  /** A variable that is in sight. */
  local(name: string): Local | undefined {
    return this.#locals.get(name);
  }

  /** Bring a variable into sight, and give its place. */
  declare(name: string, kind: Kind): number {
    const slot = this.#slots++;
    this.#locals.set(name, { slot, kind });
    return slot;
  }

  /** Put a variable out of sight. */
  forget(name: string): void {
    this.#locals.delete(name);
  }

  /** The innermost predicate; undefined outside of any. */
  get pointers(): Pointers | undefined {
    return this.#predicates.at(-1);
  }

  /** Begin the predicate of a function. */
  enter(name: string): Pointers {
    const pointers = { item: this.#slots++, index: this.#slots++, accumulator: this.#slots++, name };
    this.#predicates.push(pointers);
    return pointers;
  }

  /** End the innermost predicate. */
  leave(): void {
    this.#predicates.pop();
  }
}
