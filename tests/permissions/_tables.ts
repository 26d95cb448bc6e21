import { createHash } from "node:crypto";
import type { ClientPermissions, ServerPermissions } from "../../lib/tokens/mod.ts";

/** What a login of a table may publish and subscribe to, and nothing else. */
export interface Row<T> {
  name: string;
  claims: T;
  publish: string[];
  subscribe: string[];
}

/** Claims of a client that matter for its permissions. */
export interface ClientCase {
  permissions?: ClientPermissions;
  pub_subjects?: string[];
  sub_subjects?: string[];
}

/** Claims of a server that matter for its permissions. */
export interface ServerCase {
  permissions?: ServerPermissions;
  collectives: string[];
  pub_subjects?: string[];
}

export const callerid = "up=bob";
export const identity = "node1.example.net";

const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");

/** What every client may do. */
const client = {
  publish: ["$SYS.REQ.USER.INFO"],
  subscribe: [`*.reply.72dc525f8fe0064c0372c1fb3d729560.>`, `*.reply.${hash("sha256", callerid)}.>`],
};
const streamsUser = [
  "$JS.API.INFO",
  "$JS.API.STREAM.NAMES",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.INFO.*",
  "$JS.API.STREAM.MSG.GET.*",
  "$JS.API.STREAM.MSG.DELETE.*",
  "$JS.API.DIRECT.GET.*",
  "$JS.API.DIRECT.GET.*.>",
  "$JS.API.CONSUMER.CREATE.*",
  "$JS.API.CONSUMER.CREATE.*.>",
  "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
  "$JS.API.CONSUMER.DELETE.*.*",
  "$JS.API.CONSUMER.NAMES.*",
  "$JS.API.CONSUMER.LIST.*",
  "$JS.API.CONSUMER.INFO.*.*",
  "$JS.API.CONSUMER.MSG.NEXT.*.*",
  "$JS.ACK.>",
  "$JS.FC.>",
  "$KV.>",
  "$O.>",
];
const governor = ["*.governor.*", "choria.lifecycle.event.governor.>"];
const fleet = ["*.broadcast.agent.>", "*.broadcast.service.>", "*.node.>", "choria.federation.*.federation"];

function clientRow(name: string, claims: ClientCase, publish: string[] = [], subscribe: string[] = []) {
  return {
    name,
    claims,
    publish: [...client.publish, ...publish],
    subscribe: [...client.subscribe, ...subscribe],
  };
}

/** Client tokens. */
export const clientRows: readonly Row<ClientCase>[] = [
  clientRow("no permissions", {}),
  clientRow("streams_admin", { permissions: { streams_admin: true } }, ["$JS.>"], ["$JS.EVENT.>"]),
  clientRow("streams_user", { permissions: { streams_user: true } }, streamsUser, ["choria.republish.>"]),
  clientRow(
    "events_viewer",
    { permissions: { events_viewer: true } },
    [],
    ["choria.lifecycle.event.>", "choria.machine.watcher.>", "choria.machine.transition"],
  ),
  clientRow("election_user", { permissions: { election_user: true } }, [
    "$JS.API.STREAM.INFO.KV_CHORIA_LEADER_ELECTION",
    "$KV.CHORIA_LEADER_ELECTION.>",
  ]),
  clientRow("governor without streams", { permissions: { governor: true } }),
  clientRow(
    "governor and streams_user",
    { permissions: { governor: true, streams_user: true } },
    [...streamsUser, ...governor],
    ["choria.republish.>"],
  ),
  clientRow(
    "governor and streams_admin",
    { permissions: { governor: true, streams_admin: true } },
    ["$JS.>", ...governor],
    ["$JS.EVENT.>"],
  ),
  clientRow("fleet_management", { permissions: { fleet_management: true } }, fleet),
  clientRow("signed_fleet_management", { permissions: { signed_fleet_management: true } }, fleet),
  clientRow("system_user", { permissions: { system_user: true } }),
  clientRow("provisioner", { permissions: { provisioner: true } }),
  clientRow("authentication_delegator", { permissions: { authentication_delegator: true } }),
  clientRow("service", { permissions: { service: true } }),
  clientRow(
    "subjects of its own",
    { pub_subjects: ["acme.in.>", "acme.one"], sub_subjects: ["acme.out.*", "acme.jobs workers"] },
    ["acme.in.>", "acme.one"],
    ["acme.out.*", "acme.jobs workers"],
  ),
];

function serverRow(name: string, claims: ServerCase, publish: string[] = [], subscribe: string[] = []) {
  return {
    name,
    claims,
    publish: [
      "choria.lifecycle.>",
      "choria.machine.transition",
      "choria.machine.watcher.>",
      ...claims.collectives.flatMap((c) => [
        `${c}.reply.>`,
        `${c}.broadcast.agent.registration`,
        `choria.federation.${c}.collective`,
      ]),
      ...publish,
    ],
    subscribe: [
      ...claims.collectives.flatMap((c) => [
        `${c}.broadcast.agent.>`,
        `${c}.node.${identity}`,
        `${c}.reply.17bcfb8c80731d07482059628cf13848.>`,
        `${c}.reply.${hash("sha256", identity)}.>`,
      ]),
      ...subscribe,
    ],
  };
}

const serverStreams = [
  "$JS.API.STREAM.INFO.*",
  "$JS.API.STREAM.MSG.GET.*",
  "$JS.API.STREAM.MSG.DELETE.*",
  "$JS.API.DIRECT.GET.*",
  "$JS.API.DIRECT.GET.*.>",
  "$JS.API.CONSUMER.CREATE.*",
  "$JS.API.CONSUMER.CREATE.*.>",
  "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
  "$JS.API.CONSUMER.INFO.*.*",
  "$JS.API.CONSUMER.MSG.NEXT.*.*",
  "$JS.ACK.>",
  "$JS.FC.>",
];
const collectives = ["choria"];

/** Server tokens. */
export const serverRows: readonly Row<ServerCase>[] = [
  serverRow("no permissions", { collectives }),
  serverRow("two collectives", { collectives: ["choria", "acme"] }),
  serverRow("service_host", { collectives, permissions: { service_host: true } }, [], ["choria.broadcast.service.>"]),
  serverRow("submission", { collectives, permissions: { submission: true } }, ["choria.submission.in.>"]),
  serverRow("governor without streams", { collectives, permissions: { governor: true } }),
  serverRow("streams", { collectives, permissions: { streams: true } }, serverStreams, ["choria.republish.>"]),
  serverRow(
    "governor and streams",
    { collectives, permissions: { governor: true, streams: true } },
    [...serverStreams, "choria.governor.*"],
    ["choria.republish.>"],
  ),
  serverRow("subjects of its own", { collectives, pub_subjects: ["choria.node_metadata.>"] }, [
    "choria.node_metadata.>",
  ]),
];

/** A server that is not provisioned. */
export const unprovisionedRow: Row<undefined> = {
  name: "provisioning token",
  claims: undefined,
  publish: ["choria.lifecycle.>", "provisioning.reply.>", "provisioning.registration.>"],
  subscribe: [
    "provisioning.node.>",
    "provisioning.broadcast.agent.discovery",
    "provisioning.broadcast.agent.rpcutil",
    "provisioning.broadcast.agent.choria_util",
    "provisioning.broadcast.agent.choria_provision",
  ],
};
