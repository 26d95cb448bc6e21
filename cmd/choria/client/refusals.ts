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
    const { operation, subject } = status.error;
    const verb = operation === "publish" ? "publish" : "subscribe";
    throw new Error(`The broker does not let ${caller} ${verb} to ${subject}`);
  }
  throw new Error("The connection to the network was closed");
}
