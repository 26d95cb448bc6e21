import type { Config } from "../config/mod.ts";
import type { Json } from "../std/mod.ts";
import type { CalloutKeys } from "./callout_keys.ts";

const lifecycle = "choria.lifecycle.>";
const electionInfo = "$JS.API.STREAM.INFO.KV_CHORIA_LEADER_ELECTION";
const electionKey = "$KV.CHORIA_LEADER_ELECTION.provisioner";
/** Older peers know the JetStream API by this prefix. */
const oldPrefix = "choria.streams";

/** The accounts: `choria` for everybody, `provisioning` for nodes that are new, `system`, and one for logins. */
export function natsAccounts(config: Config, keys: CalloutKeys): { [name: string]: Json } {
  const hasProvisioning = config.get("plugin.choria.network.provisioning.client_password") !== "";
  return {
    system: {},
    [keys.account]: { users: [{ nkey: keys.responder.publicKey }] },
    choria: {
      users: [{ nkey: keys.internal.publicKey }],
      ...(config.get("plugin.choria.network.stream.store") === "" ? {} : { jetstream: "enabled" }),
      ...mappings(config),
      ...(hasProvisioning ? choriaShares : {}),
    },
    ...(hasProvisioning ? { provisioning } : {}),
  };
}

/** Start-up events of new nodes reach account choria; the provisioner's leader election goes the other way. */
const choriaShares: { [key: string]: Json } = {
  exports: [electionInfo, electionKey].map((service) => ({ service, accounts: ["provisioning"] })),
  imports: [{ stream: { account: "provisioning", subject: lifecycle } }],
};

const provisioning: Json = {
  exports: [{ stream: lifecycle, accounts: ["choria"] }],
  imports: [
    importService(electionInfo, `${oldPrefix}.STREAM.INFO.KV_CHORIA_LEADER_ELECTION`),
    importService(electionKey),
    importService(electionKey, `${oldPrefix}.${electionKey}`),
  ],
};

function importService(subject: string, to?: string): Json {
  return { service: { account: "choria", subject }, ...(to === undefined ? {} : { to }) };
}

function mappings(config: Config): { [key: string]: Json } {
  const names = config.get("plugin.choria.network.mapping.names");
  if (names.length === 0) return {};
  const pairs = names.map((name): [string, Json] => [part(config, name, "source"), part(config, name, "destination")]);
  return { mappings: Object.fromEntries(pairs) };
}

function part(config: Config, name: string, key: string): string {
  const option = `plugin.choria.network.mapping.${name}.${key}`;
  const value = config.option(option);
  if (!value) throw new Error(`Cannot map subjects: ${option} is not set`);
  return value;
}
