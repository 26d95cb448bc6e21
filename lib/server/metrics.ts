import type { Registry } from "prom-client";
import type { HostStats } from "../rpc/mod.ts";
import type { ServerNode } from "./node.ts";

const readings: readonly (readonly [name: string, help: string, key: keyof HostStats])[] = [
  ["total", "Messages that came in", "total"],
  ["validated", "Messages that were handed to an agent", "valid"],
  ["unvalidated", "Messages that were malformed or not believed", "invalid"],
  ["passed", "Messages whose filter matched", "passed"],
  ["filtered", "Messages that were meant for other nodes", "filtered"],
  ["replies", "Replies sent", "replies"],
  ["ttlexpired", "Messages outside their validity", "ttlexpired"],
  ["events", "Lifecycle events published", "events"],
  ["replayed", "Messages that were seen before", "replayed"],
  ["dropped", "Messages not looked at, as too many were being worked on", "dropped"],
];

/** The server's counters as `choria_server_*`, each labelled with the identity, and the process's own. */
export async function serverMetrics(node: ServerNode): Promise<Registry> {
  const { Counter, collectDefaultMetrics, Registry } = await import("prom-client");
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const [name, help, key] of readings) {
    new Counter({
      name: `choria_server_${name}`,
      help,
      labelNames: ["identity"],
      registers: [registry],
      collect() {
        this.reset();
        this.inc({ identity: node.identity }, node.stats[key]);
      },
    });
  }
  return registry;
}
