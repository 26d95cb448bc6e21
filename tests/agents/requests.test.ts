import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { JsonObject } from "../../agents/kit.ts";
import { requests } from "../../agents/requests.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { callChecked } from "./support.ts";

const folder = temporaryFolder();
let server: Bun.Server<undefined>;

/** Answers as the server did against which the original was recorded. */
function serve(): Bun.Server<undefined> {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search, origin } = new URL(request.url);
      if (pathname === "/f.txt") return new Response("hello world\n", { headers: { "content-type": "text/plain" } });
      if (pathname === "/zip") {
        return new Response(Bun.gzipSync("packed"), { headers: { "content-encoding": "gzip" } });
      }
      if (pathname === "/x") {
        const seen = Object.fromEntries(["user-agent", "authorization", "x-q"].map((n) => [n, request.headers.get(n)]));
        const text = `${request.method} ${pathname}${search} ${await request.text()} ${JSON.stringify(seen)}`;
        return new Response(text, { status: 201, headers: { "X-A": "1" } });
      }
      if (pathname === "/loop") return Response.redirect(`${origin}/loop`, 302);
      if (pathname === "/away") return Response.redirect(`http://localhost:${server.port}/x`, 302);
      if (pathname === "/again") return Response.redirect("/x", 307);
      if (pathname === "/cookies") {
        return new Response("", {
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
        });
      }
      if (pathname === "/endless") {
        const chunk = new Uint8Array(1 << 20);
        return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
      }
      return new Response("<!DOCTYPE HTML> not found", { status: 404 });
    },
  });
}

beforeAll(() => {
  server = serve();
  writeFileSync(folder.file("f.txt"), "hello world\n");
});
afterAll(async () => {
  await server.stop(true);
  folder[Symbol.dispose]();
});

const url = (path: string) => `http://127.0.0.1:${server.port}${path}`;
const request = (inputs: JsonObject) => callChecked(requests, "request", inputs);
const download = (inputs: JsonObject) => callChecked(requests, "download", inputs);

