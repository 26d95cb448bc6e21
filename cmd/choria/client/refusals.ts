import { PermissionViolationError } from "@nats-io/nats-core";
import type { Connection } from "../../../lib/connector/mod.ts";

/**
 * Rejects when the broker lets a connection neither send to nor receive from a subject; never resolves.
 *
 * @param caller Named in the error.
 */
export async function refusals({ nats }: Pick<Connection, "nats">, caller: string): Promise<never> {
  for await (const status of nats.status()) {
    if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue;
    throw new Error(refusalText(status.error, caller), { cause: status.error });
  }
  throw new Error("The connection to the network was closed");
}

/** What the broker does not let somebody do, with the subject that a token would have to allow. */
export function refusalText({ operation, subject }: PermissionViolationError, caller: string): string {
  const verb = operation === "publish" ? "publish" : "subscribe";
  return `The broker does not let ${caller} ${verb} to ${subject}`;
}
