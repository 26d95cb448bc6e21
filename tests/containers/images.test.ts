import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
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

  const mounts: [role: string, config: string, at: string, credentials: string, at: string][] = [
    ["broker", "broker", "/etc/choria/broker", "broker", "/etc/choria/credentials"],
    ["aaa", "aaa", "/etc/aaasvc/aaa", "aaasvc", "/etc/aaasvc/credentials"],
    [
      "provisioner",
      "provisioner",
      "/etc/choria-provisioner/provisioner",
      "provisioner",
      "/etc/choria-provisioner/credentials",
    ],
    ["server", "server", "/srv/none", "server/provisioning.jwt", "/etc/choria/provisioning.jwt"],
  ];

  test.each(mounts)(
    "a %s without credentials, or with damaged ones, says so and ends",
    async (...mount) => {
      const [role, config, configAt, credentials, credentialsAt] = mount;
      using folder = temporaryFolder();
      await prepareCompose({ folder: folder.file("compose"), checkout });
      const damaged = folder.file("damaged");
      cpSync(folder.file(`compose/credentials/${credentials}`), damaged, { recursive: true });
      damage(damaged);
      const start = (...flags: string[]) =>
        run(
          [
            "docker",
            "run",
            "--rm",
            "--network=none",
            `-v=${folder.file(`compose/config/${config}`)}:${configAt}`,
          ].concat(flags, `${images}/${role}`),
        );
      for (const flags of [[], [`-v=${damaged}:${credentialsAt}:ro`]]) {
        const { code, out, err } = await start(...flags);
        expect(code).toBe(1);
        expect(out + err).toMatch(/credentials|provisioning|token|certificate|key/);
      }
    },
    60_000,
  );
});

function damage(path: string): void {
  try {
    for (const name of readdirSync(path)) damage(join(path, name));
  } catch {
    writeFileSync(path, "garbage\n");
    chmodSync(path, 0o644);
  }
}
