import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { systemClock } from "../../lib/std/mod.ts";
import { Spool, type SpooledMessage } from "../../lib/submission/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { run } from "./support.ts";

/** A folder with a server's configuration, and the command line on it. */
function workshop(settings = "plugin.choria.submission.max_spool_size = 2\n") {
  const folder = temporaryFolder();
  const config = folder.file("server.conf");
  const spoolFolder = folder.file("spool");
  writeFileSync(config, `identity = n1.example.net\nplugin.choria.submission.spool = ${spoolFolder}\n${settings}`);
  const program = `import { Command } from "commander"; import { command } from "${import.meta.dir}/../../cmd/choria/tool/submit.ts";
    await new Command("choria").addCommand(new Command("tool").addCommand(command())).parseAsync(["tool", "submit", ...process.argv.slice(1)], { from: "user" })
      .catch((error) => { console.error(error.message); process.exit(1); });`;
  return {
    folder,
    submit: (args: string[], input = "") => run([process.execPath, "-e", program, "--", ...args], { input }),
    config,
    messages(priority = 4): SpooledMessage[] {
      const spool = new Spool({ folder: spoolFolder, maxSize: 10, clock: systemClock });
      return spool.names(priority).flatMap((name) => spool.read(priority, name)?.message ?? []);
    },
  };
}

describe("choria tool submit", () => {
  test("leaves what stands on standard input, written as the guide writes it, and prints the id", async () => {
    const { folder, submit, config, messages } = workshop();
    using _folder = folder;
    const { out, code, err } = await submit(["--config", config, "--reliable", "hello.world", "--", "-"], "Hello\n");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [message] = messages();
    expect(out).toBe(`${message?.id}\n`);
    expect(message).toMatchObject({
      subject: "hello.world",
      reliable: true,
      priority: 4,
      ttl: 86_400,
      maxTries: 100,
      sender: `user ${process.geteuid?.()}`,
      identity: "n1.example.net",
      sign: false,
      headers: {},
    });
    expect(Buffer.from(message?.payload ?? []).toString()).toBe("Hello\n");
  });

  test("takes a file, and every flag", async () => {
    const { folder, submit, config, messages } = workshop();
    using _folder = folder;
    const flags = "--priority 1 --ttl 1h --tries 3 --sender cron --sign -H kind=report --header a=b=c".split(" ");
    const { code } = await submit(["--config", config, ...flags, "daily", config]);
    expect(code).toBe(0);
    expect(messages(1)).toMatchObject([
      { ttl: 3_600, maxTries: 3, sender: "cron", sign: true, headers: { kind: "report", a: "b=c" } },
    ]);
  });

  test("takes - without a -- before it", async () => {
    const { folder, submit, config, messages } = workshop();
    using _folder = folder;
    expect((await submit(["--config", config, "a", "-"], "x")).code).toBe(0);
    expect(messages()).toHaveLength(1);
  });

  test.each<[string, string[], string, string]>([
    ["a file that is not there", ["a", "/nonexistent/x"], "", "payload /nonexistent/x does not exist"],
    ["nothing", ["a", "-"], "", "payload is empty"],
    ["a header of Choria's", ["-H", "Choria-Token=x", "a", "-"], "x", "headers may not start with 'choria' or 'nats'"],
    ["what is wanted for too long", ["--ttl", "60d", "a", "-"], "x", "ttl exceeds maximum 744h0m0s"],
  ])("refuses %s", async (_what, args, input, text) => {
    const { folder, submit, config, messages } = workshop();
    using _folder = folder;
    const { code, err } = await submit(["--config", config, ...args], input);
    expect({ code, err: err.trim() }).toEqual({ code: 1, err: text });
    expect(messages()).toEqual([]);
  });

  test("says that the spool is full, and that there is none", async () => {
    const { folder, submit, config } = workshop();
    using _folder = folder;
    for (let i = 0; i < 3; i++) expect((await submit(["--config", config, "a", "-"], "x")).code).toBe(0);
    expect((await submit(["--config", config, "a", "-"], "x")).err.trim()).toBe("spool is full");
    writeFileSync(config, "identity = n1\n");
    const { err } = await submit(["--config", config, "a", "-"], "x");
    expect(err.trim()).toBe(`Cannot submit a message: plugin.choria.submission.spool is not set in ${config}`);
  });
});
