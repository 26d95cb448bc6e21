import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { resolve } from "node:path";
import { ComposeNetwork, run, whyNoContainers } from "../support/compose.ts";
import { inspectPeer, reachableFrom } from "../support/reachable.ts";
import { waitFor } from "../support/wait.ts";

const reason = await whyNoContainers();
if (reason !== undefined) console.warn(`The network in containers is not tried: ${reason}`);

const minute = 60_000;

describe.skipIf(reason !== undefined)("the network in containers", () => {
  let network: ComposeNetwork;

  beforeAll(() => {
    network = new ComposeNetwork();
  });

  afterAll(async () => {
    await network[Symbol.asyncDispose]();
  }, minute);

  const up = (servers: number) =>
    network.compose("up", "--detach", "--scale", `server.choria=${servers}`, "--timeout", "5");

  const allAnswer = (servers: number) =>
    waitFor(`${servers} servers`, async () => (await network.nodes()).length === servers, minute);

  test(
    "every command of the guides shows what they show",
    async () => {
      const walkthrough = resolve(import.meta.dir, "../../containers/walkthrough/run.ts");
      const { code, out, err } = await run([process.execPath, walkthrough], network.env);
      if (code !== 0) console.error(out, err);
      expect(code).toBe(0);
    },
    6 * minute,
  );

  test(
    "stopped and started again it is the same network",
    async () => {
      await up(10);
      await waitFor("a login", () => network.login("admin"), minute);
      await allAnswer(10);
    },
    2 * minute,
  );

  test(
    "containers reach what their role needs, and nothing else",
    async () => {
      const all = await Promise.all((await network.containers()).map(inspectPeer));
      const firstServers = all.filter(({ role }) => role === "server").slice(0, 2);
      const peers = [...all.filter(({ role }) => role !== "server"), ...firstServers];
      const owners = new Map<string, string>();
      for (const { role, addresses, ports } of peers) {
        for (const address of addresses) for (const port of ports) owners.set(`${address}:${port}`, `${role}:${port}`);
      }
      const seen: Record<string, string[]> = {};
      await Promise.all(
        peers.map(async (peer) => {
          const own = new Set(peer.addresses);
          const targets = [...owners.keys()].filter((target) => !own.has(target.split(":")[0] ?? ""));
          const reached = await reachableFrom(peer, targets);
          const names = reached.map((at) => owners.get(at) ?? at);
          seen[peer.role] = [...new Set([...(seen[peer.role] ?? []), ...names])].sort();
        }),
      );
      expect(seen).toEqual({
        broker: ["aaa:8080", "aaa:8081", "plugins:80", "provisioner:8083", "replicator:8082"],
        aaa: ["broker:4222", "provisioner:8083", "replicator:8082"],
        provisioner: ["aaa:8080", "aaa:8081", "broker:4222", "replicator:8082"],
        replicator: ["aaa:8080", "aaa:8081", "broker:4222", "nats:4222", "provisioner:8083"],
        server: ["broker:4222", "plugins:80"],
        client: ["aaa:8080", "aaa:8081", "broker:4222"],
        plugins: ["broker:4222"],
        nats: ["replicator:8082"],
        "nats-box": ["nats:4222", "replicator:8082"],
      });
    },
    minute,
  );

  test.each(["broker", "aaa", "provisioner", "server", "plugins", "nats", "replicator", "client", "nats-box"])(
    "killed and started again, the %s is back by itself",
    async (role) => {
      const [id = ""] = await network.containers(`${role}.choria`);
      await run(["docker", "kill", id]);
      await run(["docker", "start", id]);
      await allAnswer(10);
      const ping = () => network.exec("client.choria", "choria req rpcutil ping");
      await waitFor("signed requests to work", async () => (await ping()).includes("10 / 10"), minute);
    },
    2 * minute,
  );

  test(
    "servers come and go by tens",
    async () => {
      await up(30);
      await allAnswer(30);
      await up(10);
      await allAnswer(10);
    },
    3 * minute,
  );

  test(
    "told to stop, every role ends in good order",
    async () => {
      const programs = ["broker", "aaa", "provisioner", "server", "plugins", "nats", "replicator"];
      const ids = await Promise.all(programs.map((role) => network.containers(`${role}.choria`)));
      await network.compose("stop", "--timeout", "20");
      const { out } = await run(["docker", "inspect", "--format", "{{.Name}} {{.State.ExitCode}}", ...ids.flat()]);
      const unclean = out.split("\n").filter((line) => line !== "" && !line.endsWith(" 0"));
      expect(unclean).toEqual([]);
    },
    minute,
  );
});
