import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ActionError,
  action,
  defineAgent,
  execute,
  hasProgram,
  type InputsOf,
  type OutputsOf,
} from "../../agents/kit.ts";
import { agentFrom, callAgent } from "../external/support.ts";
import { temporaryFolder } from "../support/folder.ts";

const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());

const about = {
  description: "An agent of a test",
  author: "tests",
  license: "Apache-2.0",
  version: "1.0.0",
  url: "https://example.net",
  timeout: 5,
};

const dice = defineAgent({
  name: "dice",
  ...about,
  activate: ({ config }) => config.dice !== "none",
  actions: {
    roll: action({
      description: "Throw a die",
      display: "always",
      inputs: {
        sides: { type: "integer", prompt: "Sides", description: "How many sides", optional: true, default: 6 },
        colour: { type: "list", prompt: "Colour", description: "Which die", list: ["red", "blue"] },
        wish: { type: "string", prompt: "Wish", description: "Said aloud", optional: true, maxlength: 10 },
      },
      outputs: {
        thrown: { type: "string", display_as: "Thrown", description: "What was thrown" },
        lucky: { type: "boolean", display_as: "Lucky", description: "Whether it helped", default: false },
      },
      aggregate: [
        { function: "summary", output: "thrown" },
        { function: "average", output: "thrown", format: "%.1f" },
      ],
      run({ sides, colour, wish }, { call, facts, config }) {
        const size: number = sides + 1;
        const die: "red" | "blue" = colour;
        const text: string | undefined = wish;
        if (text === "cheat") throw new ActionError("No cheating", { statuscode: 4, data: { thrown: "out" } });
        if (text === "crash") throw new Error("rolled off the table");
        return { thrown: [size, die, text, call.callerid, facts.os, config.table].join(" ") };
      },
    }),
    plain: action({ description: "Nothing in, nothing out", run: () => ({}) }),
  },
});

describe("an agent is called without a network", () => {
  test("with its inputs, their defaults and a context", async () => {
    expect(
      await dice.call("roll", { colour: "red" }, { facts: { os: "linux" }, call: { callerid: "up=ann" } }),
    ).toEqual({
      statuscode: 0,
      statusmsg: "",
      data: { thrown: "7 red  up=ann linux " },
    });
    expect((await dice.call("roll", { colour: "blue", sides: 20, wish: "hi" })).data.thrown).toBe("21 blue hi   ");
    expect(await dice.call("plain")).toEqual({ statuscode: 0, statusmsg: "", data: {} });
  });

  test("and fails as it wants to, or as it must", async () => {
    const call = (wish: string) => dice.call("roll", { colour: "red", wish });
    expect(await call("cheat")).toEqual({ statuscode: 4, statusmsg: "No cheating", data: { thrown: "out" } });
    expect(await call("crash")).toEqual({
      statuscode: 5,
      statusmsg: "dice#roll failed: rolled off the table",
      data: {},
    });
    for (const name of ["rol", "toString", ""]) expect((await dice.call(name)).statuscode).toBe(2);
  });

  test("is asked whether it wants to be active", async () => {
    expect(await dice.isActive()).toBe(true);
    expect(await dice.isActive({ config: { dice: "none" } })).toBe(false);
  });

  test("describes itself", () => {
    expect(JSON.parse(dice.ddl())).toEqual({
      $schema: "https://choria.io/schemas/mcorpc/ddl/v1/agent.json",
      metadata: { name: "dice", provider: "external", ...about },
      actions: [
        {
          action: "roll",
          input: {
            sides: { prompt: "Sides", description: "How many sides", type: "integer", optional: true, default: 6 },
            colour: {
              prompt: "Colour",
              description: "Which die",
              type: "list",
              optional: false,
              list: ["red", "blue"],
            },
            wish: { prompt: "Wish", description: "Said aloud", type: "string", optional: true, maxlength: 10 },
          },
          output: {
            thrown: { description: "What was thrown", display_as: "Thrown", type: "string" },
            lucky: { description: "Whether it helped", display_as: "Lucky", type: "boolean", default: false },
          },
          display: "always",
          description: "Throw a die",
          aggregate: [
            { function: "summary", args: ["thrown"] },
            { function: "average", args: ["thrown", { format: "%.1f" }] },
          ],
        },
        { action: "plain", input: {}, output: {}, display: "failed", description: "Nothing in, nothing out" },
      ],
    });
  });
});

test("types of inputs and outputs follow from their declarations", () => {
  type Given = InputsOf<{
    a: { type: "string"; prompt: "A"; description: "A"; maxlength: 1 };
    b: { type: "hash"; prompt: "B"; description: "B"; optional: true };
    c: { type: "array"; prompt: "C"; description: "C"; optional: true; default: [] };
  }>;
  const given: Given = { a: "x", c: [1] };
  const none: Given["b"] = undefined;
  type Taken = OutputsOf<{
    a: { type: "number"; display_as: "A"; description: "A" };
    b: { type: "boolean"; display_as: "B"; description: "B"; default: true };
  }>;
  const taken: Taken = { a: 1 };
  expect([given.a, given.c, none, taken.a]).toEqual(["x", [1], undefined, 1]);
});

