/**
 * What a login may do on the broker: from the claims of a token to an account and the subjects that its holder may
 * publish and subscribe to. Pure; the broker enforces it and the command line shows it.
 *
 * @module
 */
export { clientPermissions } from "./client.ts";
export { type Account, type Permissions, type SubjectRules, unlimitedPermissions } from "./permissions.ts";
export { unprovisionedPermissions } from "./provisioning.ts";
export { serverPermissions } from "./server.ts";
export { isSubject } from "./subject.ts";
