import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { type DdlAction, encodeDdl } from "../../../lib/ddl/mod.ts";
import { writeFileAtomic } from "../../../lib/std/mod.ts";

interface AgentFlags {
  description: string;
  author: string;
  license: string;
  url: string;
  timeout: string;
  service?: true;
  force?: true;
}

const examples = `
Example:
  choria plugin generate agent dice
  bun test dice
  cp -r dice /etc/choria/plugins/mcollective/agent/

That writes a folder with an agent that works, its DDL, a test of it and the kit that it is written with. Change the
agent, write its DDL anew with "dice/dice.ts --ddl > dice/dice.json", and put the folder where the server looks, that is
in mcollective/agent of a folder of plugin.choria.agent_provider.mcorpc.libdir.`;

/** `choria plugin generate agent`: an agent to start from. */
export function command(): Command {
  return new Command("agent")
    .description("Write an external agent in TypeScript, with its DDL and a test, to start from.")
    .argument("<name>", "the agent's name: lower-case letters, digits and underscores")
    .argument("[folder]", "folder that is written to, made where it is missing; named like the agent by default")
    .option("--description <text>", "what the agent does", "Greets those who call")
    .option("--author <name>", "who wrote it, with an address", "Somebody <somebody@example.net>")
    .option("--license <name>", "its license", "Apache-2.0")
    .option("--url <url>", "where more is told about it", "https://example.net")
    .option("--timeout <seconds>", "longest run of an action", "10")
    .option("--service", "one host of the network answers instead of all")
    .option("-f, --force", "replace files that are there")
    .addHelpText("after", examples)
    .action((name: string, folder: string | undefined, flags: AgentFlags) => writeAgent(name, folder ?? name, flags));
}

/** Names that servers and the kit do not leave to agents. */
const taken: ReadonlySet<string> = new Set(["kit", "tmp"]);

async function writeAgent(name: string, folder: string, flags: AgentFlags): Promise<void> {
  await checkName(name);
  const metadata = about(name, flags);
  const files: [string, string][] = [
    [`${name}.ts`, agentSource(metadata)],
    [`${name}.json`, ddlSource(metadata)],
    [`${name}.test.ts`, testSource(name)],
    ["kit.ts", await kitSource()],
  ];
  const present = files.map(([file]) => join(folder, file)).find(existsSync);
  if (present !== undefined && !flags.force) {
    throw new Error(`Cannot write ${present}: it is there already; replace it with --force`);
  }
  for (const [file, text] of files) {
    const path = join(folder, file);
    writeFileAtomic(path, text, { makeFolders: true });
    process.stdout.write(`Writing ${path}\n`);
  }
  chmodSync(join(folder, `${name}.ts`), 0o755);
}

async function checkName(name: string): Promise<void> {
  const { refusedNames } = await import("../../../lib/external/mod.ts");
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new Error(`Cannot name an agent "${name}": expected lower-case letters, digits and underscores`);
  }
  if (refusedNames.has(name) || taken.has(name)) throw new Error(`Cannot name an agent "${name}": the name is taken`);
}

interface About {
  name: string;
  description: string;
  author: string;
  license: string;
  version: string;
  url: string;
  timeout: number;
  service?: true;
}

function about(name: string, { description, author, license, url, timeout, service }: AgentFlags): About {
  const seconds = Number(timeout);
  if (!Number.isInteger(seconds) || seconds < 2) {
    throw new Error(`Cannot use the timeout "${timeout}": expected whole seconds, at least 2`);
  }
  const basics = { name, description, author, license, version: "0.1.0", url, timeout: seconds };
  return service ? { ...basics, service } : basics;
}

/** The text of the kit, which a compiled command line carries along. */
async function kitSource(): Promise<string> {
  const file: Record<string, unknown> = await import("../../../agents/kit.ts", { with: { type: "text" } });
  return String(file.default);
}

/** What the agent as written prints with `--ddl`; the code of its action stands in {@link agentSource}. */
function ddlSource(metadata: About): string {
  const { inputs, outputs, description } = greeting;
  const greet: DdlAction = {
    name: "greet",
    description,
    display: "always",
    input: inputs,
    output: outputs,
    aggregate: [],
  };
  const text = encodeDdl({ metadata: { ...metadata, provider: "external" }, actions: [greet] });
  return `${JSON.stringify(JSON.parse(text), null, 2)}\n`;
}

const greeting = {
  description: "Greet somebody",
  inputs: {
    who: {
      prompt: "Who",
      description: "Whom to greet",
      type: "string",
      optional: true,
      default: "world",
      validation: "^[A-Za-z ]+$",
      maxlength: 50,
    },
  },
  outputs: {
    greeting: { description: "What was said", display_as: "Greeting", type: "string" },
  },
} as const;

function agentSource(metadata: About): string {
  const lines = Object.entries(metadata).map(([key, value]) => `  ${key}: ${literal(value)},`);
  return `#!/usr/bin/env -S bun --config=/dev/null --no-env-file
import { action, defineAgent } from "./kit.ts";

export const agent = defineAgent({
${lines.join("\n")}
  actions: {
    greet: action({
      description: ${JSON.stringify(greeting.description)},
      display: "always",
      inputs: ${indent(greeting.inputs)},
      outputs: ${indent(greeting.outputs)},
      run: ({ who }, { call }) => ({ greeting: \`Hello \${who}, says \${call.callerid || "nobody"}\` }),
    }),
  },
});

if (import.meta.main) await agent.serve();
`;
}

/** A value in the form that formatters leave alone. */
function literal(value: string | number | boolean): string {
  const text = JSON.stringify(value);
  return text.includes('\\"') && !text.includes("'") ? `'${text.slice(1, -1).replaceAll('\\"', '"')}'` : text;
}

function indent(value: object): string {
  return JSON.stringify(value, null, 2)
    .replace(/"([a-z_]+)":/g, "$1:")
    .replace(/([^{[,])\n/g, "$1,\n")
    .replaceAll("\n", "\n      ");
}

function testSource(name: string): string {
  return `import { expect, test } from "bun:test";
import { agent } from "./${name}.ts";

test("greets whom it is told to greet", async () => {
  expect(await agent.call("greet", { who: "Ann" }, { call: { callerid: "up=bob" } })).toEqual({
    statuscode: 0,
    statusmsg: "",
    data: { greeting: "Hello Ann, says up=bob" },
  });
});

test("greets the world by default", async () => {
  const { data } = await agent.call("greet");
  expect(data.greeting).toStartWith("Hello world");
});

test("has the DDL beside it that it generates", async () => {
  const ddl = await Bun.file(new URL("${name}.json", import.meta.url)).json();
  expect(ddl).toEqual(JSON.parse(agent.ddl()));
});
`;
}
