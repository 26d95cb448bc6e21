import { readFileSync, statSync } from "node:fs";
import { errorText } from "../std/mod.ts";
import { bcryptCost } from "./password.ts";
import { decodeUsers, type User } from "./user.ts";

/** Cost that is assumed where no user has a usable hash. */
const defaultCost = 10;

/** Where the users come from. */
export interface UserSource {
  /** Users of the configuration. */
  users: readonly User[];
  /** File whose users replace them; empty for none. */
  usersFile: string;
}

/**
 * Who may log in. The users' file is looked at before each login and read again when it changed; one that cannot be
 * read fails that login and leaves the users as they were until the file changes again.
 */
export class UserDirectory {
  readonly #file: string;
  #users = new Map<string, User>();
  #cost = defaultCost;
  #seen = "";

  constructor(source: UserSource) {
    this.#file = source.usersFile;
    this.#replace(source.users);
  }

  /** How many users there are. */
  get size(): number {
    return this.#users.size;
  }

  /** The bcrypt cost that most users' hashes have. */
  get cost(): number {
    return this.#cost;
  }

  /**
   * Look at the users' file, if there is one, and take over what changed.
   * @throws {Error} naming the file when it cannot be read or used.
   */
  refresh(): void {
    if (this.#file === "") return;
    try {
      const { mtimeMs, size, ino } = statSync(this.#file);
      const seen = `${mtimeMs} ${size} ${ino}`;
      if (seen === this.#seen) return;
      this.#seen = seen;
      this.#replace(decodeUsers(JSON.parse(readFileSync(this.#file, "utf8")), ""));
    } catch (error) {
      throw new Error(`Cannot use the users' file "${this.#file}": ${errorText(error)}`, { cause: error });
    }
  }

  /** The user of a name; undefined when there is none. */
  find(username: string): User | undefined {
    return this.#users.get(username);
  }

  #replace(users: readonly User[]): void {
    this.#users = new Map([...users].reverse().map((user) => [user.username, user]));
    this.#cost = commonCost(users);
  }
}

function commonCost(users: readonly User[]): number {
  const counts = new Map<number, number>();
  for (const { password } of users) {
    const cost = bcryptCost(password);
    if (cost !== undefined) counts.set(cost, (counts.get(cost) ?? 0) + 1);
  }
  const [common] = [...counts].sort((a, b) => b[1] - a[1]);
  return common?.[0] ?? defaultCost;
}
