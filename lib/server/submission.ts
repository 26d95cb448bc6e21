import { errorText, type Logger } from "../std/mod.ts";
import type { ServerNode } from "./node.ts";
import type { ServerProfile } from "./profile.ts";

/** What submitting needs beside what the node knows. */
export interface SubmissionOptions {
  profile: Pick<ServerProfile, "ownCredentials">;
  logger: Logger;
}

/**
 * Send on what other programs of this machine leave in the spool.
 *
 * @returns undefined where there is no spool, it cannot be used, or the server's token does not permit it: the broker
 * would refuse every message.
 */
export async function startSubmission(
  node: ServerNode,
  { profile, logger }: SubmissionOptions,
): Promise<AsyncDisposable | undefined> {
  const { config, clock, connection, mainCollective: collective } = node;
  const folder = config.get("plugin.choria.submission.spool");
  const signer = profile.ownCredentials;
  if (folder === "" || signer === undefined) return undefined;
  const { claims } = signer();
  if (claims.purpose !== "choria_server" || !claims.permissions?.submission) {
    logger.warn("Messages are not submitted: the server's token lacks the permission submission", { spool: folder });
    return undefined;
  }
  try {
    const { Spool, startSubmitter } = await import("../submission/mod.ts");
    const spool = new Spool({ folder, maxSize: config.get("plugin.choria.submission.max_spool_size"), clock });
    return startSubmitter({ spool, connection, collective, signer, clock, logger });
  } catch (error) {
    logger.error("Messages are not submitted: the spool cannot be used", { spool: folder, reason: errorText(error) });
    return undefined;
  }
}
