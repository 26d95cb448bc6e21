import type { Permissions } from "./permissions.ts";

/**
 * A server that is not provisioned yet, which shows a provisioning token: it answers the provisioner and reports
 * that it is there, nothing else.
 */
export function unprovisionedPermissions(): Permissions {
  return {
    account: "provisioning",
    publish: {
      allow: ["choria.lifecycle.>", "provisioning.reply.>", "provisioning.registration.>"],
      deny: [],
    },
    subscribe: {
      allow: [
        "provisioning.node.>",
        "provisioning.broadcast.agent.discovery",
        "provisioning.broadcast.agent.rpcutil",
        "provisioning.broadcast.agent.choria_util",
        "provisioning.broadcast.agent.choria_provision",
      ],
      deny: [],
    },
    dropped: [],
  };
}