interface Recorded {
  request: string;
  replies: [{ statuscode: number; statusmsg: string; data: JsonObject }];
}
const recorded = readFileSync(new URL("../fixtures/external/requests_agent.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

describe("the agent answers as the original was recorded to", () => {
  test.each(recorded)("$request", async ({ request: line, replies: [wanted] }) => {
    const [action = "", ...words] = line.split(" ");
    const inputs = Object.fromEntries(
      words.map((word): [string, unknown] => {
        const [key = "", value = ""] = word.split(/=(.*)/s, 2);
        if (["headers", "query"].includes(key)) return [key, JSON.parse(value)];
        if (key === "statuscode") return [key, Number(value)];
        return [key, local(value)];
      }),
    );
    const reply = await callChecked(requests, action, inputs);
    expect(reply.statuscode).toBe(wanted.statuscode as 0);
    // Why a connection or a file could not be had is told in the words of the system at hand.
    const told = wanted.statusmsg.replace(/((?:Request error: Get "[^"]*"|Could not create temporary file): ).*/, "$1");
    expect(reply.statusmsg).toStartWith(told);
    expect(Object.keys(reply.data).sort()).toEqual(Object.keys(wanted.data).sort());
    for (const key of ["bytes", "md5", "statuscode"]) expect(reply.data[key]).toEqual(wanted.data[key]);
    if (wanted.data.body === "hello world\n" || wanted.data.body === "") expect(reply.data.body).toBe(wanted.data.body);
    if (wanted.data.headers === null) expect(reply.data.headers).toBeNull();
  });

  /** Addresses and files of the recording, as this test has them; the folder that is missing stays missing. */
  function local(value: string): string {
    if (value.startsWith("http")) return value.replace("127.0.0.1:40354", `127.0.0.1:${server.port}`);
    return value.replace(/^\/opt\/.*\//, `${folder.path}/`);
  }
});

describe("a request", () => {
  test("sends method, text, parameters, headers and credentials", async () => {
    const { data } = await request({
      url: url("/x?z=0"),
      method: "POST",
      body: "abc",
      query: { a: 1, b: "x y" },
      headers: { "X-Q": "z" },
      username: "u",
      password: "p",
    });
    const seen = { "user-agent": "Choria Requests Agent/0.0.1", authorization: "Basic dTpw", "x-q": "z" };
    expect(data).toMatchObject({
      statuscode: 201,
      body: `POST /x?z=0&a=1&b=x+y abc ${JSON.stringify(seen)}`,
      headers: { "X-A": ["1"], "Content-Length": [expect.any(String)] },
    });
    expect(data.duration).toBeGreaterThan(0);
    expect(data.duration).toBeLessThan(5);
  });

  test("sends a file of the node, unless there is a text", async () => {
    const file = folder.file("f.txt");
    const sent = async (more: object) =>
      (await request({ url: url("/x"), method: "PUT", body_file: file, ...more })).data;
    expect((await sent({})).body).toStartWith("PUT /x hello world\n ");
    expect((await sent({ body: "text" })).body).toStartWith("PUT /x text ");
    expect(await request({ url: url("/x"), method: "PUT", body_file: folder.file("none") })).toMatchObject({
      statuscode: 1,
      statusmsg: expect.stringMatching(/^Request error: Put ".*\/x": /),
    });
  });

  test("unpacks what comes packed and lists every cookie", async () => {
    expect((await request({ url: url("/zip") })).data.body).toBe("packed");
    expect((await request({ url: url("/cookies") })).data.headers).toMatchObject({ "Set-Cookie": ["a=1", "b=2"] });
  });

  test("follows redirects, and takes credentials to no other host", async () => {
    const credentials = { username: "u", password: "p" };
    const again = await request({ url: url("/again"), method: "POST", body: "abc", ...credentials });
    expect(again.data.body).toMatch(/^POST \/x abc .*Basic/);
    const away = await request({ url: url("/away"), method: "POST", body: "abc", ...credentials });
    expect(away.data.body).toMatch(/^GET \/x {2}.*"authorization":null/);
    expect((await request({ url: url("/loop") })).statusmsg).toEndWith("stopped after 10 redirects");
  });

  test("fails where a status was expected that did not come, with what did", async () => {
    expect(await request({ url: url("/nope"), statuscode: 200 })).toMatchObject({
      statuscode: 1,
      statusmsg: "Request failed: code 404",
      data: { statuscode: 404, body: "<!DOCTYPE HTML> not found" },
    });
    expect(await request({ url: url("/nope"), statuscode: 404 })).toMatchObject({ statuscode: 0 });
  });

  test("gives up on a body that no reply could carry", async () => {
    expect(await request({ url: url("/endless") })).toMatchObject({
      statuscode: 1,
      statusmsg: expect.stringContaining("download it instead"),
    });
  });

  test.each(["not an address", "http://", "ftp://example.net/"])("to %s fails", async (address) => {
    expect(await request({ url: address })).toMatchObject({ statuscode: 1, data: { statuscode: 500 } });
  });

  test("without an address says so", async () => {
    expect(await requests.call("request", {})).toEqual({ statuscode: 1, statusmsg: "URL is required", data: {} });
  });
});

describe("a download", () => {
  const md5 = "6f5902ac237024bdd0c176cb93063dc4";

  test("puts the file in its place, with the mode that was asked for", async () => {
    const target = folder.file("private");
    expect(await download({ url: url("/f.txt"), target, md5 })).toEqual({
      statuscode: 0,
      statusmsg: "",
      data: { bytes: 12, md5, statuscode: 200 },
    });
    expect(readFileSync(target, "utf8")).toBe("hello world\n");
    expect(statSync(target).mode & 0o777).toBe(0o600);
    await download({ url: url("/f.txt"), target, target_mode: "0644" });
    expect(statSync(target).mode & 0o777).toBe(0o644);
  });

  test("that is not what was expected leaves the file as it was, and nothing beside it", async () => {
    const target = folder.file("kept");
    writeFileSync(target, "old");
    const before = readdirSync(folder.path);
    for (const inputs of [{ url: url("/f.txt"), md5: "abc" }, { url: url("/nope") }]) {
      expect(await download({ target, ...inputs })).toMatchObject({ statuscode: 1 });
    }
    expect(readFileSync(target, "utf8")).toBe("old");
    expect(readdirSync(folder.path)).toEqual(before);
  });

  test("from nowhere, or onto a folder, fails", async () => {
    const nowhere = `http://127.0.0.1:${await freePort()}/`;
    expect(await download({ url: nowhere, target: folder.file("x") })).toMatchObject({
      statuscode: 1,
      data: { bytes: 0, md5: "", statuscode: 500 },
    });
    expect(await download({ url: url("/f.txt"), target: folder.path })).toMatchObject({
      statuscode: 1,
      statusmsg: expect.stringContaining("Could not save file: "),
    });
  });

  test("without a target says so in the words of the original", async () => {
    expect(await requests.call("download", { url: "http://x" })).toMatchObject({ statusmsg: "Target is require" });
  });
});
