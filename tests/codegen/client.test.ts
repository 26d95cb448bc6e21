import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { generateClient } from "../../lib/codegen/mod.ts";
import { type AgentDdl, builtinDdls, encodeDdl, parseDdl } from "../../lib/ddl/mod.ts";
import { rpcAgent } from "../../lib/rpc/mod.ts";
import { silentLogger } from "../../lib/std/mod.ts";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { checkout, run, writeClientConfig } from "../cmd/support.ts";
import { temporaryFolder } from "../support/folder.ts";

const requestsText = readFileSync(`${checkout}/tests/fixtures/ddl/requests.json`, "utf8");
const requests = parseDdl(requestsText, "requests.json");

/** Whatever somebody may write into a DDL. */
const odd: AgentDdl = {
  metadata: {
    name: "3_odd",
    description: `Ends a comment */ and has "double", 'single' and \`back\` quotes, and \\ slashes, ${"words ".repeat(40)}`,
    author: 'it\'s "me"',
    license: "",
    version: "",
    url: "",
    timeout: 1.5,
    service: true,
  },
  actions: [
    {
      name: "with",
      description: "",
      display: "ok",
      input: {
        "with-dash": {
          prompt: "A\nB",
          description: "Line\nof\nlines",
          type: "hash",
          optional: true,
          default: { a: [1, 2] },
        },
        class: {
          prompt: "",
          description: "x".repeat(200),
          type: "list",
          optional: false,
          list: Array.from({ length: 30 }, (_, i) => `choice number ${i}`),
        },
        n10: { prompt: "", description: "", type: "float", optional: false },
        n9: {
          prompt: "",
          description: "",
          type: "array",
          optional: true,
          default: [
            [1, 2],
            ["a", "b"],
          ],
        },
      },
      output: {
        "a b": { description: "", display_as: "", type: "boolean", default: false },
        any: { description: "", display_as: "Any" },
      },
      aggregate: [{ function: "summary", output: "any", options: { format: "%s: %d", true: "yes" } }],
    },
    { name: "constructor", description: "Takes nothing", display: "failed", input: {}, output: {}, aggregate: [] },
    {
      name: "a_rather_long_name_of_an_action_that_somebody_thought_of_while_away_10",
      description: "",
      display: "failed",
      input: { text: { prompt: "", description: "", type: "string", optional: true, validation: "*/", maxlength: 1 } },
      output: {},
      aggregate: [],
    },
    {
      name: "a_rather_long_name_of_an_action_that_somebody_thought_of_while_away_9",
      description: "",
      display: "failed",
      input: {},
      output: {},
      aggregate: [],
    },
  ],
};

const folder = temporaryFolder();
const program = `import { connectFleet, loadConfig } from "choria";
import { RequestsClient } from "./requests/mod.ts";

await using fleet = await connectFleet(loadConfig(Bun.argv[2] ?? "", { kind: "client" }));
const client = new RequestsClient(fleet, { batch: 2, batchSleep: 1 }).with({ filter: { identities: ["/n[123]/"] } });
const request = client.request({ url: "http://localhost/", method: "PUT" });
for await (const reply of request) {
  console.log(reply.sender, reply.ok ? (reply.data.statuscode ?? 0) + 1 : reply.statusmsg);
}
console.log(request.stats.ok, JSON.stringify(request.summaries.statuscode), (await client.discover()).length);
`;

const renderer = `import { connectFleet, loadConfig, type RenderFormat } from "choria";
import { RequestsClient } from "./requests/mod.ts";

const formats = ["text", "table", "json", "senders", "footer"] as const satisfies readonly RenderFormat[];
await using fleet = await connectFleet(loadConfig(Bun.argv[2] ?? "", { kind: "client" }));
const client = new RequestsClient(fleet, { nodes: ["n1.example.net", "n3.example.net"] });
for (const format of formats) {
  console.log("==", format);
  const request = client.request({ url: "http://localhost/" });
  const stats = await request.render(process.stdout, { format, display: "all", sort: true });
  if (stats.ok !== 1 || stats.failed !== 1) throw new Error("the figures differ");
}
`;

function write(path: string, text: string): void {
  mkdirSync(join(folder.path, path, ".."), { recursive: true });
  writeFileSync(join(folder.path, path), text);
}

function generate(ddl: AgentDdl, name = ddl.metadata.name): void {
  for (const file of generateClient(ddl)) write(`${name}/${file.name}`, file.text);
}

beforeAll(() => {
  for (const ddl of [requests, odd, ...builtinDdls]) generate(ddl);
  write("program.ts", program);
  write("renderer.ts", renderer);
  const page = readFileSync(`${checkout}/docs/command-line.md`, "utf8");
  write("page.ts", /^```ts\n(.+?)^```$/ms.exec(page)?.[1] ?? "export const none: never = 0;");
  const { compilerOptions } = JSON.parse(readFileSync(`${checkout}/tsconfig.json`, "utf8"));
  const paths = { choria: [`${checkout}/mod.ts`] };
  const typeRoots = [`${checkout}/node_modules/@types`];
  const options = { ...compilerOptions, paths, typeRoots };
  write("tsconfig.json", JSON.stringify({ compilerOptions: options, include: ["**/*.ts"] }));
  const { files: _files, vcs: _vcs, ...biome } = JSON.parse(readFileSync(`${checkout}/biome.json`, "utf8"));
  write("biome.json", JSON.stringify({ ...biome, $schema: undefined, files: { includes: ["**/*.ts"] } }));
});

