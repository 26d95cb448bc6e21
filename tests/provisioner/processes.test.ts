import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadConfig } from "../../lib/config/mod.ts";
import { runServer, startServer } from "../../lib/server/mod.ts";
import { type ServerControl, superviseServer } from "../../lib/server/provisioning/mod.ts";
import { type Clock, silentLogger, systemClock } from "../../lib/std/mod.ts";
import { decodeTokenUnverified } from "../../lib/tokens/mod.ts";
import { type ProvisioningNetwork, sampleHelper, startProvisioningNetwork } from "../support/provisioning.ts";
import { waitFor } from "../support/wait.ts";

const root = join(import.meta.dir, "../..");
let network: ProvisioningNetwork;
let provisioner: Child;

type Child = Bun.Subprocess<"ignore", "pipe" | "ignore", "pipe" | "ignore">;

beforeAll(async () => {
  network = await startProvisioningNetwork();
  const files = network.writeProvisionerFiles(
    `helper: "${sampleHelper} ${network.file("helper.json")}"\nlogfile: ${network.file("provisioner.log")}`,
  );
  provisioner = run("provisioner.ts", [
    "--config",
    files.config,
    "--choria-config",
    files.choria,
    "--pid",
    network.file("pid"),
  ]);
  await waitFor("the provisioner", () => existsSync(network.file("pid")));
});

afterAll(async () => {
  provisioner.kill("SIGTERM");
  expect(await provisioner.exited).toBe(0);
  expect(existsSync(network.file("pid"))).toBe(false);
  await network[Symbol.asyncDispose]();
});

function run(script: string, args: string[], env: Record<string, string> = {}): Child {
  return Bun.spawn([process.execPath, "run", join(root, "cmd", script), ...args], {
    stdio: ["ignore", "ignore", "ignore"],
    env: { ...process.env, ...env },
  });
}

/** A server's folder with nothing but a provisioning token in it. */
function newNode(identity: string): string {
  const folder = network.file(identity);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "provisioning.jwt"), network.provisioningToken);
  return join(folder, "server.conf");
}

