import { Command } from "commander";
import { decodeManifest, machineDot, machineSvg } from "../../../lib/machine/mod.ts";
import { writeFileAtomic } from "../../../lib/std/mod.ts";
import { parseChoice } from "../client/filters.ts";
import { readManifest } from "./folder.ts";

interface GraphFlags {
  format: (typeof formats)[number];
  svg?: string;
}

const formats = ["dot", "svg"] as const;

const examples = `
Examples:
  choria machine graph machines/check_choria | dot -Tpng > check.png
  choria machine graph machines/check_choria --svg check.svg`;

/** `choria machine graph`: the states of a machine as a picture. */
export function graphCommand(): Command {
  return new Command("graph")
    .description("Draw the states of a machine and the transitions between them.")
    .argument("<folder>", "folder of the machine, or its machine.yaml")
    .option("--format <format>", `what to write: ${formats.join(" or ")}`, parseChoice(formats), "dot")
    .option("--svg <file>", "write an SVG picture to this file")
    .addHelpText("after", examples)
    .action((folder: string, flags: GraphFlags) => {
      const { manifest } = decodeManifest(readManifest(folder));
      if (flags.svg !== undefined) writeFileAtomic(flags.svg, machineSvg(manifest));
      else process.stdout.write(flags.format === "svg" ? machineSvg(manifest) : machineDot(manifest));
    });
}
