import { readFileSync, statSync } from "node:fs";
import { type GossOptions, type GossOutcome, validateWithGoss } from "../machine/mod.ts";
import { statusCodes } from "../protocol/mod.ts";
import { ActionError } from "../rpc/mod.ts";
import { errorText, type JsonObject } from "../std/mod.ts";

/** What callers may check with rules of Goss. */
export interface GossSettings {
  /** `plugin.scout.overrides`: variables of rules that come with none; empty for no such file. */
  overridesFile: string;
  /** Types of resources that rules on the node may not check. */
  deniedLocal: readonly string[];
  /** Types of resources that rules, or variables, that come with a request may not check. */
  deniedRemote: readonly string[];
  /**
   * Runs the rules.
   * @default validateWithGoss
   */
  validate?: (options: GossOptions) => Promise<GossOutcome>;
}

/** Longest run, a little less than the agent's own time, in milliseconds. */
const patience = 18_000;
/** Longest inputs, in bytes. */
const longestPath = 256;
const longestText = 5_120;

/**
 * The action `goss_validate`: check the node against rules in a file of its own, or against rules that came with the
 * request.
 *
 * @throws {ActionError} saying which inputs do not go together, or `Could not validate: E`.
 */
export async function gossValidate(data: JsonObject, settings: GossSettings, signal: AbortSignal): Promise<JsonObject> {
  const [file, yamlRules] = [text(data, "file", longestPath), text(data, "yaml_rules", longestText)];
  const [varsFile, yamlVars] = [text(data, "vars", longestPath), text(data, "yaml_vars", longestText)];
  if (file === "" && yamlRules === "") throw new ActionError("One of rules or file is required");
  if (file !== "" && yamlRules !== "") throw new ActionError("Only one of rules or file can be supplied");
  if (varsFile !== "" && yamlVars !== "") throw new ActionError("Only one of yaml_vars or vars can be supplied");
  const isRemote = yamlRules !== "" || yamlVars !== "";
  const { validate = validateWithGoss } = settings;
  try {
    const vars = yamlVars || readVars(varsFile, settings);
    const outcome = await validate({
      rules: file === "" ? { yaml: yamlRules } : { file },
      denied: isRemote ? settings.deniedRemote : settings.deniedLocal,
      timeout: patience,
      signal,
      ...(vars === "" ? {} : { vars }),
    });
    return { ...outcome };
  } catch (error) {
    throw new ActionError(`Could not validate: ${errorText(error)}`);
  }
}

/** Largest file of variables, in bytes. */
const largestFile = 1_024 * 1_024;

function readVars(file: string, { overridesFile }: GossSettings): string {
  if (file !== "") return readSmallFile(file);
  try {
    return overridesFile === "" ? "" : readSmallFile(overridesFile);
  } catch {
    return "";
  }
}

/** Callers name the file: a device would never end, and a log may be larger than memory. */
function readSmallFile(file: string): string {
  const stats = statSync(file);
  if (stats.isFile() && stats.size <= largestFile) return readFileSync(file, "utf8");
  throw new Error(`${file} is not a file of at most ${largestFile} bytes`);
}

function text(data: JsonObject, key: string, most: number): string {
  const value = data[key] ?? "";
  if (typeof value === "string" && Buffer.byteLength(value) <= most) return value;
  throw new ActionError(`Validation failed: input '${key}' is not a text of at most ${most} bytes`, {
    statuscode: statusCodes.invalidData,
  });
}
