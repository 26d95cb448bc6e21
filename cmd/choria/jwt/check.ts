import { Command, Option } from "commander";
import { type CheckFormat, checkFormats, formatCheck } from "./check_format.ts";
import { checkToken, type Expectations } from "./check_token.ts";
import type { JwtContext } from "./context.ts";
import { collect, lifetime } from "./create.ts";

const example = `
Example:
  $ choria jwt check server.jwt --purpose server --issuer issuer.public --validity-min 30d`;

/** `choria jwt check FILE`: a check as monitoring systems run them. */
export function checkCommand(context: JwtContext): Command {
  return new Command("check")
    .summary("Check a token for a monitoring system")
    .description("Check a token for a monitoring system: exits with 0 when it is as expected, else with 2.")
    .argument("<file>", "file with the token")
    .addOption(new Option("--purpose <kind>", "what it is for").choices(["client", "server", "provisioning"]))
    .option("--validity-min <duration>", "it is valid for at least this long", lifetime)
    .option("--validity-max <duration>", "it is valid for at most this long", lifetime)
    .option("--chain-issuer", "its holder may issue others")
    .option("--no-chain-issuer", "its holder may not issue others")
    .option("--issuer <key>", "this public key stands behind it, directly or by a chain: hex or a file")
    .option("--client-opa", "it carries a policy")
    .option("--sub <subject>", "it allows to subscribe to this subject (may be repeated)", collect)
    .option("--pub <subject>", "it allows to publish to this subject (may be repeated)", collect)
    .option("--identity <name>", "its caller id or identity")
    .option(
      "--query <expression>",
      'this holds for its claims, such as: "mcollective" in collectives (may be repeated)',
      collect,
    )
    .addOption(new Option("--format <format>", "how to write the result").choices(checkFormats).default("nagios"))
    .addHelpText("after", example)
    .action((file: string, flags: Expectations & { format: CheckFormat }) => run(file, flags, flags.format, context));
}

async function run(file: string, expected: Expectations, format: CheckFormat, context: JwtContext): Promise<void> {
  const result = await checkToken(file, expected, context.clock.now());
  context.out.write(`${formatCheck(file, result, format)}\n`);
  if (result.critical.length > 0 && format !== "prometheus") context.setExitCode(2);
}
