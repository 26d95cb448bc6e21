import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isFile } from "../std/mod.ts";
import { writeConfiguration } from "./configuration.ts";
import { createCredentials } from "./credentials.ts";
import { defaultPorts, Layout } from "./layout.ts";
import { installMachines } from "./machines.ts";
import { installAgents, publishPlugins } from "./plugins.ts";
import { composeSite } from "./site.ts";

/** What {@link prepareCompose} makes its folder from. */
export interface ComposeOptions {
  /** The folder, absolute: what `containers/compose.yaml` mounts. Its parent is closed to other users of the host. */
  folder: string;
  /** The checkout, absolute: where `machines/` is. */
  checkout: string;
}

/** Whose files containers read. The issuer's seed is for the host alone. */
const readableRoles = ["aaa", "aaasvc", "broker", "client", "docroot", "provisioner", "server", "stream-replicator"];

/** Where an image has the sources. */
const imageCheckout = "/opt/choria";

/**
 * Make the folder that the containers of `containers/compose.yaml` mount: `credentials/` and `config/`, in the shape of
 * the original's compose environment. What is already there and still good stays.
 *
 * The programs in the containers are not the user who runs this, so every file but the issuer's seed is readable by all who may
 * enter the folder's parent, which is nobody else.
 */
export async function prepareCompose({ folder, checkout }: ComposeOptions): Promise<void> {
  const layout = new Layout(folder);
  mkdirSync(folder, { recursive: true });
  chmodSync(dirname(folder), 0o700);
  const issuer = await createCredentials(layout, `nats://${composeSite.hosts.broker}:${defaultPorts.broker}`);
  const helper = ["bun", "--config=/dev/null", "--no-env-file", `${imageCheckout}/containers/provisioner/helper.ts`];
  await writeConfiguration(layout, { ports: defaultPorts, issuer, helper, site: composeSite });
  const store = layout.config("server", "machine");
  installMachines(store, checkout);
  const url = `http://${composeSite.hosts.plugins}`;
  await publishPlugins({ layout, checkout, webFolder: layout.config("docroot", ""), url });
  installAgents({ layout, checkout, store });
  for (const kept of ["server/lib/mcollective/agent", "client/plugins", "docroot", "stream-replicator"]) {
    mkdirSync(layout.config(kept, ""), { recursive: true });
  }
  const index = layout.config("docroot", "index.html");
  if (!isFile(index)) writeFileSync(index, "Plugins of the Choria servers\n");
  for (const role of readableRoles) {
    openToContainers(layout.credential(role, ""));
    openToContainers(layout.config(role, ""));
  }
  // The shell in the client packs plugins and lays them where the servers find them.
  for (const shared of ["client/plugins", "docroot"]) chmodSync(layout.config(shared, ""), 0o777);
}

/** Let everybody read the files of a folder, not those below: servers keep files of their own there. */
function openToContainers(folder: string): void {
  if (!existsSync(folder)) return;
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile()) chmodSync(join(folder, entry.name), 0o644);
  }
}
