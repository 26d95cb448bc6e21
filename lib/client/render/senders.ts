import type { TextSink } from "../../cli/mod.ts";
import type { FleetReply } from "../reply.ts";
import { ordered, type ResultWriter } from "./writer.ts";

/** Writes nothing but the names of nodes whose replies ended well. */
export function sendersWriter(out: TextSink, asJson: boolean, sort: boolean): ResultWriter {
  const replies: FleetReply[] = [];
  return {
    discovering() {},
    discovered() {},
    reply: (reply) => void (reply.ok && replies.push(reply)),
    end() {
      const names = ordered(replies, sort).map(({ sender }) => sender);
      if (asJson) out.write(`${JSON.stringify(names, null, 2)}\n`);
      else for (const name of names) out.write(`${name}\n`);
    },
  };
}
