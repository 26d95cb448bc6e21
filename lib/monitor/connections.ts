import type { Connection } from "../connector/mod.ts";
import type { JsonObject } from "../std/mod.ts";
import { type AskOptions, askBrokers } from "./ask.ts";
import type { Fields } from "./fields.ts";

/** A connection to one of the brokers. */
export interface BrokerClient {
  /** The connection as the broker tells of it, with the broker below `server`. */
  document: JsonObject;
  connection: Fields;
  server: Fields;
}

/** Which connections {@link listConnections} gives. */
export interface ConnectionFilter {
  account?: string;
  /** Those that listen to this subject. */
  subject?: string;
  /** Who logged in. */
  user?: string;
  /** @default "open" */
  state?: "open" | "closed" | "all";
}

/** Connections in one answer; a page of a broker has at most this many. */
const pageSize = 1_024;
/** A broker that always has another page does not keep us for ever. */
const mostPages = 1_024;

/** Every connection of every broker that a filter lets through, page by page. */
export async function listConnections(
  connection: Pick<Connection, "nats" | "newInbox">,
  filter: ConnectionFilter = {},
  options: AskOptions = {},
): Promise<BrokerClient[]> {
  const found: BrokerClient[] = [];
  let expect = options.expect ?? 0;
  for (let page = 0; page < mostPages; page++) {
    const body = question(filter, page * pageSize);
    const answers = await askBrokers(connection, "CONNZ", { ...options, expect, body });
    // Whoever answered the first page answers the others.
    expect = answers.length;
    for (const { server, data } of answers) {
      for (const one of data.list("connections")) {
        const document = { ...one.document, server: server.document };
        found.push({ document, connection: one, server });
      }
    }
    if (!answers.some(({ data }) => data.number("total") > (page + 1) * pageSize)) break;
  }
  return found;
}

function question({ account, subject, user, state = "open" }: ConnectionFilter, offset: number): JsonObject {
  return {
    subscriptions: true,
    auth: true,
    limit: pageSize,
    offset,
    state: { open: 0, closed: 1, all: 2 }[state],
    ...(account === undefined ? {} : { acc: account }),
    ...(subject === undefined ? {} : { filter_subject: subject }),
    ...(user === undefined ? {} : { user }),
  };
}
