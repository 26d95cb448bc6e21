import type { Filter } from "../protocol/mod.ts";
import { Channel, type Clock, encodeUtf8 } from "../std/mod.ts";
import { checkIdentities, isIdentity } from "./identity.ts";
import type { Broadcaster, DiscoveryQuery, NodeSource, OpenQuestion } from "./source.ts";

/** Silence after which a windowed discovery ends, in milliseconds. */
export const discoveryWindow = 300;

/** Payload of the question: `ping` in base64, which is how nodes have always been asked. */
export const discoveryPing: Uint8Array = encodeUtf8("cGluZw==");

/** The agent that answers it. */
export const discoveryAgent = "discovery";

/**
 * Find nodes by asking everybody. Where the filter names nodes and nothing else, these are taken as they are and
 * nobody is asked.
 *
 * @param name As people name it: `mc` or `broadcast`.
 */
export function broadcastSource(broadcaster: Broadcaster, clock: Clock, name = "broadcast"): NodeSource {
  return {
    name,
    async *discover(query, signal) {
      const named = namedNodes(query.filter);
      if (named !== undefined) {
        checkIdentities(named, "the filter");
        yield* named;
      } else yield* askEverybody(broadcaster, clock, query, signal);
    },
  };
}

/** The nodes that a filter names, where it does nothing else but name nodes and agents. */
export function namedNodes(filter: Filter): string[] | undefined {
  const { identity, fact, cf_class, compound } = filter;
  const isMore = fact.length > 0 || cf_class.length > 0 || compound.length > 0;
  if (identity.length === 0 || isMore || identity.some((name) => /^\/.*\/$/.test(name))) return undefined;
  return [...new Set(identity)];
}

/** Ask every node of a collective and hand out those that answer, each once, as they answer. */
export async function* askEverybody(
  broadcaster: Broadcaster,
  clock: Clock,
  query: DiscoveryQuery,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const found = new Channel<string>();
  const seen = new Set<string>();
  const end = () => found.end();
  const { collective, filter, timeout, window } = query;
  let silence: Disposable | undefined;
  const hear = (sender: string) => {
    if (seen.has(sender) || !isIdentity(sender)) return;
    seen.add(sender);
    found.push(sender);
    if (window === undefined) return;
    silence?.[Symbol.dispose]();
    silence = clock.after(window, end);
  };
  const aborted = Promise.withResolvers<undefined>();
  const abort = () => {
    found.end();
    aborted.resolve(undefined);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    if (signal.aborted) return;
    const asking = broadcaster.ask({ agent: discoveryAgent, collective, filter, payload: discoveryPing }, hear);
    using open = await Promise.race([asking, aborted.promise]);
    if (open === undefined) return dropWhenAsked(asking);
    using _limit = clock.after(timeout, end);
    open.unheard.then(end, (error: unknown) => found.fail(error));
    yield* found;
  } finally {
    signal.removeEventListener("abort", abort);
    silence?.[Symbol.dispose]();
  }
}

/** Whoever asks may be waiting for a signature; the question is dropped once it is out. */
function dropWhenAsked(asking: Promise<OpenQuestion>): void {
  asking.then(
    (open) => open[Symbol.dispose](),
    () => undefined,
  );
}
