import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { decodeManifest } from "../../lib/machine/mod.ts";
import type { ServerHandle } from "../../lib/server/mod.ts";
import { type TestNetwork, testNetwork } from "../client/support/network.ts";
import { startTestServer } from "../server/support/server.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";
import { checkout, choria, writeClientConfig } from "./support.ts";

const page = readFileSync(join(checkout, "docs/machines.md"), "utf8");
const folder = temporaryFolder();

/** Code blocks of a language, in their order. */
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => text);

/** The files that the page shows, where it says. */
const files = [...page.matchAll(/^```\w+ file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name = "", text = ""]) => ({
  name,
  text,
}));

const misspelt = `name: misspelt
version: 1.0.0
initial_state: DARK
transitions:
  - {name: light, from: [DARK], destination: LIT}
watchers:
  - name: rest
    fail_transition: lihgt
    type: timer
`;

function write(name: string, text: string): string {
  const path = folder.file(name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The words of a line of the page, as they are typed in the folder that the page assumes. */
function wordsOf(line: string): string[] {
  const words = line.replace(/^choria /, "").split(" ");
  return words.map((word) => (/^(machines\/|lamp\.)/.test(word) ? folder.file(word) : word));
}

const typed = (line: string, options: Parameters<typeof choria>[1] = {}) => choria(wordsOf(line), options);

/** What a command prints, which is interrupted once that is enough. */
async function printed(line: string, env: Record<string, string>, isEnough: (out: string) => boolean): Promise<string> {
  const child = Bun.spawn(["./choria", ...wordsOf(line)], {
    cwd: checkout,
    env: { PATH: process.env.PATH, HOME: "/nonexistent", ...env },
    stdout: "pipe",
  });
  let out = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) out += Buffer.from(chunk).toString();
  })();
  await waitFor("the output", () => isEnough(out));
  child.kill("SIGINT");
  await reading;
  expect(await child.exited).toBe(130);
  return out;
}

beforeAll(() => {
  for (const { name, text } of files) write(name, text);
  write("machines/misspelt/machine.yaml", misspelt);
});

afterAll(() => folder[Symbol.dispose]());

describe("docs/machines.md", () => {
  test("shows a machine in both of its forms", () => {
    expect(files.map(({ name }) => name)).toEqual(["machines/lamp/machine.yaml", "lamp.ts"]);
    expect([blocks("console").length, blocks("sh").length, blocks("text").length]).toEqual([3, 3, 1]);
  });

  for (const session of blocks("console")) {
    const [first = "", ...rest] = session.split(/^\$ /m).filter((part) => part !== "");
    for (const part of [first, ...rest]) {
      const [line = "", ...expected] = part.split("\n");
      test(`prints what it shows for: ${line}`, async () => {
        const { out, err } = await typed(line);
        expect((out + err).replaceAll(`${folder.path}/`, "")).toBe(expected.join("\n"));
        const picture = / --svg (\S+)/.exec(line)?.[1];
        if (picture !== undefined) expect(readFileSync(folder.file(picture), "utf8")).toStartWith("<svg ");
      });
    }
  }

  test("runs a machine in the foreground as it shows", async () => {
    const [line = ""] = blocks("sh");
    const out = await printed(line.trim(), {}, (text) => text.includes("previous: success"));
    const plain = (text: string) =>
      text
        .replace(/\[[\d:]+\]/g, "[TIME]")
        .replace(/ran: [\d.]+s/, "ran: TIME")
        .replace(/from \S+\/machines/, "from machines");
    const shown = plain(blocks("text")[0] ?? "")
      .trim()
      .split("\n");
    expect(plain(out).trim().split("\n").slice(0, shown.length).sort()).toEqual(shown.sort());
  });

  test("compiles the machine that is written in TypeScript into the one that is written in YAML", async () => {
    const [, , line = ""] = blocks("sh");
    const yaml = files[0]?.text ?? "";
    expect(await typed(line.trim())).toEqual({ code: 0, out: "", err: "" });
    const compiled = readFileSync(folder.file("machines/lamp/machine.yaml"), "utf8");
    expect(decodeManifest(compiled).manifest).toEqual(decodeManifest(yaml).manifest);
    const { out } = await choria(["machine", "compile", folder.file("lamp.ts")]);
    expect(out).toBe(compiled);
  });
});

describe("choria machine run", () => {
  test("has machines hear of each other, and gives them facts, data and HTTP", async () => {
    write(
      "one/machine.yaml",
      `name: one
version: 1.0.0
initial_state: OFF
transitions: [{name: "on", from: ["OFF"], destination: "ON"}]
watchers:
  - {name: sw, type: httpswitch, success_transition: "on", properties: {on_when: ["ON"], off_when: ["OFF"]}}
`,
    );
    write(
      "two/machine.yaml",
      `name: two
version: 1.0.0
initial_state: WAIT
transitions: [{name: go, from: [WAIT], destination: GO, subscribe: [{machine_name: one, event: "on"}]}]
watchers:
  - {name: say, type: exec, state_match: [GO], properties: {command: 'touch {{ lookup "facts.place" "?" }}-{{ lookup "data.what" "?" }}'}}
`,
    );
    write("facts.yaml", "place: here\n");
    write("data.json", '{"what":"now"}');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/choria/machine/switch/v1/one/sw`;
    const flags = ["--facts", folder.file("facts.yaml"), "--data", folder.file("data.json"), "--http", String(port)];
    const result = await choria(["machine", "run", folder.file("one"), folder.file("two"), ...flags], {
      onStart: (child) => {
        const press = () => fetch(url, { method: "POST", body: '{"on":true}' }).then(({ ok }) => ok);
        const pressed = waitFor("the switch", () => press().catch(() => false));
        const done = pressed.then(() => waitFor("the file", () => existsSync(folder.file("two/here-now"))));
        void done.catch(() => undefined).finally(() => child.kill("SIGINT"));
      },
    });
    expect(result.out).toContain("one transitioned via event on: OFF => ON");
    expect(result.out).toContain("two transitioned via event go: WAIT => GO");
    expect(JSON.parse(readFileSync(folder.file("two/machine_data.json"), "utf8"))).toEqual({ what: "now" });
    expect(existsSync(folder.file("two/here-now"))).toBeTrue();
  });

  test("says why a machine cannot run", async () => {
    const { code, err } = await choria(["machine", "run", folder.file("machines/misspelt")]);
    expect([code, err]).toEqual([
      1,
      "choria: error: could not load machine.yaml: validation failed: invalid fail_transition lihgt specified in watcher rest (machine.yaml line 8)\n",
    ]);
    const missing = await choria(["machine", "run", folder.file("nowhere")]);
    expect(missing.err).toContain(`cannot read ${folder.file("nowhere/machine.yaml")}`);
  });
});

