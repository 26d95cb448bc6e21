import { JetStreamError } from "@nats-io/jetstream";
import { Command } from "commander";
import { formatReport, type ReportRow, type ReportSection } from "../../../lib/cli/mod.ts";
import { Fields } from "../../../lib/monitor/mod.ts";
import { formatBytes, formatCount, formatRemaining, parseObject } from "../../../lib/std/mod.ts";
import { addBrokerFlags, type BrokerFlags, type StreamSession, withBrokerStreams, writeJson } from "./session.ts";

const example = "\nExample:\n  choria broker account info";

/** `choria broker account`: what a login is to the broker. */
export function accountCommand(): Command {
  const info = new Command("info")
    .alias("nfo")
    .description("Show who you are to the broker, what you may send and receive, and what your account stores.")
    .option("-j, --json", "write what the broker says of your login as one JSON document")
    .addHelpText("after", example)
    .action((flags: BrokerFlags & { json?: true }) =>
      withBrokerStreams(flags, async (session) => {
        const user = await userInfo(session);
        if (flags.json) writeJson(session, user.document);
        else session.terminal.out.write(accountText(user, await storedSections(user, session), session));
      }),
    );
  return new Command("account")
    .alias("a")
    .description("See what your login is to the broker.")
    .addHelpText("after", example)
    .addCommand(addBrokerFlags(info));
}

async function userInfo({ fleet }: StreamSession): Promise<Fields> {
  const { data } = await fleet.connection.nats.request("$SYS.REQ.USER.INFO", "", { timeout: 5_000 });
  return new Fields(parseObject(data)).below("data");
}

function accountText(user: Fields, stored: readonly ReportSection[], { fleet }: StreamSession): string {
  const { nats, server } = fleet.connection;
  const expires = user.number("expires");
  const rows: ReportRow[] = [
    ["User", user.text("user")],
    ["Account", user.text("account")],
    ...(expires > 0 ? [["Expires", formatRemaining(expires / 1e6)] as const] : []),
    ["Client ID", String(nats.info?.client_id ?? "")],
    ["Client IP", nats.info?.client_ip ?? ""],
    ["Maximum Payload", formatBytes(nats.info?.max_payload ?? 0)],
    ["Connected Cluster", nats.info?.cluster ?? ""],
    ["Connected URL", server],
    ["Connected Server ID", nats.info?.server_id ?? ""],
    ["Connected Server Version", nats.info?.version ?? ""],
    ["Connected Server Name", nats.info?.server_name ?? ""],
  ];
  return formatReport("Account Information", [
    { rows },
    { heading: "May publish to", rows: subjectRows(user, "publish") },
    { heading: "May subscribe to", rows: subjectRows(user, "subscribe") },
    ...stored,
  ]);
}

/** No list at all allows everything. */
function subjectRows(user: Fields, verb: "publish" | "subscribe"): ReportRow[] {
  const permissions = user.below("permissions").below(verb).document;
  const list = (key: string) => {
    const value = permissions[key];
    return Array.isArray(value) ? value.map(String) : [];
  };
  const allow = list("allow");
  return [
    ...(allow.length > 0 ? allow : [">"]).map((subject): ReportRow => ["Allow", subject]),
    ...list("deny").map((subject): ReportRow => ["Deny", subject]),
  ];
}

/** Subjects of which any lets a login ask what its account stores. */
const askSubjects = [">", "$JS.>", "$JS.API.>", "$JS.API.INFO"];

/** Accounts without streams, and logins that may not ask about them, have nothing to show. */
async function storedSections(user: Fields, { manager }: StreamSession): Promise<ReportSection[]> {
  // A question that is refused would end the command.
  if (!subjectRows(user, "publish").some(([verb, subject]) => verb === "Allow" && askSubjects.includes(subject)))
    return [];
  try {
    const { storage, memory, streams, consumers } = await manager.getAccountInfo();
    const rows: ReportRow[] = [
      ["Storage", formatBytes(storage)],
      ["Memory", formatBytes(memory)],
      ["Streams", formatCount(streams)],
      ["Consumers", formatCount(consumers)],
    ];
    return [{ heading: "Account Usage", rows }];
  } catch (error) {
    if (error instanceof JetStreamError) return [];
    throw error;
  }
}
