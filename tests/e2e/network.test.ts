import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  Layout,
  logTail,
  type NetworkOptions,
  prepareNetwork,
  provisionedServers,
  provisioningSecret,
  runningPid,
  serverIdentities,
  startNetwork,
  stopNetwork,
} from "../../lib/setup/mod.ts";
import { isObject, systemClock } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const checkout = resolve(import.meta.dir, "../..");
const identities = serverIdentities(10);
const folder = temporaryFolder();
const layout = new Layout(folder.file(`the network's "state"`));
const options: NetworkOptions = { layout, checkout, clock: systemClock, say: () => undefined };

interface Run {
  code: number;
  out: string;
  err: string;
}

/** Run the command line as a user would, with that user's own home and token. */
async function choria(user: string, args: string[], input = ""): Promise<Run> {
  const home = folder.file(`home-${user}`);
  mkdirSync(home, { recursive: true });
  const config = folder.file(`client-${user}.conf`);
  const text = readFileSync(layout.config("client", "client.conf"), "utf8");
  writeFileSync(config, text.replaceAll(layout.data("client"), home));
  const child = Bun.spawn([process.execPath, "run", resolve(checkout, "cmd/choria.ts"), ...args], {
    env: { ...process.env, HOME: home, CHORIA_CONFIG: config, USER: user },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

function login(user: string, password = "secret"): Promise<Run> {
  return choria(user, ["login", "--username", user, "--password-stdin"], `${password}\n`);
}

/** Run a command that must succeed, and tell all it said when it does not. */
async function succeed(user: string, args: string[]): Promise<string> {
  const run = await choria(user, args);
  if (run.code !== 0) throw new Error(`choria ${args.join(" ")} ended with ${run.code}:\n${run.out}${run.err}`);
  return run.out;
}

function publicKeys(): (string | undefined)[] {
  return identities.map((identity) => {
    const [, claims = ""] = readFileSync(layout.server(identity, "server.jwt"), "utf8").split(".");
    const value: unknown = JSON.parse(Buffer.from(claims, "base64url").toString());
    return isObject(value) && typeof value.public_key === "string" ? value.public_key : undefined;
  });
}

interface Status {
  uptime: number;
  connected_server: string;
  provisioning_mode: boolean;
}

function started(identity: string): number | undefined {
  try {
    const status = JSON.parse(readFileSync(layout.server(identity, "status.json"), "utf8")) as Status;
    if (status.provisioning_mode || status.connected_server === "") return undefined;
    return Bun.file(layout.server(identity, "status.json")).lastModified - status.uptime * 1_000;
  } catch {
    return undefined;
  }
}

/** Wait until all servers have written the status of a start after `moment`. */
async function allBackSince(moment: number): Promise<void> {
  await waitFor(
    "all servers to be back",
    () => identities.every((identity) => (started(identity) ?? 0) > moment) && all() === identities.length,
    60_000,
  );
}

function all(): number {
  return provisionedServers(layout, identities).length;
}

beforeAll(async () => {
  const [broker, stats, aaa, aaaMonitor, provisionerMonitor] = await Promise.all(Array.from({ length: 5 }, freePort));
  const ports = await prepareNetwork(options, {
    broker: broker ?? 0,
    stats: stats ?? 0,
    aaa: aaa ?? 0,
    aaaMonitor: aaaMonitor ?? 0,
    provisionerMonitor: provisionerMonitor ?? 0,
  });
  await startNetwork(options, ports, { servers: identities.length });
}, 150_000);

afterAll(async () => {
  await stopNetwork(options);
  folder[Symbol.dispose]();
}, 60_000);

describe("a network of ten servers that started with a provisioning.jwt each", () => {
  test("every server is provisioned, with keys and tokens that only its owner can read", () => {
    expect(all()).toBe(10);
    expect(new Set(publicKeys()).size).toBe(10);
    for (const file of ["server.jwt", "server.seed", "server.conf"]) {
      const { size, mode } = statSync(layout.server(identities[0] ?? "", file));
      expect({ file, isEmpty: size === 0, mode: mode & 0o777 }).toEqual({ file, isEmpty: false, mode: 0o600 });
    }
  });

  test("a wrong password is refused and leaves no credentials behind", async () => {
    const run = await login("choria", "wrong");
    expect(run.code).toBe(1);
    expect(run.err).toContain("Login failed");
    expect(await Bun.file(folder.file("home-choria/client.key")).exists()).toBe(false);
  });

  test("choria logs in, pings ten servers and asks all of them for their info", async () => {
    const { code, out, err } = await login("choria");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("Token saved to ");
    const ping = await succeed("choria", ["ping"]);
    expect(ping).toContain("10 replies max:");
    for (const identity of identities) expect(ping).toContain(identity);
    const info = await succeed("choria", ["req", "choria_util", "info"]);
    expect(info).toContain("Finished processing 10 / 10 hosts in ");
    expect(info).toContain("Summary of ");
  }, 30_000);

  test("every server fetches the agent of the guides, which then asks the web server that it came from", async () => {
    await waitFor(
      "the agent on every server",
      async () => (await choria("choria", ["discover", "-A", "requests"])).out.trim().split("\n").length === 10,
      30_000,
    );
    const url = `http://127.0.0.1:${JSON.parse(readFileSync(layout.network, "utf8")).ports.plugins}/requests.tgz`;
    const out = await succeed("choria", ["req", "requests", "request", `url=${url}`, "method=HEAD"]);
    expect(out).toContain("Finished processing 10 / 10 hosts in ");
    expect(out).toContain("200: 10");
  }, 60_000);

  test("every server has gathered facts, by which it can be chosen", async () => {
    const found = await waitFor(
      "facts of every server",
      async () => {
        const report = (await choria("choria", ["facts", "memory.size"])).out;
        return /^ {2}(\d+) found 10 times$/m.exec(report)?.[1];
      },
      60_000,
    );
    const ping = await succeed("choria", ["req", "rpcutil", "ping", "-F", `memory.size=${found}`]);
    expect(ping).toContain("Finished processing 10 / 10 hosts in ");
    const inventory = await succeed("choria", ["inventory", identities[0] ?? ""]);
    expect(inventory).toContain('"bios": {');
    expect(inventory).toMatch(/Autonomous Agents:\n\n {4}check_choria /);
  }, 90_000);

  test("every server checks itself when it is told to", async () => {
    expect(await succeed("choria", ["scout", "trigger"])).toContain("Triggered 10 checks on 10 nodes\n");
    const [first = ""] = identities;
    await waitFor("a check that went well", async () =>
      /│ check_choria │ OK +│ \S+ +│ OK +│/.test(await succeed("choria", ["scout", "status", first])),
    );
  }, 30_000);

  test("the program in the README asks them too", async () => {
    const readme = readFileSync(resolve(checkout, "README.md"), "utf8");
    const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const code = program.replace(".choria/config/client/client.conf", folder.file("client-choria.conf"));
    expect(code).toContain(folder.path);
    const child = Bun.spawn([process.execPath, "-e", code], { cwd: checkout, stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect({ code: await child.exited, err }).toEqual({ code: 0, err: "" });
    expect(out.trim().split("\n").sort()).toEqual(identities.map((identity) => `${identity} OK`).sort());
  });

  test("choria may not restart servers, and is told which policy says so", async () => {
    const run = await choria("choria", ["req", "choria_provision", "restart", `token=${provisioningSecret}`]);
    expect(run.code).toBe(1);
    expect(run.err).toContain("Request Denied: ");
    expect(all()).toBe(10);
  }, 30_000);

  test("admin with a wrong provisioning token changes nothing", async () => {
    await login("admin");
    const keys = publicKeys();
    const run = await choria("admin", ["req", "choria_provision", "reprovision", "token=wrong"]);
    expect(run.code).toBe(2);
    expect(run.out).toContain("Incorrect provision token supplied");
    expect(publicKeys()).toEqual(keys);
    expect(all()).toBe(10);
  }, 30_000);

  test("admin restarts all ten, and they return with the keys they had", async () => {
    const keys = publicKeys();
    const begin = Date.now();
    const out = await succeed("admin", [
      "req",
      "choria_provision",
      "restart",
      `token=${provisioningSecret}`,
      "splay=1",
    ]);
    expect(out).toContain("Finished processing 10 / 10 hosts in ");
    await allBackSince(begin);
    expect(publicKeys()).toEqual(keys);
    expect(await succeed("admin", ["ping"])).toContain("10 replies max:");
  }, 90_000);

  test("admin reprovisions all ten, and each returns with a new key and token", async () => {
    const keys = new Set(publicKeys());
    const begin = Date.now();
    await succeed("admin", ["req", "choria_provision", "reprovision", `token=${provisioningSecret}`]);
    await allBackSince(begin);
    expect(publicKeys().filter((key) => keys.has(key))).toEqual([]);
    expect(await succeed("admin", ["ping"])).toContain("10 replies max:");
  }, 90_000);

  test("a server that lost its seed, token or configuration provisions itself again", async () => {
    const [seedless = "", tokenless = "", damaged = ""] = identities;
    const begin = Date.now();
    rmSync(layout.server(seedless, "server.seed"));
    writeFileSync(layout.server(tokenless, "server.jwt"), "damaged");
    writeFileSync(layout.server(damaged, "server.conf"), "plugin.security.pro");
    for (const identity of [seedless, tokenless, damaged]) {
      await choria("admin", [
        "req",
        "choria_provision",
        "restart",
        `token=${provisioningSecret}`,
        "splay=1",
        "-I",
        identity,
      ]);
    }
    await waitFor(
      "three servers to be back",
      () => [seedless, tokenless, damaged].every((identity) => (started(identity) ?? 0) > begin) && all() === 10,
      60_000,
    ).catch((error) => {
      const logs = [seedless, tokenless, damaged].map((id) => `${id}:\n${logTail(layout, `server-${id}`)}`);
      throw new Error(`${error}\n${logs.join("\n")}`);
    });
    expect(await succeed("admin", ["ping"])).toContain("10 replies max:");
  }, 120_000);

  test("the broker restarts and everybody is back", async () => {
    const pid = runningPid(layout, "broker");
    if (pid === undefined) throw new Error("the broker is not running");
    process.kill(pid, "SIGTERM");
    await waitFor("the broker to stop", () => runningPid(layout, "broker") === undefined, 20_000);
    const ports = await prepareNetwork(options);
    await startNetwork(options, ports, { servers: 10 });
    await waitFor("ten replies", async () => (await choria("admin", ["ping"])).out.includes("10 replies max:"), 60_000);
  }, 120_000);
});
