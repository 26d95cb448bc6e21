/** What the provisioning agent can do to the server that it runs in. */
export interface NodeControl {
  /** Publish a lifecycle event of this server. */
  publishEvent(type: "provisioned" | "shutdown"): void;
  /** Leave the network and start again from what is on disk then, in the same process. */
  restart(): void;
  /** End the server for good. */
  shutdown(): void;
}
