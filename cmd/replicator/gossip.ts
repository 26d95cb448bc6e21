import { Command } from "@commander-js/extra-typings";
import { decodeItem, gossipSubject } from "../../lib/replicator/mod.ts";
import { decodeUtf8, formatDuration, parseObject } from "../../lib/std/mod.ts";
import { connectContext } from "./connect.ts";

/** How long nobody may say anything, in milliseconds. */
const silence = 60_000;
/** What Go prints for a time that never was. */
const longAgo = "2562047h47m16.854775807s";

/** `admin gossip`: what replicators tell each other of values. */
export function gossipCommand() {
  return new Command("gossip")
    .description("Follow what replicators tell each other")
    .option("--json", "show JSON")
    .option("--context <name>", "context of the nats command line")
    .option("--choria-seed <file>", "seed of a Choria login")
    .option("--choria-token <file>", "token of a Choria login")
    .option("--choria-collective <name>", "collective of a Choria login", "choria")
    .addHelpText(
      "after",
      `
Example:
  stream-replicator admin gossip --context broker --choria-seed ~/sr.seed --choria-token ~/sr.jwt`,
    )
    .action(async ({ json, ...flags }) => {
      const { connection } = await connectContext(flags);
      await using _open = connection;
      const { promise, reject } = Promise.withResolvers<never>();
      const quiet = () => setTimeout(() => reject(new Error("no gossip was heard for a minute")), silence);
      let timer = quiet();
      connection.subscribe(gossipSubject("*", "*"), ({ subject, data }) => {
        clearTimeout(timer);
        timer = quiet();
        const text = line(subject, data, json === true);
        if (text !== undefined) console.log(text);
      });
      process.once("SIGINT", () => process.exit(0));
      await promise;
    });
}

function line(subject: string, data: Uint8Array, isJson: boolean): string | undefined {
  try {
    const message = parseObject(data);
    const item = decodeItem(message);
    if (item === undefined) return undefined;
    if (isJson) return decodeUtf8(data);
    const [stream, entry] = subject.split(".").slice(3);
    const copied = item.copied === 0 ? longAgo : formatDuration(Date.now() - item.copied);
    return `[${stream}.${entry}] size: ${item.size} advised: ${item.isAdvised}: copied: ${copied} ${message.value}`;
  } catch {
    return undefined;
  }
}
