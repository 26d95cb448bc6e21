import { Command } from "commander";
import { brokersOf } from "../../../lib/connector/mod.ts";
import { nkeyFromKey } from "../../../lib/crypto/mod.ts";
import { joinCommand } from "../../../lib/process/mod.ts";
import { subjects } from "../../../lib/protocol/mod.ts";
import { credentialFiles, readCredentials } from "../../../lib/security/mod.ts";
import { systemClock, writeFileAtomic } from "../../../lib/std/mod.ts";
import { clientConfig, clientTerminal } from "../client/open.ts";
import { addBrokerFlags, type BrokerFlags, clientFlags } from "./session.ts";

const example = `
Example:
  choria broker credentials ~/.config/choria/client.nk

The key is a secret, and lasts until the next login.`;

/** `choria broker credentials`: what the `nats` command needs to log in to a broker. */
export function credentialsCommand(): Command {
  const credentials = new Command("credentials")
    .description("Write the key of your login as the nats command wants it, and show how that is called.")
    .argument("<file>", "file for the key");
  return addBrokerFlags(credentials)
    .addHelpText("after", example)
    .action(async (file: string, flags: BrokerFlags) => {
      const config = clientConfig(clientFlags(flags));
      const files = credentialFiles(config);
      const { key, holder } = readCredentials(files, systemClock.now());
      const servers = (await brokersOf(config)).map((host) => `tls://${host}`).join(",");
      writeFileAtomic(file, `${nkeyFromKey("user", key).seed}\n`, { mode: 0o600 });
      const inbox = subjects.inbox(config.mainCollective, holder);
      const authority = config.get("plugin.security.choria.ca");
      const ca = authority === "" ? [] : ["--tlsca", authority];
      const command = ["nats", "--server", servers, ...ca, "--inbox-prefix", inbox, "--nkey", file]
        .map(quoted)
        .join(" ");
      // The token is renewed at each login, so the shell reads it anew.
      clientTerminal(config).out.write(`${command} --token "$(cat ${quoted(files.tokenFile)})" stream ls\n`);
    });
}

/** A word of a shell's command, in quotes where it needs them. */
function quoted(word: string): string {
  return /^[\w.,:/@=+-]+$/.test(word) ? word : joinCommand([word]);
}
