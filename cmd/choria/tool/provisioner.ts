import { readFileSync } from "node:fs";
import { Command } from "commander";
import { decodeProvisioningToken, type ProvisioningSettings, provisioningBrokers } from "../../../lib/server/mod.ts";
import { errorText } from "../../../lib/std/mod.ts";

/** Where a packaged server finds its provisioning token. */
const packaged = "/etc/choria/provisioning.jwt";

const examples = `
Examples:
  choria tool provisioner
  choria tool provisioner ./provisioning.jwt`;

/** `choria tool provisioner`: where a node of this machine would be provisioned. */
export function provisionerCommand(): Command {
  return new Command("provisioner")
    .description("Show which brokers a provisioning token leads to.")
    .argument("[token]", `provisioning token; that in CHORIA_PROVISIONING_JWT, else ${packaged}, by default`)
    .addHelpText("after", examples)
    .action((token: string | undefined) => showBrokers(token ?? (process.env.CHORIA_PROVISIONING_JWT || packaged)));
}

async function showBrokers(file: string): Promise<void> {
  const settings = readToken(file);
  const { srvDomain } = settings;
  const way = srvDomain === undefined ? `the URLs in ${file}` : `the SRV records of ${srvDomain}, as ${file} says`;
  process.stdout.write(`Attempting provisioner resolution using: ${way}\n`);
  const brokers = await provisioningBrokers(settings);
  if (brokers.length === 0) throw new Error(`Cannot find a broker for provisioning: there is none by ${way}`);
  process.stdout.write(
    `Provisioning using ${brokers.length} broker(s):\n\n${brokers.map((one) => `  ${one}\n`).join("")}`,
  );
}

function readToken(file: string): ProvisioningSettings {
  try {
    return decodeProvisioningToken(readFileSync(file, "utf8"), file);
  } catch (error) {
    throw new Error(`Cannot use the provisioning token ${file}: ${errorText(error)}`, { cause: error });
  }
}
