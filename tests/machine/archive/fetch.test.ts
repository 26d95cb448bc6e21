import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { type FetchOptions, fetchArchive } from "../../../lib/machine/mod.ts";
import { errorText, systemClock } from "../../../lib/std/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";

const folder = temporaryFolder();
let server: Bun.Server<undefined>;
let other: Bun.Server<undefined>;
const seen: Record<string, string | null>[] = [];

/** Sends a byte now and then, and never ends. */
function endless(): Response {
  let timer: Timer;
  return new Response(
    new ReadableStream({
      start(controller) {
        timer = setInterval(() => controller.enqueue(Uint8Array.of(1)), 20);
      },
      cancel: () => clearInterval(timer),
    }),
  );
}

function redirect(location: string): Response {
  return new Response("elsewhere", { status: 302, headers: { location } });
}

beforeAll(() => {
  const note = ({ headers, url }: Request) =>
    seen.push({ path: new URL(url).pathname, auth: headers.get("authorization"), agent: headers.get("user-agent") });
  other = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      note(request);
      return new Response("other");
    },
  });
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 30,
    fetch(request) {
      note(request);
      const { pathname } = new URL(request.url);
      switch (pathname) {
        case "/a.tgz":
          return new Response("hello");
        case "/endless":
          return endless();
        case "/silent":
          return new Promise<Response>(() => undefined);
        case "/file":
          return redirect("file:///etc/passwd");
        case "/loop":
          return redirect("/loop");
        case "/moved":
          return redirect("/a.tgz");
        case "/other":
          return redirect(`http://127.0.0.1:${other.port}/a.tgz`);
        case "/encoded":
          return new Response(gzipSync("hello"), { headers: { "content-encoding": "gzip" } });
        case "/large":
          return new Response("x".repeat(2_000));
        case "/lost":
          return new Response("gone", { status: 307 });
        default:
          return new Response("no", { status: 404 });
      }
    },
  });
});

afterAll(async () => {
  await Promise.all([server.stop(true), other.stop(true)]);
  folder[Symbol.dispose]();
});

beforeEach(() => {
  rmSync(folder.file("a.tgz"), { force: true });
  seen.length = 0;
});

const get = (path: string, more: Partial<FetchOptions> = {}) =>
  fetchArchive({
    source: `http://127.0.0.1:${server.port}${path}`,
    path: folder.file("a.tgz"),
    timeout: 5_000,
    maxBytes: 1_000,
    clock: systemClock,
    ...more,
  });

const refusal = (path: string, more: Partial<FetchOptions> = {}) => get(path, more).then(String, errorText);

describe("fetchArchive()", () => {
  test("gives the digest of what it wrote, and says who it is", async () => {
    const digest = await get("/a.tgz");
    expect(digest).toBe(new Bun.CryptoHasher("sha256").update("hello").digest("hex"));
    expect(readFileSync(folder.file("a.tgz"), "utf8")).toBe("hello");
    expect(seen[0]).toMatchObject({ auth: null, agent: expect.stringMatching(/^Choria Archive Watcher \S+$/) });
  });

  test("takes an archive as it is, whatever a web server calls it", async () => {
    await get("/encoded");
    expect(gunzipSync(readFileSync(folder.file("a.tgz"))).toString()).toBe("hello");
  });

  const basic = `Basic ${btoa("bob:s3cret")}`;

  test("shows user and password to the host that they are for, and to no other", async () => {
    const login = { username: "bob", password: "s3cret" };
    await get("/moved", login);
    rmSync(folder.file("a.tgz"));
    await get("/other", login);
    expect(seen.map(({ path, auth }) => [path, auth])).toEqual([
      ["/moved", basic],
      ["/a.tgz", basic],
      ["/other", basic],
      ["/a.tgz", null],
    ]);
  });

  test("takes user and password from a source, and tells nobody of them", async () => {
    const source = `http://bob:s3cret@127.0.0.1:${server.port}/nothing`;
    const reason = await refusal("", { source });
    expect(seen[0]?.auth).toBe(basic);
    expect(reason).toBe(
      `Cannot fetch the archive http://127.0.0.1:${server.port}/nothing: the web server answered 404`,
    );
  });

  test.each([
    ["/file", "is said to be at file:"],
    ["/loop", "more than 5 times"],
    ["/large", "more than 1000 bytes"],
    ["/lost", "answered 307"],
  ])("%s is refused", async (path, reason) => {
    expect(await refusal(path)).toContain(reason);
  });

  test.each(["/endless", "/silent"])("%s ends with the time for it", async (path) => {
    expect(await refusal(path, { timeout: 150 })).toContain("it took longer than 0.15 s");
  });

  test("/endless ends when it is called off", async () => {
    const reason = AbortSignal.timeout(50);
    expect(await refusal("/endless", { signal: reason })).toContain("Cannot fetch the archive");
  });

  test.each(["file:///etc/passwd", "ftp://x/a", "data:text/plain,x", "x", "", "http://", "obj://BUCKET/a.tgz"])(
    "%p is no source",
    async (source) => {
      expect(await refusal("", { source })).toContain("Cannot fetch the archive");
    },
  );

  test("never writes over what is there", async () => {
    await get("/a.tgz");
    expect(await refusal("/moved")).toContain("EEXIST");
  });
});
