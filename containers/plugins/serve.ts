/**
 * Serves the files of one folder, from which servers fetch their plugins: `serve.ts FOLDER PORT [ADDRESS]`.
 *
 * What is not a file there, hidden or not, is not found; nothing is listed.
 */
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

const [folder = "/srv/plugins", port = "80", hostname = "0.0.0.0"] = process.argv.slice(2);
const root = await realpath(folder).catch((error) => {
  console.error(`Cannot serve the folder "${folder}": ${error instanceof Error ? error.message : error}`);
  process.exit(1);
});

async function find(path: string): Promise<Response> {
  try {
    const name = decodeURIComponent(path);
    const file = await realpath(join(root, name.endsWith("/") ? `${name}index.html` : name));
    const isInside = file.startsWith(root + sep);
    if (isInside && (await stat(file)).isFile()) return new Response(Bun.file(file));
  } catch {
    // Not there, or not ours to read.
  }
  return new Response("Not found\n", { status: 404 });
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const isRead = request.method === "GET" || request.method === "HEAD";
  const response = isRead ? await find(pathname) : new Response("Only GET\n", { status: 405 });
  console.log(`${new Date().toISOString()} ${request.method} ${JSON.stringify(pathname)} ${response.status}`);
  return response;
}

const server = Bun.serve({ port: Number(port), hostname, fetch: answer });
console.log(`Serving ${root} on port ${server.port}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void server.stop(true));