afterAll(() => folder[Symbol.dispose]());

const folderNames = [requests, odd, ...builtinDdls].map(({ metadata }) => metadata.name);

const inFolder = (...command: string[]) =>
  run(["sh", "-c", 'cd "$1"; shift; exec "$@"', "sh", folder.path, ...command]);

describe("a generated client", () => {
  test("consists of these files", () => {
    expect(generateClient(requests).map(({ name }) => name)).toEqual([
      "action_download.ts",
      "action_request.ts",
      "ddl.json",
      "client.ts",
      "ddl.ts",
      "mod.ts",
    ]);
    const text = (name: string) => readFileSync(folder.file(`requests/${name}`), "utf8");
    expect(JSON.parse(text("ddl.json"))).toEqual(JSON.parse(requestsText));
    for (const name of ["action_request.ts", "client.ts", "mod.ts"]) expect(text(name)).toMatchSnapshot(name);
  });

  test("compiles under the strictest settings, whatever the DDL holds, and so do programs of the documentation", async () => {
    const { out } = await inFolder(`${checkout}/node_modules/.bin/tsc`, "--noEmit", "-p", ".");
    // The library has a check of its own.
    expect(out.split("\n").filter((line) => /^[^.\s]/.test(line))).toEqual([]);
  }, 60_000);

  test("is formatted and free of lint", async () => {
    const { code, out, err } = await inFolder(
      `${checkout}/node_modules/.bin/biome`,
      "check",
      "--error-on-warnings",
      ...folderNames,
    );
    expect({ code, text: code === 0 ? "" : out + err }).toEqual({ code: 0, text: "" });
  });

  test("has a DDL that is the one it was made from", async () => {
    for (const ddl of [requests, odd]) {
      const module = await import(folder.file(`${ddl.metadata.name}/ddl.ts`));
      expect(module.ddl).toEqual(ddl);
      expect(readFileSync(folder.file(`${ddl.metadata.name}/ddl.json`), "utf8")).toBe(`${encodeDdl(ddl)}\n`);
    }
  });

  test("calls the fleet from a program of ten lines", async () => {
    await using network = await testNetwork(0, { tls: true });
    await addNodes(network);
    const config = await writeClientConfig(network, "client.conf");
    const { code, out, err } = await inFolder(process.execPath, "program.ts", config);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.trimEnd().split("\n");
    expect(lines.slice(0, -1).sort()).toEqual([
      "n1.example.net 201",
      "n2.example.net 201",
      "n3.example.net requests#request failed: refused",
    ]);
    expect(lines.at(-1)).toBe('2 {"200":2} 3');
    const rendered = await inFolder(process.execPath, "renderer.ts", config);
    expect({ code: rendered.code, err: rendered.err }).toEqual({ code: 0, err: "" });
    checkRendered(rendered.out);
  });
});

function checkRendered(out: string): void {
  const [, text = "", table = "", json = "", senders = "", footer = ""] = out.split(/^== \w+\n/m);
  const figures = /\nFinished processing 2 \/ 2 hosts in \d+(\.\d+)?m?s\n$/;
  expect(text).toMatch(/^n1\.example\.net {27}\n\n.*Statuscode: 200\n/s);
  expect(text).toContain(
    "n3.example.net                           Unknown Request Status\n\n    requests#request failed: refused\n",
  );
  expect(text).toMatch(figures);
  expect(table).toMatch(/^╭.*│ Sender +│.*│ n1\.example\.net │.*╯\n\n$/s);
  expect(table).not.toContain("n3.example.net");
  expect(JSON.parse(json)).toMatchObject({
    agent: "requests",
    replies: [
      { sender: "n1.example.net", data: { statuscode: 200 } },
      { sender: "n3.example.net", statuscode: 5 },
    ],
    summaries: { statuscode: { 200: 1 } },
  });
  expect(senders).toBe("n1.example.net\n");
  expect(footer).toMatch(figures);
  expect(footer).not.toContain("n1.example.net");
}

async function addNodes(network: TestNetwork): Promise<void> {
  for (const name of ["n1", "n2", "n3", "n4"]) {
    const agent = rpcAgent(
      requests.metadata,
      {
        request: ({ url, method }) => {
          if (name === "n3") throw new Error("refused");
          return { statuscode: 200, body: `${method} ${url}`, duration: 0.1, headers: {} };
        },
      },
      { logger: silentLogger },
    );
    await network.addNode(`${name}.example.net`, { agents: [agent] });
  }
}

describe("what cannot be generated", () => {
  const named = (...names: string[]): AgentDdl => ({
    ...requests,
    actions: names.map((name) => ({ name, description: "", display: "ok", input: {}, output: {}, aggregate: [] })),
  });

  test("is refused by name", () => {
    expect(() => generateClient(named("../x"))).toThrow(
      'Cannot generate a client: "../x" cannot be the name of an action',
    );
    expect(() => generateClient(named("get_a", "get__a"))).toThrow("get__a and get_a would be one method");
  });

  test("never leads out of the folder", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        try {
          for (const file of generateClient(named(name))) expect(file.name).toMatch(/^[a-z0-9_]+\.(ts|json)$/);
        } catch (error) {
          expect(String(error)).toContain("Cannot generate a client");
        }
      }),
    );
  });
});
