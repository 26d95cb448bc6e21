/**
 * Serve metrics at `/metrics`.
 *
 * @param text Gives everything there is to tell, in the text format of Prometheus.
 * @param port 0 for any free one.
 * @returns the port that it listens on; disposing of it ends it.
 * @throws the system's error when the port is taken.
 */
export function serveMetrics(
  text: () => Promise<string>,
  port: number,
  hostname: string,
): { port: number } & Disposable {
  const server = Bun.serve({
    port,
    hostname,
    routes: {
      "/metrics": async () =>
        new Response(await text(), { headers: { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" } }),
    },
    fetch: () => new Response("Not found\n", { status: 404 }),
  });
  return { port: server.port ?? port, [Symbol.dispose]: () => void server.stop(true) };
}