test("choria machine validate accepts what runs, and finds what does not", async () => {
  for (const machine of ["facts", "check_choria"]) {
    const { code, out } = await choria(["machine", "validate", `machines/${machine}`]);
    expect([code, out]).toEqual([0, `machines/${machine} is has a valid machine.yaml\n`]);
  }
  const { code, err } = await choria(["machine", "validate", folder.file("machines/misspelt")]);
  expect([code, err]).toEqual([1, "choria: error: validation failed\n"]);
});

test("choria machine compile refuses a module that is no machine", async () => {
  const file = write("none.ts", "export default 1;");
  const { code, err } = await choria(["machine", "compile", file]);
  expect([code, err]).toEqual([
    1,
    `choria: error: Cannot compile ${file}: write \`export default defineMachine({ … })\`\n`,
  ]);
});

describe("on a network", () => {
  let network: TestNetwork;
  let server: ServerHandle;
  let config: string;

  beforeAll(async () => {
    network = await testNetwork(0, {
      tls: true,
      permissions: { fleet_management: true, events_viewer: true, org_admin: true },
    });
    const { organization, file } = network;
    server = await startTestServer({ address: network.nats.address, organization, file }, "n1.example.net", {
      "plugin.choria.machine.store": folder.file("store"),
    });
    config = await writeClientConfig(network, "client.conf");
    write("lamp.yaml", (files[0]?.text ?? "").replaceAll(/timer: \ds/g, "timer: 1h"));
    mkdirSync(folder.file("store/.lamp"));
    cpSync(folder.file("lamp.yaml"), folder.file("store/.lamp/machine.yaml"));
    cpSync(folder.file("store/.lamp"), folder.file("store/lamp"), { recursive: true });
    await waitFor("the machine", () => server.node.machines?.find({ name: "lamp" })[0]?.startTime);
  });

  afterAll(async () => {
    await server?.stop();
    await network?.[Symbol.asyncDispose]();
  });

  test("machines are watched, listed and steered as docs/machines.md says", async () => {
    const [watch = "", list = "", steer = ""] = (blocks("sh")[1] ?? "").trim().split("\n");
    const env = { CHORIA_CONFIG: config };
    const listed = await typed(list, { env });
    expect([listed.code, listed.out.includes("lamp 1.0.0")]).toEqual([0, true]);
    const out = await printed(watch, env, (text) => {
      const isDark = server.node.machines?.find({ name: "lamp" })[0]?.state === "DARK";
      server.node.machines?.transition({ name: "lamp" }, isDark ? "light" : "dim");
      return text.includes("DARK => LIT") && text.includes("lamp#shine state: running");
    });
    const seen = out.split("\n");
    expect(seen.some((line) => / lamp transitioned via event light: DARK => LIT$/.test(line))).toBeTrue();
    const shining = /^\[\d\d:\d\d:\d\d\] \S+ timer lamp#shine state: running with 1h0m0s timer$/;
    expect(seen.some((line) => shining.test(line))).toBeTrue();
    if (server.node.machines?.find({ name: "lamp" })[0]?.state === "LIT") {
      server.node.machines.transition({ name: "lamp" }, "dim");
    }
    expect((await typed(steer, { env })).code).toBe(0);
    expect(server.node.machines?.find({ name: "lamp" })[0]?.state).toBe("LIT");
  });
});
