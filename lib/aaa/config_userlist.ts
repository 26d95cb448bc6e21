import { errorText, parseDuration } from "../std/mod.ts";
import type { Fields } from "./_fields.ts";
import { decodeUsers, type User } from "./user.ts";

/** `userlist_authenticator` of the configuration. */
export interface UserlistConfig {
  /** Users of the configuration itself, which those of the file replace. */
  users: User[];
  /** JSON file of users, looked at again whenever it changes; empty for none. */
  usersFile: string;
  /** Lifetime of the tokens, in milliseconds. */
  validity: number;
  /** File of the key that signs the tokens. */
  signingKey: string;
  /** File of the chain issuer's token; empty where the key alone vouches. */
  signingToken: string;
}

/**
 * Read the settings of the user list.
 * @throws {Error} naming the key's path.
 */
export function decodeUserlist(fields: Fields): UserlistConfig {
  return {
    users: decodeUsers(fields.list("users"), `${fields.path}/users`),
    usersFile: fields.text("users_file"),
    validity: decodeValidity(fields),
    signingKey: fields.requiredText("signing_key"),
    signingToken: fields.text("signing_token"),
  };
}

function decodeValidity(fields: Fields): number {
  try {
    const validity = parseDuration(fields.text("validity"), { units: "go" });
    if (validity >= 1_000) return validity;
  } catch (error) {
    throw fields.error("validity", `invalid token validity: ${errorText(error)}`);
  }
  throw fields.error("validity", "invalid token validity: it must be one second or more");
}
