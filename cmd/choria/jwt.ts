import { Command } from "commander";
import { checkCommand } from "./jwt/check.ts";
import { clientCommand } from "./jwt/client.ts";
import { type JwtContext, processContext } from "./jwt/context.ts";
import { keysCommand } from "./jwt/keys.ts";
import {
  createProvisioningToken,
  type ProvisioningFlags,
  provisioningCommand,
  provisioningOptions,
} from "./jwt/provisioning.ts";
import { serverCommand } from "./jwt/server.ts";
import { viewCommand, viewToken } from "./jwt/view.ts";

const examples = `
With nothing but a file, the token in it is shown, and checked against a public key where one follows.

Examples:
  $ choria jwt keys issuer.seed issuer.public
  $ choria jwt client admin.jwt up=admin issuer.seed --public-key admin.public --org-admin
  $ choria jwt admin.jwt issuer.public`;

/** `choria jwt`: makes keys and tokens and shows them. */
export function command(context: JwtContext = processContext()): Command {
  const jwt = new Command("jwt")
    .summary("Create and inspect keys and tokens")
    .description("Create and inspect keys and tokens.")
    .usage("[options] FILE [PUBLIC] | COMMAND")
    .addHelpText("after", examples);
  const parts = [keysCommand, clientCommand, serverCommand, provisioningCommand, viewCommand, checkCommand];
  for (const part of parts) jwt.addCommand(part(context));
  return jwt.addCommand(fileCommand(jwt, context), { isDefault: true, hidden: true });
}

/**
 * What is done where no sub-command is named: `choria jwt FILE [PUBLIC]` shows a token, and the older form
 * `choria jwt FILE SIGNING-KEY --srv DOMAIN --token SECRET` makes a provisioning token. Its name is one that no file has.
 */
function fileCommand(jwt: Command, context: JwtContext): Command {
  const command = new Command("(file)")
    .argument("[file]")
    .argument("[key]")
    .option("--json")
    .action((file: string | undefined, key: string | undefined, flags: ProvisioningFlags & { json?: boolean }) => {
      if (file === undefined) return jwt.help({ error: true });
      if (!isCreation(command)) return viewToken(file, key, flags.json ?? false, context);
      if (key === undefined) return command.error("error: missing required argument 'signing-key'");
      return createProvisioningToken(file, key, flags, context);
    });
  // Before provisioning had a sub-command of its own, its tokens demanded security unless told otherwise.
  for (const option of provisioningOptions(false)) command.addOption(option);
  return command;
}

function isCreation(command: Command): boolean {
  return Object.keys(command.opts()).some((name) => name !== "json" && command.getOptionValueSource(name) === "cli");
}
