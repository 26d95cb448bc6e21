import { createHash } from "node:crypto";
import { RegoError } from "./errors.ts";
import { type CompileOptions, compileRego, type RegoPolicy } from "./policy.ts";

const DEFAULT_MAX = 256;

/** Compiled policies by the digest of their text, the least used given up first; failures are kept too. */
export class RegoCache {
  readonly #max: number;
  readonly #entries = new Map<string, RegoPolicy | RegoError>();
  readonly #digests = new Map<string, string>();

  /** @param options `max` is the number of policies kept, default 256. */
  constructor(options: { max?: number } = {}) {
    this.#max = Math.max(1, options.max ?? DEFAULT_MAX);
  }

  /** Number of policies and failures held. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The compiled policy of a text, compiled now if it was not yet.
   *
   * Code of functions is not part of what is kept apart: hand it in for each evaluation where it differs.
   *
   * @throws RegoError when the text does not compile, again each time.
   */
  get(source: string, options: CompileOptions = {}): RegoPolicy {
    const key = keyFor(this.#digest(source), options);
    let entry = this.#entries.get(key);
    if (entry === undefined) entry = compileOrError(source, options);
    else this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#max) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    if (entry instanceof RegoError) throw entry;
    return entry;
  }

  /** The digest of a text, remembered for texts seen lately. */
  #digest(source: string): string {
    const known = this.#digests.get(source);
    if (known !== undefined) return known;
    if (this.#digests.size >= this.#max) this.#digests.clear();
    const made = createHash("sha256").update(source).digest("base64");
    this.#digests.set(source, made);
    return made;
  }
}

function compileOrError(source: string, options: CompileOptions): RegoPolicy | RegoError {
  try {
    return compileRego(source, options);
  } catch (error) {
    if (error instanceof RegoError) return error;
    throw error;
  }
}

function keyFor(digest: string, { dialect = "auto", functions = [], filename = "" }: CompileOptions): string {
  const names = functions.map(({ name, arity }) => `${name}/${arity}`).sort();
  return `${digest} ${dialect} ${names.join(",")} ${filename}`;
}
