import { describe, expect, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { prepareCompose } from "../../lib/setup/mod.ts";
import { version } from "../../lib/std/mod.ts";
import { run, whyNoContainers } from "../support/compose.ts";
import { temporaryFolder } from "../support/folder.ts";

const checkout = resolve(import.meta.dir, "../..");
const images = process.env.CHORIA_IMAGES ?? "localhost/choria";
const reason = await whyNoContainers();
if (reason !== undefined) console.warn(`Images are not tried: ${reason}`);

const roles = ["broker", "server", "aaa", "provisioner", "replicator", "client", "plugins", "nats"];

test("there is an image for each role, pinned by digest to what it stands on", () => {
  const folders = readdirSync(join(checkout, "containers"), { withFileTypes: true });
  const found = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const role of roles) expect(found).toContain(role);
  expect(readFileSync(join(checkout, "containers/base/Dockerfile"), "utf8")).toMatch(
    /^ARG BASE_IMAGE=debian:\S+@sha256:[0-9a-f]{64}$/m,
  );
});

describe.skipIf(reason !== undefined)("images", () => {
  test("are built", async () => {
    const { code, err } = await run([join(checkout, "containers/build")]);
    expect(err).toBe("");
    expect(code).toBe(0);
  }, 300_000);

  test.each(roles)("%s says its version, and nobody but a server is root", async (role) => {
    const { out } = await run(["docker", "inspect", "--type=image", `${images}/${role}`]);
    const [{ Config: config }] = JSON.parse(out) as [{ Config: { User: string; Labels: Record<string, string> } }];
    expect(config.Labels["org.opencontainers.image.version"]).toBe(version);
    expect(config.Labels["org.opencontainers.image.title"]).not.toBe("Choria on Bun");
    expect(config.User).toBe(role === "server" ? "root" : "choria");
  });

  test("know the commit that they were built of, and which of them has a nats-server", async () => {
    const buildinfo = async (role: string) =>
      (await run(["docker", "run", "--rm", "--network=none", "--entrypoint=choria", `${images}/${role}`, "buildinfo"]))
        .out;
    const [broker, client] = await Promise.all([buildinfo("broker"), buildinfo("client")]);
    const label = '{{index .Config.Labels "org.opencontainers.image.revision"}}';
    const { out: commit } = await run(["docker", "inspect", "--type=image", "--format", label, `${images}/broker`]);
    expect(broker).toContain(`Git SHA: ${commit.slice(0, 8).trim()}`);
    expect(broker).toMatch(/NATS Server Version: \d/);
    expect(client).toContain("NATS Server: none here, only brokers need it");
  });

  /** Where configuration and credentials of a role are, in the folder that is mounted and in the container. */
  const mounts = {
    broker: ["broker", "/etc/choria/broker", "broker", "/etc/choria/credentials"],
    aaa: ["aaa", "/etc/aaasvc/aaa", "aaasvc", "/etc/aaasvc/credentials"],
    provisioner: [
      "provisioner",
      "/etc/choria-provisioner/provisioner",
      "provisioner",
      "/etc/choria-provisioner/credentials",
    ],
    replicator: [
      "stream-replicator",
      "/etc/stream-replicator",
      "stream-replicator",
      "/etc/stream-replicator/credentials",
    ],
    server: ["server", "/srv/none", "server", "/etc/choria"],
  } as const;

  test.each<[keyof typeof mounts, what: string, which: RegExp]>([
    ["broker", "certificate and key", /^(public\.crt|private\.key)$/],
    ["aaa", "credentials", /./],
    ["aaa", "seeds", /\.seed$/],
    ["aaa", "key that signs users' tokens", /^chain-signer\.seed$/],
    ["provisioner", "credentials", /./],
    ["replicator", "credentials", /./],
    ["replicator", "seed", /\.seed$/],
    ["server", "provisioning token", /^provisioning\.jwt$/],
  ])(
    "%s without its %s, or with damaged ones, says so and ends",
    async (role, _what, which) => {
      const [config, configAt, credentials, credentialsAt] = mounts[role];
      using folder = temporaryFolder();
      await prepareCompose({ folder: folder.file("compose"), checkout });
      const good = folder.file(`compose/credentials/${credentials}`);
      const files = readdirSync(good).filter((name) => which.test(name));
      const start = async (kind: string, spoil: (file: string) => void) => {
        cpSync(good, folder.file(kind), { recursive: true });
        for (const name of files) spoil(folder.file(`${kind}/${name}`));
        const volumes = [
          `-v=${folder.file(`compose/config/${config}`)}:${configAt}`,
          `-v=${folder.file(kind)}:${credentialsAt}`,
        ];
        return await run(["docker", "run", "--rm", "--network=none", ...volumes, `${images}/${role}`]);
      };
      const outcomes = await Promise.all([
        start("missing", (file) => rmSync(file)),
        start("damaged", (file) => writeFileSync(file, "garbage\n")),
      ]);
      for (const { code, out, err } of outcomes) {
        expect(code).toBe(1);
        expect(files.filter((name) => (out + err).includes(`/${name}`))).not.toEqual([]);
      }
    },
    60_000,
  );
});
