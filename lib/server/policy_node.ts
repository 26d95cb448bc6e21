import type { ServerNode } from "./node.ts";

/** What policies on a node may look at. */
export type PolicyNode = Pick<ServerNode, "facts" | "classes" | "agents" | "isProvisioning">;
