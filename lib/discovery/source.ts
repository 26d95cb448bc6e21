import type { Filter } from "../protocol/mod.ts";

/** Which nodes are sought. */
export interface DiscoveryQuery {
  collective: string;
  filter: Filter;
  /** Longest search, in milliseconds. */
  timeout: number;
  /**
   * End once this many milliseconds pass without another node after the first. Absent waits the whole timeout.
   */
  window?: number;
}

/** A way of finding nodes. */
export interface NodeSource {
  /** As people name it. */
  readonly name: string;
  /**
   * Find nodes, each once, handing out each as it is found.
   * @param signal Ends the search; what was found so far stands.
   */
  discover(query: DiscoveryQuery, signal: AbortSignal): AsyncIterable<string>;
}

/** A question that all nodes of a collective hear. */
export interface BroadcastQuestion {
  agent: string;
  collective: string;
  filter: Filter;
  payload: Uint8Array;
}

/** A question that was sent. Disposing it ends the wait for answers. */
export interface OpenQuestion extends Disposable {
  /** Resolves when it is known that nobody hears the question; rejects when it was refused. Else it stays open. */
  readonly unheard: Promise<void>;
}

/** Asks questions for discovery. */
export interface Broadcaster {
  /**
   * Sign and send a question.
   * @param onAnswer Called with the identity of each node whose answer is believed, and how many milliseconds after
   * the question was sent it came.
   */
  ask(question: BroadcastQuestion, onAnswer: (sender: string, elapsed: number) => void): Promise<OpenQuestion>;
}
