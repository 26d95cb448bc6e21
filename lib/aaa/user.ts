import { isObject } from "../std/mod.ts";
import { type ClientPermissions, clientPermissionNames, defaultOrganization } from "../tokens/mod.ts";
import { Fields, kindOf } from "./_fields.ts";

/** Somebody who may log in, as the user list describes them. */
export interface User {
  username: string;
  /** Bcrypt hash: a secret of sorts, never logged. */
  password: string;
  /** `ou` of the user's tokens. */
  organization: string;
  /** `agents` claim. */
  acls: string[];
  /** `opa_policy` claim; wins over the file. */
  opaPolicy: string;
  /** File that holds the policy, read at every login. */
  opaPolicyFile: string;
  /** `user_properties` claim. */
  properties: Record<string, string>;
  /** `permissions` claim; undefined where the list says nothing of them. */
  permissions: ClientPermissions | undefined;
}

/**
 * Read a list of users.
 *
 * @param path Where it stands, for complaints.
 * @throws {Error} naming the path of the value that cannot be used; values themselves are not repeated.
 */
export function decodeUsers(value: unknown, path: string): User[] {
  if (!Array.isArray(value)) throw new Error(`${path || "/"}: expected a list of users, found ${kindOf(value)}`);
  return value.map((item, index) => decodeUser(new Fields(item, `${path}/${index}`)));
}

function decodeUser(fields: Fields): User {
  return {
    username: fields.requiredText("username"),
    password: fields.text("password"),
    organization: fields.text("organization") || defaultOrganization,
    acls: fields.texts("acls"),
    opaPolicy: fields.text("opa_policy"),
    opaPolicyFile: fields.text("opa_policy_file"),
    properties: fields.textMap("properties"),
    permissions: decodePermissions(fields),
  };
}

function decodePermissions(fields: Fields): ClientPermissions | undefined {
  const given = fields.object("broker_permissions");
  if (given === undefined) return undefined;
  const names = clientPermissionNames.filter((name) => given.flag(name));
  const permissions: unknown = Object.fromEntries(names.map((name) => [name, true]));
  return isObject(permissions) ? permissions : undefined;
}
