import type { JetStreamManager } from "@nats-io/jetstream";
import { withStreams } from "../broker/session.ts";
import type { NetworkNames } from "./argument_names.ts";
import type { Completion } from "./complete.ts";

/** How long somebody who pressed a key waits for names from the network, in milliseconds. */
const patience = 1_500;

const prefixes: Readonly<Record<NetworkNames, string>> = { streams: "", buckets: "KV_", governors: "GOVERNOR_" };

/** Names that the network knows. Whatever keeps it from telling leaves a shell without completions, not with errors. */
export async function completeNames(kind: NetworkNames, configFile: string | undefined): Promise<Completion[]> {
  const prefix = prefixes[kind];
  const found: string[] = [];
  const gather = async ({ manager }: { manager: JetStreamManager }) => {
    for await (const name of manager.streams.names())
      if (name.startsWith(prefix)) found.push(name.slice(prefix.length));
  };
  const flags = configFile === undefined ? {} : { config: configFile };
  const asked = withStreams(flags, gather).catch(() => undefined);
  await Promise.race([asked, Bun.sleep(patience)]);
  return found.sort().map((value) => ({ value }));
}
