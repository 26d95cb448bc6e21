import { join } from "node:path";
import type { NodeFiles } from "./node_files.ts";

/**
 * Replace a folder of policies by those given. Entries without a name or a text are passed over.
 *
 * @param ending What every name must end with, for example `.policy`.
 * @throws {Error} naming the entry when its name is not that of a file in the folder; nothing is changed then.
 */
export function writePolicies(
  files: NodeFiles,
  folder: string,
  policies: ReadonlyMap<string, string>,
  ending: string,
): void {
  const kept = [...policies].filter(([name, text]) => name !== "" && text !== "");
  for (const [name] of kept) {
    if (!name.endsWith(ending))
      throw new Error(`invalid policy file name ${JSON.stringify(name)}: expected *${ending}`);
    // The names come over the network: none may lead out of the folder.
    if (!/^[\w-][\w.-]*$/.test(name)) throw new Error(`invalid policy file name ${JSON.stringify(name)}`);
  }
  files.replaceFolder(folder, new Map(kept));
}

/** Where action policies lie, beside a configuration file. */
export function actionPolicyFolder(directory: string): string {
  return join(directory, "policies");
}

/** Where Rego policies lie. */
export function regoPolicyFolder(directory: string): string {
  return join(directory, "policies", "rego");
}
