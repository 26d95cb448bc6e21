import { connect } from "node:net";
import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";
import { freePort } from "./ports.ts";
import { waitFor } from "./wait.ts";

/** A plain nats-server of a test's own. */
export interface TestNats extends AsyncDisposable {
  port: number;
  /** `127.0.0.1:port`. */
  address: string;
}

/** Where the tests find nats-server. */
export function natsServerPath(): string {
  const cached = join(import.meta.dir, "../../.choria/tools/bin/nats-server");
  const found = process.env.NATS_SERVER ?? Bun.which("nats-server") ?? Bun.which(cached);
  if (!found) throw new Error("nats-server is not installed: run ./setup.sh once, or set NATS_SERVER");
  return found;
}

/**
 * Start a nats-server on a free port of 127.0.0.1 and wait until it takes connections.
 *
 * @param config More lines for its configuration, for example `jetstream { store_dir: "…" }`.
 * @param options.port A port of {@link freePort} that somebody knows already.
 */
export async function startNats(config = "", options: { port?: number } = {}): Promise<TestNats> {
  const folder = temporaryFolder();
  const port = options.port ?? (await freePort());
  const file = folder.file("nats.conf");
  await Bun.write(file, `listen: "127.0.0.1:${port}"\n${config}\n`);
  const child = Bun.spawn([natsServerPath(), "-c", file], { stdout: "ignore", stderr: "ignore" });
  await waitFor("nats-server to listen", () => canConnect(port));
  return {
    port,
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      folder[Symbol.dispose]();
    },
  };
}

/** Whether something takes TCP connections on a port of 127.0.0.1. */
export function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
