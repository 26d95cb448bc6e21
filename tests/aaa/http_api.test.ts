import { describe, expect, test } from "bun:test";
import { type HttpHandler, httpApi, TooBusyError } from "../../lib/aaa/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { RecordingLogger } from "../support/log.ts";
import { post } from "./_vectors.ts";

const logger = silentLogger;
const login = { login: async () => ({ error: "Login failed" }) as const };
const signer = { sign: async () => ({ denied: true }) as const };
const api = httpApi({ login, signer, logger });

async function ask(path: string, init: RequestInit = {}, handler: HttpHandler = api) {
  const response = await handler(new Request(`http://localhost${path}`, init));
  return { status: response.status, allow: response.headers.get("allow"), text: await response.text() };
}

const json = { "Content-Type": "application/json" };

describe("the HTTP API", () => {
  test.each(["/", "/choria/v1", "/choria/v1/nope", "/login", "/choria/v1/login/x", "/constructor"])(
    "has nothing at %s",
    async (path) => {
      const { status, text } = await ask(path, { method: "POST", headers: json, body: "{}" });
      expect([status, text]).toEqual([404, `{"code":404,"message":"path ${path} was not found"}`]);
    },
  );

  test.each(["GET", "PUT", "DELETE", "OPTIONS"])("takes no %s", async (method) => {
    const { status, allow, text } = await ask("/choria/v1/login", { method });
    expect([status, allow]).toEqual([405, "POST"]);
    expect(text).toBe(`{"code":405,"message":"method ${method} is not allowed, but [POST] are"}`);
  });

  test.each(["text/plain", "application/octet-stream", "application/x-www-form-urlencoded"])(
    "takes no body of type %s",
    async (type) => {
      const { status, text } = await ask("/choria/v1/sign", {
        method: "POST",
        headers: { "Content-Type": type },
        body: "{}",
      });
      const message = `unsupported media type \\"${type}\\", only [application/json] are allowed`;
      expect([status, text]).toEqual([415, `{"code":415,"message":"${message}"}`]);
    },
  );

  test("takes a body whose type is not told for one of bytes", async () => {
    const { status, text } = await ask("/choria/v1/sign", { method: "POST", body: Buffer.from("{}") });
    expect(status).toBe(415);
    expect(text).toContain("application/octet-stream");
  });

  test.each(["application/json; charset=utf-8", "Application/JSON"])("takes JSON announced as %s", async (type) => {
    const { status } = await ask("/choria/v1/sign", { method: "POST", headers: { "Content-Type": type }, body: "{}" });
    expect(status).toBe(200);
  });

  test.each(["login", "sign"])("wants a body for %s", async (path) => {
    const { status, text } = await ask(`/choria/v1/${path}`, { method: "POST" });
    expect([status, text]).toEqual([422, '{"code":602,"message":"request in body is required"}']);
  });

  test.each([
    "hello",
    "[]",
    '"x"',
    "5",
    '{"token":',
    '{"token":5}',
    '{"token":{}}',
    '{"request":"!!"}',
    '{"request":"YQ"}',
  ])("does not take %s for a request to sign", async (body) => {
    const { status, text } = await ask("/choria/v1/sign", { method: "POST", headers: json, body });
    expect(status).toBe(400);
    expect(text).toStartWith('{"code":400,"message":"parsing request body from \\"\\" failed, because ');
  });

  test.each(["null", "{}", '{"foreign":[1]}', '{"token":null}'])("takes %s for an empty request", async (body) => {
    const { status, text } = await ask("/choria/v1/sign", { method: "POST", headers: json, body });
    expect([status, text]).toEqual([200, '{"error":"Request denied"}\n']);
  });

  test("does not read a body that is too long", async () => {
    const body = `{"token":"${"x".repeat(5_000_000)}"}`;
    const { status, text } = await ask("/choria/v1/sign", { method: "POST", headers: json, body });
    expect([status, text]).toEqual([413, '{"code":413,"message":"request body is longer than 4194304 bytes"}']);
  });

  test("says what is not configured", async () => {
    const empty = httpApi({ logger });
    for (const [path, operation] of [
      ["login", "PostLogin"],
      ["sign", "PostSign"],
    ]) {
      const response = await empty(post(path ?? "", {}));
      expect(response.status).toBe(501);
      expect(await response.text()).toBe(`"operation ${operation} has not yet been implemented"\n`);
    }
  });

  test("asks callers to come back when too many wait", async () => {
    const busy = httpApi({
      logger,
      login: { login: () => Promise.reject(new TooBusyError("too many logins are waiting")) },
    });
    const response = await busy(post("login", {}));
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await response.json()).toEqual({ code: 503, message: "too many logins are waiting" });
  });

  test("tells nobody but the log what went wrong inside", async () => {
    const recording = new RecordingLogger();
    const broken = httpApi({
      logger: recording,
      login: { login: () => Promise.reject(new Error("the secret is 42")) },
    });
    const response = await broken(post("login", {}));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("42");
    expect(recording.lines[0]?.fields.reason).toBe("the secret is 42");
  });

  test("appends the reason of a policy, and nothing else, to a refusal", async () => {
    const refusing = httpApi({ logger, signer: { sign: async () => ({ denied: true, reason: "because" }) as const } });
    expect(await (await refusing(post("sign", {}))).text()).toBe('{"error":"Request denied: because"}\n');
  });

  test("describes itself to programs and to people", async () => {
    const description = JSON.parse((await ask("/swagger.json")).text);
    expect(description).toMatchObject({ swagger: "2.0", basePath: "/choria/v1" });
    const captured = ["LoginRequest", "LoginResponse", "SignRequest", "SignResponse"];
    expect(Object.keys(description.definitions)).toEqual(captured);
    expect(Object.keys(description.paths)).toEqual(["/login", "/sign"]);
    const page = await ask("/choria/v1/docs");
    expect(page.status).toBe(200);
    expect(page.text).toContain("/swagger.json");
  });
});
