import { join } from "node:path";

/** The listeners of a local network, all on 127.0.0.1. */
export interface Ports {
  /** @default 4222 */
  broker: number;
  /** Statistics of the broker. @default 8222 */
  stats: number;
  /** Login and signing. @default 8080 */
  aaa: number;
  /** Metrics of the AAA service. @default 8081 */
  aaaMonitor: number;
  /** Metrics of the provisioner. @default 8083 */
  provisionerMonitor: number;
  /** Web server with the plugins that servers fetch; 0 for any free one. @default 0 */
  plugins: number;
  /** NATS server of no organization, which the replicator copies to; 0 for 4223 or any free one. @default 0 */
  nats: number;
  /** Metrics of the replicator; 0 for 8082 or any free one. @default 0 */
  replicatorMonitor: number;
}

/** Ports that a new network gets where none are asked for. */
export const defaultPorts: Ports = {
  broker: 4222,
  stats: 8222,
  aaa: 8080,
  aaaMonitor: 8081,
  provisionerMonitor: 8083,
  plugins: 0,
  nats: 0,
  replicatorMonitor: 0,
};

/** Where everything of a local network lies: one folder, which can be thrown away. */
export class Layout {
  /** The folder, absolute. */
  readonly root: string;

  /** @param root Absolute path of the state folder. */
  constructor(root: string) {
    this.root = root;
  }

  /** A file of somebody's keys and tokens, in the folders that the compose environment uses. */
  credential(owner: string, file: string): string {
    return join(this.root, "credentials", owner, file);
  }

  /** A configuration file of a role. */
  config(role: string, file: string): string {
    return join(this.root, "config", role, file);
  }

  /** What a role keeps. */
  data(role: string): string {
    return join(this.root, "data", role);
  }

  /** The log of a process. */
  log(name: string): string {
    return join(this.root, "logs", `${name}.log`);
  }

  /** Process ids of what was started. */
  pid(name: string): string {
    return join(this.root, "run", `${name}.pid`);
  }

  /** The folder of one server: nothing but a provisioning token at first. */
  server(identity: string, file = ""): string {
    return join(this.root, "servers", identity, file);
  }

  /** Ports and size of the network. */
  get network(): string {
    return join(this.root, "network.json");
  }

  /** Tools that were installed for this checkout. */
  get tools(): string {
    return join(this.root, "tools");
  }
}
