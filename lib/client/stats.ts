/** Most reasons of rejected replies that are kept; beyond it they are only counted. */
const maxReasons = 100;

/** A reply that was not believed. */
export interface Rejection {
  /** Who it says it is from. */
  sender: string;
  reason: string;
}

/** How a request went. Times are in milliseconds. */
export interface RequestStats {
  requestId: string;
  /** Nodes the request was meant for. */
  discovered: number;
  /** Of these, how many answered. */
  responses: number;
  /** Answers with status 0, and others. */
  ok: number;
  failed: number;
  /** Nodes that did not answer, sorted. */
  noResponses: string[];
  /** Senders of replies that nobody waited for: strangers and second answers, sorted. */
  unexpected: string[];
  /** How many replies were not believed. */
  rejected: number;
  /** The first of these. */
  rejections: Rejection[];
  /** When the request was first sent, milliseconds since the epoch; 0 until it is. */
  startTime: number;
  discoverTime: number;
  publishTime: number;
  /** From the first send to the last answer. */
  requestTime: number;
}

/** Keeps count while a request runs. */
export class Tally {
  requestId = "";
  startTime = 0;
  discoverTime = 0;
  publishTime = 0;
  requestTime = 0;
  readonly #expected = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #unexpected = new Set<string>();
  readonly #rejections: Rejection[] = [];
  #rejected = 0;
  #ok = 0;
  #failed = 0;

  /** How many nodes the request is meant for so far. */
  get discovered(): number {
    return this.#expected.size;
  }

  /** How many of them have answered. */
  get responses(): number {
    return this.#answered.size;
  }

  /** From whom answers are awaited. */
  expect(nodes: Iterable<string>): void {
    for (const node of nodes) this.#expected.add(node);
  }

  /** Whether this node's answer is awaited still. */
  awaits(node: string): boolean {
    return this.#expected.has(node) && !this.#answered.has(node);
  }

  /** Count an awaited answer. */
  answer(node: string, ok: boolean): void {
    this.#answered.add(node);
    if (ok) this.#ok++;
    else this.#failed++;
  }

  /** Count a reply that nobody waited for. */
  stray(node: string): void {
    this.#unexpected.add(node);
  }

  /** Count a reply that is not believed. */
  reject(rejection: Rejection): void {
    this.#rejected++;
    if (this.#rejections.length < maxReasons) this.#rejections.push(rejection);
  }

  /** The figures as they stand. */
  stats(): RequestStats {
    const { requestId, startTime, discoverTime, publishTime, requestTime } = this;
    return {
      requestId,
      discovered: this.#expected.size,
      responses: this.#answered.size,
      ok: this.#ok,
      failed: this.#failed,
      noResponses: [...this.#expected].filter((node) => !this.#answered.has(node)).sort(),
      unexpected: [...this.#unexpected].sort(),
      rejected: this.#rejected,
      rejections: [...this.#rejections],
      startTime,
      discoverTime,
      publishTime,
      requestTime,
    };
  }
}
