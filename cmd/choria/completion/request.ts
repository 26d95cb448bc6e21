import type { AgentDdl, DdlAction, DdlInput } from "../../../lib/ddl/mod.ts";
import { type Completion, type Completions, directives } from "./complete.ts";
import type { KnownDdls } from "./ddls.ts";

/** What a word of `choria req AGENT ACTION KEY=VALUE` may become. */
export async function completeRequest(given: readonly string[], last: string, ddls: KnownDdls): Promise<Completions> {
  const [agent, name, ...inputs] = given;
  if (agent === undefined) return { items: await ddls.agents(), directive: directives.noFiles };
  const ddl = await ddls.find(agent);
  if (name === undefined) return { items: actionsOf(ddl), directive: directives.noFiles };
  const action = ddl?.actions.find((one) => one.name === name);
  if (action === undefined) return { items: [], directive: directives.noFiles };
  const at = last.indexOf("=");
  if (at > 0) return { items: valuesOf(action, last.slice(0, at)), directive: directives.noFiles };
  return { items: inputsOf(action, inputs), directive: directives.noSpaceNoFiles };
}

function actionsOf(ddl: AgentDdl | undefined): Completion[] {
  return (ddl?.actions ?? []).map(({ name, description }) => ({ value: name, description }));
}

/** Inputs that have not been given, those that must be first. */
function inputsOf(action: DdlAction, given: readonly string[]): Completion[] {
  const isGiven = (name: string) => given.some((word) => word.startsWith(`${name}=`));
  return Object.entries(action.input)
    .filter(([name]) => !isGiven(name))
    .sort(([, a], [, b]) => Number(a.optional) - Number(b.optional))
    .map(([name, { description, prompt }]) => ({ value: `${name}=`, description: description || prompt }));
}

function valuesOf(action: DdlAction, name: string): Completion[] {
  const input: DdlInput | undefined = Object.hasOwn(action.input, name) ? action.input[name] : undefined;
  const choices = input?.type === "boolean" ? ["true", "false"] : (input?.list ?? []);
  return choices.map((choice) => ({ value: `${name}=${choice}` }));
}
