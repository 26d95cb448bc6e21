import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Layout, prepareNetwork } from "../../lib/setup/mod.ts";
import { systemClock } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";

const checkout = resolve(import.meta.dir, "../..");
const folder = temporaryFolder();
const layout = new Layout(folder.file("state"));
const node = folder.file("node");

// No broker runs: whoever gets past its credentials goes on until it is killed, and so fails the test.
const patience = 10_000;

beforeAll(async () => {
  const names = ["broker", "stats", "aaa", "aaaMonitor", "provisionerMonitor", "replicatorMonitor"];
  const ports = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()] as const)));
  await prepareNetwork({ layout, checkout, clock: systemClock, say: () => undefined }, ports);
  mkdirSync(layout.log("").replace(/[^/]*$/, ""), { recursive: true });
  mkdirSync(node);
  copyFileSync(layout.credential("server", "provisioning.jwt"), join(node, "provisioning.jwt"));
  const owners = [
    ["client", "stream-replicator", "choria"],
    ["server", "aaasvc", "signer-service"],
  ] as const;
  for (const [name, owner, credential] of owners) {
    for (const ending of ["jwt", "seed"]) {
      copyFileSync(layout.credential(owner, `${credential}.${ending}`), folder.file(`${name}.${ending}`));
    }
    writeFileSync(
      folder.file(`${name}.conf`),
      `plugin.security.provider = choria
plugin.choria.middleware_hosts = 127.0.0.1:1
plugin.security.issuer.names = choria
plugin.security.issuer.choria.public = ${"0".repeat(64)}
plugin.security.choria.token_file = ${folder.file(`${name}.jwt`)}
plugin.security.choria.seed_file = ${folder.file(`${name}.seed`)}
`,
    );
  }
});

afterAll(() => folder[Symbol.dispose]());

interface Outcome {
  code: number | null;
  text: string;
}

async function run(command: readonly string[]): Promise<Outcome> {
  const [program = "", ...args] = command;
  const child = Bun.spawn([process.execPath, "run", join(checkout, program), ...args], {
    env: { PATH: process.env.PATH, HOME: folder.path, CHORIA_IDENTITY: "n1.example.net" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: patience,
    killSignal: "SIGKILL",
  });
  const texts = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  return { code: child.exitCode, text: texts.join("") };
}

const replicator = ["cmd/replicator.ts", "replicate", "--config", layout.config("stream-replicator", "sr.yaml")];
const provisioner = [
  "cmd/provisioner.ts",
  "--config",
  layout.config("provisioner", "provisioner.yaml"),
  "--choria-config",
  layout.config("provisioner", "choria.cfg"),
];
const broker = ["cmd/broker.ts", "--config", layout.config("broker", "broker.conf")];
const aaa = ["cmd/aaa.ts", "run", "--config", layout.config("aaa", "aaa.conf")];
const client = (...args: string[]) => ["cmd/choria.ts", ...args, "--config", folder.file("client.conf")];

/** A role, the files that it cannot start without, and how it is started. */
const roles: [role: string, files: string[], command: string[]][] = [
  ["the broker", ["public.crt", "private.key"].map((name) => layout.credential("broker", name)), broker],
  [
    "the AAA service",
    [
      "request-signer.seed",
      "request-signer.jwt",
      "chain-signer.seed",
      "chain-signer.jwt",
      "chain-signer.public",
      "signer-service.seed",
      "signer-service.jwt",
      "public.crt",
      "private.key",
    ].map((name) => layout.credential("aaasvc", name)),
    aaa,
  ],
  ["the provisioner", ["signer.seed", "signer.jwt"].map((name) => layout.credential("provisioner", name)), provisioner],
  [
    "the replicator",
    ["choria.seed", "choria.jwt"].map((name) => layout.credential("stream-replicator", name)),
    replicator,
  ],
  [
    "a server to be provisioned",
    [join(node, "provisioning.jwt")],
    ["cmd/server.ts", "--config", join(node, "server.conf")],
  ],
  [
    "a server that nobody provisions",
    [folder.file("server.seed"), folder.file("server.jwt")],
    ["cmd/server.ts", "--config", folder.file("server.conf")],
  ],
  ["choria ping", [folder.file("client.seed"), folder.file("client.jwt")], client("ping")],
  ["choria req", [folder.file("client.seed"), folder.file("client.jwt")], client("req", "rpcutil", "ping")],
];

const cases = roles.flatMap(([role, files, command]) =>
  files.map((file) => [role, file.split("/").at(-1) ?? "", file, command] as const),
);

const damages: [kind: string, damage: (file: string) => void][] = [
  ["is missing", (file) => rmSync(file)],
  ["is empty", (file) => writeFileSync(file, "")],
  ["is garbage", (file) => writeFileSync(file, "garbage\n")],
  ["is cut short", (file) => writeFileSync(file, readFileSync(file, "utf8").slice(0, 40))],
  [
    "is a folder, as Docker makes of what is not there",
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  ],
];

describe.each(cases)("%s whose %s", (_role, _name, file, command) => {
  test.each(damages)("%s says so, names it and ends with 1", async (_kind, damage) => {
    const good = readFileSync(file, "utf8");
    try {
      damage(file);
      const { code, text } = await run(command);
      expect(text).toContain(file);
      expect(text).not.toMatch(/^\s+at /m);
      expect(code).toBe(1);
    } finally {
      rmSync(file, { recursive: true, force: true });
      writeFileSync(file, good, { mode: 0o600 });
    }
  });
});

test("a seed of somebody else is told as well", async () => {
  const file = layout.credential("aaasvc", "chain-signer.seed");
  const good = readFileSync(file, "utf8");
  copyFileSync(layout.credential("aaasvc", "request-signer.seed"), file);
  const { code, text } = await run(aaa);
  writeFileSync(file, good);
  expect(text).toMatch(/^aaa: error: .*chain-signer\.seed does not belong to the token .*chain-signer\.jwt\n$/m);
  expect(code).toBe(1);
});

test("a web server of plugins without its folder says so and ends with 1", async () => {
  const { code, text } = await run(["containers/plugins/serve.ts", folder.file("nowhere"), "0", "127.0.0.1"]);
  expect(text).toContain(folder.file("nowhere"));
  expect(text.trim().split("\n")).toHaveLength(1);
  expect(code).toBe(1);
});
