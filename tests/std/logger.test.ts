import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createLogger, isLogLevel, type LogFields, type LoggerOptions, silentLogger } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";

const jwt = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJjYWxsZXJpZCI6InVwPWJvYiJ9.c2lnbmF0dXJl";

function logged(message: string, fields: LogFields, options: LoggerOptions = {}): string {
  using folder = temporaryFolder();
  const destination = folder.file("log");
  createLogger({ destination, ...options }).info(message, fields);
  return readFileSync(destination, "utf8");
}

describe("createLogger()", () => {
  test("writes one JSON object a line to files, in folders that it makes", () => {
    using folder = temporaryFolder();
    const destination = folder.file("deep/er/choria.log");
    const logger = createLogger({ destination });
    logger.info("Started", { identity: "node1", count: 3 });
    logger.warn("Slow");
    const [first, second] = readFileSync(destination, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({ level: "info", msg: "Started", identity: "node1", count: 3 });
    expect(first.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(second).toMatchObject({ level: "warning", msg: "Slow" });
  });

  test("writes text as the original does, fields sorted behind the message", () => {
    const line = logged('It "works"', { zone: "a b", count: 2, agent: "rpcutil" }, { format: "text" });
    expect(line).toMatch(/^time="[^"]+Z" level=info msg="It \\"works\\"" agent=rpcutil count=2 zone="a b"\n$/);
  });

  test("keeps a line a line whatever it is told", () => {
    const line = logged("two\nlines", { reason: "a\nb" }, { format: "text" });
    expect(line.trimEnd().split("\n")).toHaveLength(1);
  });

  test("leaves out what lies below its level", () => {
    using folder = temporaryFolder();
    const destination = folder.file("log");
    const logger = createLogger({ destination, level: "warn" });
    logger.debug("no");
    logger.info("no");
    logger.warn("yes");
    logger.error("yes");
    expect(readFileSync(destination, "utf8")).not.toContain("no");
    expect(readFileSync(destination, "utf8").trim().split("\n")).toHaveLength(2);
  });

  test("takes /dev/stdout for its own output, which may be a socket that cannot be opened", async () => {
    const module = JSON.stringify(join(import.meta.dir, "../../lib/std/mod.ts"));
    const program = `import { createLogger } from ${module}; createLogger({ destination: "/dev/stdout" }).info("Here");`;
    const quoted = [process.execPath, "--eval", program].map((word) => `'${word}'`).join(" ");
    const received = Promise.withResolvers<string>();
    using server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (_socket, data) => received.resolve(data.toString()) },
    });
    await using _child = Bun.spawn(["bash", "-c", `exec ${quoted} >/dev/tcp/127.0.0.1/${server.port}`]);
    expect(JSON.parse(await received.promise)).toMatchObject({ level: "info", msg: "Here" });
  });

  test("appends to a file that is there", () => {
    using folder = temporaryFolder();
    const destination = folder.file("log");
    createLogger({ destination }).info("first");
    createLogger({ destination }).info("second");
    expect(readFileSync(destination, "utf8").trim().split("\n")).toHaveLength(2);
  });

  test("gives a child's fields to each of its lines", () => {
    using folder = temporaryFolder();
    const destination = folder.file("log");
    createLogger({ destination }).child({ component: "broker" }).info("Up", { port: 1 });
    expect(JSON.parse(readFileSync(destination, "utf8"))).toMatchObject({ component: "broker", port: 1, msg: "Up" });
  });

  test("never writes secrets, at whatever depth they slip in", () => {
    const secret = "s3cr3t-value";
    const fields = {
      token: secret,
      Password: secret,
      auth_token: secret,
      request: { jwt: secret, headers: [{ authorization: secret }], data: { seed: secret } },
    };
    for (const format of ["json", "text"] as const) {
      expect(logged("Login", fields, { format })).not.toContain(secret);
      expect(logged("Login", fields, { format })).toContain("*****");
    }
  });

  test("never writes a token, whatever the field is called and even inside a sentence", () => {
    const line = logged(`Refused ${jwt}`, { reason: `bad token ${jwt}!`, list: [jwt], error: new Error(jwt) });
    expect(line).not.toContain("eyJ");
    expect(line).toContain("bad token *****!");
  });

  test("never writes a secret of a child's", () => {
    using folder = temporaryFolder();
    const destination = folder.file("log");
    createLogger({ destination })
      .child({ password: "hidden", peer: { token: "hidden" } })
      .info("Up");
    expect(readFileSync(destination, "utf8")).not.toContain("hidden");
  });

  test("keeps its own keys when a field has their name", () => {
    const line = JSON.parse(logged("Real", { msg: "fake", level: "fake", time: "fake" }));
    expect(line).toMatchObject({ msg: "Real", level: "info", "fields.msg": "fake", "fields.level": "fake" });
  });

  test("takes errors, dates, big numbers and circles", () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const line = JSON.parse(
      logged("Odd", { error: new TypeError("no"), at: new Date(0), big: 2n ** 70n, circle, none: undefined }),
    );
    expect(line).toMatchObject({ error: "no", at: "1970-01-01T00:00:00.000Z", big: "1180591620717411303424" });
  });

  test("has written everything when the process ends at once", async () => {
    const module = JSON.stringify(join(import.meta.dir, "../../lib/std/mod.ts"));
    const program = `import { createLogger } from ${module};
      const logger = createLogger({ destination: "stdout" });
      for (let i = 0; i < 500; i++) logger.info("line", { i });
      process.kill(process.pid, "SIGKILL");`;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe" });
    expect((await new Response(child.stdout).text()).trim().split("\n")).toHaveLength(500);
  });

  test("says nothing when discarded", () => {
    expect(createLogger({ destination: "discard" })).toBe(silentLogger);
  });
});

test("isLogLevel() knows the levels", () => {
  expect(["debug", "info", "warn", "error", "fatal"].every(isLogLevel)).toBe(true);
  expect(isLogLevel("trace")).toBe(false);
});

test.skipIf(process.platform !== "linux")("a log that cannot be written ends nobody and fills no memory", () => {
  const text = createLogger({ destination: "/dev/full", format: "text" });
  const logger = createLogger({ destination: "/dev/full", format: "json" });
  const held = () => {
    Bun.gc(true);
    return process.memoryUsage().heapUsed;
  };
  const before = held();
  for (let at = 0; at < 20_000; at++) logger.info("x".repeat(10_000), { at });
  text.info("still here");
  expect(held() - before).toBeLessThan(50_000_000);
});
