import { errorText, type Logger } from "../std/mod.ts";
import { answerDevice, type FindWatcher } from "./devices.ts";

/** Where the switches and metrics of a node's machines are served. */
export interface MachineListenerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /**
   * Address that is listened on.
   * @default every interface
   */
  readonly address?: string;
  readonly find: FindWatcher;
  readonly logger: Logger;
}

/** A running listener. */
export interface MachineListener {
  readonly port: number;
  stop(): Promise<void>;
}

/** Largest body of a request, in bytes. */
const maxBody = 64 * 1024;

/**
 * Serve the switches and metrics of machines over HTTP, to whoever reaches the port.
 *
 * @throws {Error} when the port is taken.
 */
export function startMachineListener(options: MachineListenerOptions): MachineListener {
  const { port, address = "0.0.0.0", find, logger } = options;
  const server = Bun.serve({
    hostname: address,
    port,
    maxRequestBodySize: maxBody,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const answer = await answerDevice({ method: request.method, path: pathname, body: await request.text() }, find);
      return new Response(answer.body, { status: answer.status, headers: { "content-type": answer.contentType } });
    },
    error(error) {
      logger.error("A request for a machine failed", { reason: errorText(error) });
      return new Response("Internal error\n", { status: 500 });
    },
  });
  logger.info("Switches and metrics of machines are served", { address, port: server.port });
  return { port: server.port ?? port, stop: () => server.stop(true) };
}
