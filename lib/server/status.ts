import { errorText, formatRfc3339, type Logger, writeFileAtomic, zeroTime } from "../std/mod.ts";
import type { Link } from "./link.ts";
import type { ServerNode } from "./node.ts";

/** What the status file says beside what the node knows. */
export interface StatusOptions {
  path: string;
  /** Seconds between writes. */
  interval: number;
  /** When the server's token expires, in Unix seconds; undefined for never or not known. */
  tokenExpires: () => number | undefined;
  /** Tells of changes of the connection. */
  link: Pick<Link, "onChange">;
  logger: Logger;
}

/**
 * Write the status file now, at each interval and whenever the connection is lost or back, until the handle is
 * disposed. What fails is logged.
 */
export function keepStatusFile(node: ServerNode, options: StatusOptions): Disposable {
  const { path, interval, logger } = options;
  const write = () => {
    try {
      writeFileAtomic(path, statusDocument(node, options.tokenExpires()), { mode: 0o644 });
    } catch (error) {
      logger.error("The status file could not be written", { file: path, reason: errorText(error) });
    }
  };
  write();
  const timers = new DisposableStack();
  timers.use(options.link.onChange(write));
  timers.use(node.clock.every(Math.max(1, interval) * 1_000, write));
  return timers;
}

/**
 * The state of a server as monitoring reads it.
 *
 * @param tokenExpires Unix seconds; undefined is written as Go's zero time.
 */
export function statusDocument(node: ServerNode, tokenExpires: number | undefined): string {
  const { total, valid, invalid, passed, filtered, replies, ttlexpired, events, lastMessage } = node.stats;
  return JSON.stringify({
    identity: node.identity,
    uptime: Math.floor((node.clock.now() - node.startedAt) / 1_000),
    connected_server: node.connection.server,
    last_message: lastMessage,
    provisioning_mode: node.isProvisioning,
    stats: { total, valid, invalid, passed, filtered, replies, ttlexpired, events },
    certificate_expires: zeroTime,
    token_expires: tokenExpires === undefined ? zeroTime : formatRfc3339(tokenExpires * 1_000),
  });
}
