import type { Agent } from "../../rpc/mod.ts";
import { encodeUtf8, version } from "../../std/mod.ts";
import { author } from "./author.ts";

/**
 * The agent `discovery`: answers `pong` to every message with a `ping` in it. That is all a client needs, as the
 * reply's envelope names the server. It is no RPC agent, so nobody is authorized or audited.
 */
export function discoveryAgent(): Agent {
  return {
    metadata: { ...author, name: "discovery", description: "Lets clients find this node", version, timeout: 2 },
    async handle({ payload }) {
      return Buffer.from(payload).includes("ping") ? encodeUtf8("pong") : undefined;
    },
  };
}
