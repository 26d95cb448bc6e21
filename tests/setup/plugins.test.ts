import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { readPublicKey, sha256Hex } from "../../lib/crypto/mod.ts";
import { isSigned, readSpecification } from "../../lib/machine/mod.ts";
import { createCredentials, installAgents, Layout, publishPlugins } from "../../lib/setup/mod.ts";
import { isObject, type Json } from "../../lib/std/mod.ts";
import { temporaryFolder } from "../support/folder.ts";
import { freePort } from "../support/ports.ts";
import { waitFor } from "../support/wait.ts";

const checkout = resolve(import.meta.dir, "../..");
const folder = temporaryFolder();
const layout = new Layout(folder.path);
const webFolder = layout.data("plugins");
let key: string;

const publish = () => publishPlugins({ layout, checkout, webFolder, url: "http://plugins.example.net" });
const signed = () => JSON.parse(readFileSync(layout.config("plugins", "signed.json"), "utf8")) as Json;

beforeAll(async () => {
  await createCredentials(layout, "nats://127.0.0.1:4222");
  key = readPublicKey(layout.credential("client", "plugin-signer.public"));
  await publish();
});

afterAll(() => folder[Symbol.dispose]());

test("the agent of the guides is listed, signed and packed, each time alike", async () => {
  const before = signed();
  expect(readSpecification(before, key)).toMatchObject([
    { name: "requests", source: "http://plugins.example.net/requests.tgz", match: "" },
  ]);
  const [plugin] = readSpecification(before, key);
  expect(sha256Hex(readFileSync(join(webFolder, "requests.tgz")))).toBe(plugin?.checksum ?? "");
  await publish();
  expect(signed()).toEqual(before);
});

test("servers get the machine that fetches it, with the list among its data", () => {
  const store = folder.file("machine");
  installAgents({ layout, checkout, store, plugins: "/srv/plugins" });
  const manifest = readFileSync(join(store, "external_agents/machine.yaml"), "utf8");
  expect(manifest).toContain("plugins_directory: /srv/plugins/mcollective/agent");
  const data = join(store, "external_agents/machine_data.json");
  expect(statSync(data).mode & 0o777).toBe(0o600);
  const { spec } = JSON.parse(readFileSync(data, "utf8"));
  expect([isObject(spec), isSigned(spec, key)]).toEqual([true, true]);
});

test("the web server hands out the files of its folder, and nothing else", async () => {
  const port = await freePort();
  writeFileSync(folder.file("secret"), "secret");
  const command = [
    process.execPath,
    join(checkout, "containers/plugins/serve.ts"),
    webFolder,
    String(port),
    "127.0.0.1",
  ];
  const server = Bun.spawn(command, { stdout: "ignore", stderr: "ignore" });
  try {
    const status = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
    await waitFor("the web server", () => status("/requests.tgz").catch(() => undefined));
    expect(await status("/requests.tgz")).toBe(200);
    for (const path of ["/", "/../secret", "/..%2fsecret", "/%2e%2e/%2e%2e/secret", "/%00", "/%"]) {
      expect({ path, status: await status(path) }).toEqual({ path, status: 404 });
    }
  } finally {
    server.kill();
    await server.exited;
  }
});