function startNode(identity: string): { child: Child } & AsyncDisposable {
  const child = run("server.ts", ["--config", newNode(identity)], { CHORIA_IDENTITY: identity });
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** A value once a node's files show that it serves. */
function tokenOf(identity: string): string | undefined {
  try {
    const status = JSON.parse(readFileSync(network.file(`${identity}/status.json`), "utf8"));
    if (status.provisioning_mode !== false || !status.connected_server) return undefined;
    return decodeTokenUnverified(readFileSync(network.file(`${identity}/server.jwt`), "utf8")).jti;
  } catch {
    return undefined;
  }
}

function provisioned(identity: string, formerToken?: string): Promise<string> {
  const renewed = () => (tokenOf(identity) === formerToken ? undefined : tokenOf(identity));
  return waitFor(`${identity} to be provisioned`, renewed, 30_000);
}

test("ten servers without anything but a provisioning token are provisioned, each in the process it began in", async () => {
  const identities = Array.from({ length: 10 }, (_, i) => `srv${i}.example.net`);
  await using stack = new AsyncDisposableStack();
  const children = identities.map((identity) => stack.use(startNode(identity)));
  const tokens = await Promise.all(identities.map((identity) => provisioned(identity)));
  expect(new Set(tokens).size).toBe(10);
  expect(children.every(({ child }) => child.exitCode === null)).toBe(true);
  const config = loadConfig(network.file(`${identities[0]}/server.conf`), { kind: "system", env: {} });
  expect(config.get("identity")).toBe("srv0.example.net");
}, 90_000);

describe("a server that finds its files in disorder is provisioned again", () => {
  const damages: [string, (file: (name: string) => string) => void | Promise<void>][] = [
    ["no seed", (file) => unlinkSync(file("server.seed"))],
    ["half a token", (file) => truncateSync(file("server.jwt"), 200)],
    ["no configuration", (file) => unlinkSync(file("server.conf"))],
    ["half a configuration", (file) => truncateSync(file("server.conf"), 300)],
    ["an expired token", (file) => expire(file("server.jwt"))],
  ];

  async function expire(path: string): Promise<void> {
    const options = { now: Date.now() - 7_200_000, validity: 3_600_000 };
    const member = await network.organization.server(
      { identity: "repeat.example.net", collectives: ["choria"] },
      options,
    );
    member.save(path.replace(/\.jwt$/, ""));
  }

  test.concurrent.each(damages)(
    "%s",
    async (name, damage) => {
      const identity = `${name.replaceAll(" ", "-")}.example.net`;
      const file = (name: string) => network.file(`${identity}/${name}`);
      const first = startNode(identity);
      const token = await provisioned(identity);
      await first[Symbol.asyncDispose]();
      await damage(file);
      unlinkSync(file("status.json"));
      await using _again = startNode(identity);
      expect(await provisioned(identity, token)).not.toBe(token);
    },
    90_000,
  );
});

/** The checks of a running server come every half second, and restarts at once. */
const quickClock: Clock = {
  ...systemClock,
  after: (ms, work) => systemClock.after(ms / 20, work),
  every: (ms, work) => systemClock.every(ms / 20, work),
};

describe("a running server", () => {
  test("is provisioned again when its token expires, without being restarted", async () => {
    const identity = "running.example.net";
    const configFile = newNode(identity);
    await using server = runServer({ configFile, identity, logger: silentLogger, clock: quickClock });
    await waitFor("the server to be provisioned", () => server.mode === "provisioned" && tokenOf(identity));
    const options = { now: Date.now(), validity: 2_000 };
    const member = await network.organization.server({ identity, collectives: ["choria"] }, options);
    member.save(join(dirname(configFile), "server"));
    const short = tokenOf(identity);
    await waitFor(
      "the server to be provisioned again",
      () => server.starts === 4 && tokenOf(identity) !== short,
      20_000,
    );
    expect(server.mode).toBe("provisioned");
  }, 40_000);

  test("that starts again fifty times leaves nothing behind", async () => {
    const identity = "again.example.net";
    const configFile = newNode(identity);
    await using first = runServer({ configFile, identity, logger: silentLogger, clock: quickClock });
    await waitFor("the server to be provisioned", () => first.mode === "provisioned" && tokenOf(identity));
    await first.stop();
    const config = loadConfig(configFile, { kind: "system", env: {} });
    const controls: ServerControl[] = [];
    let running = 0;
    await using _server = superviseServer({
      decide: async () => ({ kind: "provisioned", config }),
      check: () => undefined,
      async start(_mode, control) {
        const handle = await startServer({ config, logger: silentLogger, signal: control.signal });
        running++;
        controls.push(control);
        return { stop: async (how) => handle.stop(how).then(() => void running--) };
      },
      clock: systemClock,
      logger: silentLogger,
    });
    const started = (count: number) => waitFor(`start ${count}`, () => controls.length === count);
    const open = () => readdirSync("/proc/self/fd").length;
    await started(1);
    const before = open();
    for (let count = 2; count <= 51; count++) {
      controls.at(-1)?.restart("test");
      await started(count);
    }
    expect(running).toBe(1);
    await waitFor("the files of former runs to be closed", () => open() <= before + 2);
  }, 60_000);
});

describe("a provisioner that cannot start says why and fails", () => {
  test.each([
    [["--config", "/nonexistent/p.yaml"], "Provisioning could not be configured: file /nonexistent/p.yaml not found"],
    [
      ["run", "--config", "CONFIG", "--choria-config", "/nonexistent"],
      "Could not load Choria Configuration: file /nonexistent not found",
    ],
  ])("%p", async (args, reason) => {
    const known = args.map((arg) => (arg === "CONFIG" ? network.file("provisioner.yaml") : arg));
    const child = Bun.spawn([process.execPath, "run", join(root, "cmd/provisioner.ts"), ...known], { stderr: "pipe" });
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toContain(`choria-provisioner: error: ${reason}`);
  });
});
