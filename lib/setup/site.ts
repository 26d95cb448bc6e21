import { join } from "node:path";
import type { Layout } from "./layout.ts";

/** Where the roles of a network find one another and their own files, as they themselves see it. */
export interface Site {
  /** Name of the network in audit records and metrics. */
  readonly name: string;
  /** Host name or address of each role that others connect to. */
  readonly hosts: { readonly broker: string; readonly aaa: string; readonly plugins: string; readonly nats: string };
  /** Address on which the roles listen. */
  readonly listen: string;
  /** Where the servers' configuration puts their files: beside it, or where a packaged server has them. */
  readonly serverLayout: "folder" | "system";
  /** A file of somebody's keys and tokens. */
  credential(owner: string, file: string): string;
  /** A configuration file of a role. */
  config(role: string, file: string): string;
  /** What a role keeps. */
  data(role: string): string;
  /** The log of a role, where it writes one beside its output. */
  log(name: string): string;
}

/** Everything on this machine, in one folder. */
export function localSite(layout: Layout): Site {
  return {
    name: "local",
    hosts: { broker: "127.0.0.1", aaa: "127.0.0.1", plugins: "127.0.0.1", nats: "127.0.0.1" },
    listen: "127.0.0.1",
    serverLayout: "folder",
    credential: (owner, file) => layout.credential(owner, file),
    config: (role, file) => layout.config(role, file),
    data: (role) => layout.data(role),
    log: (name) => layout.log(name),
  };
}

/** Folder of a role in its container, by the names that {@link Layout} has for roles. */
const containerFolders: Readonly<Record<string, string>> = {
  broker: "/etc/choria",
  aaa: "/etc/aaasvc",
  aaasvc: "/etc/aaasvc",
  provisioner: "/etc/choria-provisioner",
  "stream-replicator": "/etc/stream-replicator",
};

/** A container for each role, with the folders and host names of the original's compose environment. */
export const composeSite: Site = {
  name: "compose",
  hosts: {
    broker: "broker.choria.local",
    aaa: "aaa.choria.local",
    plugins: "plugins.choria.local",
    nats: "nats.choria.local",
  },
  listen: "0.0.0.0",
  serverLayout: "system",
  credential: (owner, file) => join(containerFolder(owner), "credentials", file),
  config: (role, file) => join(containerFolder(role), role === "stream-replicator" ? "" : role, file),
  data: (role) => (role.startsWith("client") ? join("~/.config/choria", role.slice("client".length)) : "/data"),
  log: (name) => `/tmp/${name}.json`,
};

function containerFolder(role: string): string {
  const folder = containerFolders[role];
  if (folder === undefined) throw new Error(`The role "${role}" has no folder in a container`);
  return folder;
}