describe("an agent is a program", () => {
  const libdir = folder.file("agents");
  const program = join(libdir, "echo.ts");
  const source = `import { action, defineAgent } from "./kit.ts";
const echo = defineAgent({
  name: "echo",
  ...${JSON.stringify(about)},
  activate: ({ facts, config }) => Object.keys(facts).length === 0 && config.colour === "red",
  actions: {
    echo: action({
      description: "Say it again",
      inputs: { word: { type: "string", prompt: "Word", description: "A word", maxlength: 5, optional: true, default: "hey" } },
      outputs: { said: { type: "hash", display_as: "Said", description: "What was said" } },
      run: ({ word }, { call, facts, config, log }) => {
        log.info("to the log");
        setInterval(() => {}, 1_000);
        return { said: { word, call, facts, config } };
      },
    }),
  },
});
if (import.meta.main) await echo.serve();
`;

  test("that needs nothing but the kit beside it", async () => {
    await Bun.write(program, source);
    copyFileSync(join(import.meta.dir, "../../agents/kit.ts"), join(libdir, "kit.ts"));
    const child = Bun.spawn([process.execPath, program, "--ddl"], { stdout: "pipe" });
    writeFileSync(join(libdir, "echo.json"), await child.stdout.text());
    expect(await child.exited).toBe(0);
    await Bun.write(folder.file("plugin.d/echo.cfg"), "# not = this\ncolour = red\nempty\n  size=1 = 2 \n");
    const agent = agentFrom(join(libdir, "echo.json"), { configFile: folder.file("server.conf") });
    expect(await callAgent(agent, "echo", {})).toEqual({
      action: "echo",
      statuscode: 0,
      statusmsg: "",
      data: {
        said: {
          word: "hey",
          call: expect.objectContaining({ agent: "echo", action: "echo", callerid: "rip", msgtime: 1_795_321_606 }),
          facts: { os: "linux" },
          config: { colour: "red", size: "1 = 2" },
        },
      },
    });
  });

  test("that says what it is to people who run it", async () => {
    const child = Bun.spawn([process.execPath, program], { stdout: "pipe", stderr: "pipe" });
    expect(await child.stderr.text()).toBe("This is the agent echo: Choria Server runs it; --ddl prints its DDL\n");
    expect(await child.exited).toBe(1);
  });

  test("that answers whether it wants to be active", async () => {
    for (const [name, text] of [
      ["reply", ""],
      ["facts", ""],
      ["request", '{"agent":"echo"}'],
    ] as const) {
      writeFileSync(folder.file(name), text);
    }
    const ask = async (config: string) => {
      const env = {
        CHORIA_EXTERNAL_REQUEST: folder.file("request"),
        CHORIA_EXTERNAL_REPLY: folder.file("reply"),
        CHORIA_EXTERNAL_FACTS: folder.file("facts"),
        CHORIA_EXTERNAL_PROTOCOL: "io.choria.mcorpc.external.v1.activation_request",
        CHORIA_EXTERNAL_CONFIG: folder.file(config),
      };
      expect(await Bun.spawn([process.execPath, program], { env }).exited).toBe(0);
      return readFileSync(folder.file("reply"), "utf8");
    };
    expect(await ask("plugin.d/echo")).toBe('{"activate":true}');
    expect(await ask("plugin.d/none")).toBe('{"activate":false}');
  });

  test("that takes no settings from the folder that an original server runs it in", async () => {
    writeFileSync(folder.file("bunfig.toml"), 'preload = ["./evil.ts"]\n');
    writeFileSync(folder.file("evil.ts"), `await Bun.write(${JSON.stringify(folder.file("taken"))}, "over");\n`);
    const agent = join(import.meta.dir, "../../agents/service.ts");
    const child = Bun.spawn([agent, "--ddl"], { cwd: folder.path, env: { PATH: process.env.PATH }, stdout: "ignore" });
    expect(await child.exited).toBe(0);
    expect(existsSync(folder.file("taken"))).toBe(false);
  });
});

describe("programs of an agent", () => {
  test("give their output and exit code", async () => {
    const script = 'echo "$WORD $LC_ALL"; echo oops >&2; exit 3';
    expect(await execute(["sh", "-c", script], { WORD: "hi" })).toEqual({
      exitCode: 3,
      stdout: "hi C\n",
      stderr: "oops\n",
    });
    expect((await execute(["sh", "-c", "kill -9 $$"])).exitCode).toBe(137);
  });

  test("that cannot be started are told about", async () => {
    expect(execute(["no-such-program"])).rejects.toThrow("Could not run no-such-program: ");
    expect([hasProgram("sh"), hasProgram("no-such-program")]).toEqual([true, false]);
  });
});
