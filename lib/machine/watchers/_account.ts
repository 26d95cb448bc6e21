import { readFile } from "node:fs/promises";
import { runProcess } from "../../process/mod.ts";

const databases = { passwd: "/etc/passwd", group: "/etc/group" } as const;

/** Longest wait for a directory service, in milliseconds. */
const lookupTimeout = 5_000;

/**
 * The id of a user (`passwd`) or a group: of those in the host's files, or else whom the host's directory services know.
 * A number stands for itself.
 *
 * @throws {Error} where there is none of that name.
 */
export async function accountId(database: keyof typeof databases, name: string): Promise<number> {
  if (/^\d+$/.test(name)) return Number(name);
  const local = idIn(await readFile(databases[database], "utf8").catch(() => ""), name);
  const id = local ?? idIn(await askServices(database, name), name);
  if (id === undefined) throw new Error(`There is no ${database === "passwd" ? "user" : "group"} "${name}"`);
  return id;
}

async function askServices(database: string, name: string): Promise<string> {
  try {
    const { stdout } = await runProcess(["getent", database, "--", name], { timeout: lookupTimeout });
    return new TextDecoder().decode(stdout);
  } catch {
    return "";
  }
}

/** Each line is `name:password:id:…`. */
function idIn(text: string, name: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${name}:`));
  const id = line?.split(":")[2];
  return id === undefined || !/^\d+$/.test(id) ? undefined : Number(id);
}
