import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readSeedFile } from "../crypto/mod.ts";
import { packArchive, packSpecification } from "../machine/mod.ts";
import { encodeUtf8, writeFileAtomic } from "../std/mod.ts";
import type { Layout } from "./layout.ts";

/** What {@link publishPlugins} publishes, and where. */
export interface PublishOptions {
  layout: Layout;
  /** The checkout, absolute: where `agents/` is. */
  checkout: string;
  /** Folder of the web server. */
  webFolder: string;
  /** Where servers find the web server, without a final slash. */
  url: string;
}

/**
 * Pack the agent of the guides as nodes fetch it, lay it where the web server has it, and sign a list that holds it
 * with the key of the network's plugins. The list stands in `config/plugins/plugins.json`, the signed document in
 * `signed.json` beside it.
 */
export async function publishPlugins({ layout, checkout, webFolder, url }: PublishOptions): Promise<void> {
  const { name, archive, checksum, verifyChecksum } = await packAgent(checkout, "requests");
  const file = `${name}.tgz`;
  mkdirSync(webFolder, { recursive: true });
  writeFileAtomic(join(webFolder, file), archive);
  const list = [{ name, source: `${url}/${file}`, checksum, verify_checksum: verifyChecksum }];
  const text = `${JSON.stringify(list, null, 2)}\n`;
  const key = readSeedFile(layout.credential("client", "plugin-signer.seed"));
  const document = `${packSpecification(encodeUtf8(text), key)}\n`;
  mkdirSync(dirname(layout.config("plugins", "")), { recursive: true });
  writeFileAtomic(layout.config("plugins", "plugins.json"), text, { mode: 0o600, makeFolders: true });
  writeFileAtomic(layout.config("plugins", "signed.json"), document, { mode: 0o600 });
}

/** Where the sample has the plugins of a packaged server. */
const packagedPlugins = "/var/lib/choria/plugins";

/** What {@link installAgents} works with. */
export interface InstallAgentsOptions extends Pick<PublishOptions, "layout" | "checkout"> {
  /** Folder of the servers' machines. */
  store: string;
  /** Folder of the servers' plugins, as they see it. @default "/var/lib/choria/plugins" */
  plugins?: string;
}

/** Give servers the machine that fetches what {@link publishPlugins} has published. */
export function installAgents({ layout, checkout, store, plugins = packagedPlugins }: InstallAgentsOptions): void {
  const sample = readFileSync(join(checkout, "machines/external_agents/machine.yaml"), "utf8");
  const spec: unknown = JSON.parse(readFileSync(layout.config("plugins", "signed.json"), "utf8"));
  const folder = join(store, "external_agents");
  const options = { mode: 0o600, makeFolders: true };
  writeFileAtomic(join(folder, "machine_data.json"), JSON.stringify({ spec }), options);
  writeFileAtomic(join(folder, "machine.yaml"), sample.replaceAll(packagedPlugins, plugins), options);
}

/** An agent with its DDL and the kit that it is written with, which is all that it needs on a node. */
async function packAgent(checkout: string, agent: string) {
  const folder = mkdtempSync(join(tmpdir(), "choria-plugin-"));
  try {
    for (const [from, to] of [
      [`${agent}.ts`, agent],
      [`${agent}.json`, `${agent}.json`],
      ["kit.ts", "kit.ts"],
    ] as const) {
      cpSync(join(checkout, "agents", from), join(folder, to));
    }
    chmodSync(join(folder, agent), 0o755);
    return await packArchive(folder, agent);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
