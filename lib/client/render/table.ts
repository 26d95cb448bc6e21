import { formatTable, type TextSink } from "../../cli/mod.ts";
import { type DdlAction, outputLabel, withOutputDefaults } from "../../ddl/mod.ts";
import type { FleetReply } from "../reply.ts";
import { valueText } from "./values.ts";
import { ordered, type ResultWriter } from "./writer.ts";

/** Adds a table of the replies that ended well to what another writer tells meanwhile. */
export function tableWriter(progress: ResultWriter, out: TextSink, sort: boolean): ResultWriter {
  const replies: FleetReply[] = [];
  return {
    ...progress,
    reply: (reply) => void replies.push(reply),
    end(request) {
      const { description: action } = request;
      if (action !== undefined) out.write(`${tableOf(ordered(replies, sort), action)}\n\n`);
    },
  };
}

/** The table itself, one row a node, one column an output of the DDL. */
export function tableOf(replies: readonly FleetReply[], action: DdlAction): string {
  const outputs = Object.keys(action.output).sort();
  const rows = replies
    .filter(({ ok }) => ok)
    .map(({ sender, data }) => {
      const full = withOutputDefaults(action, data);
      return [sender, ...outputs.map((name) => valueText(full[name]))];
    });
  return formatTable({ head: ["Sender", ...outputs.map((name) => outputLabel(action, name))], rows });
}
