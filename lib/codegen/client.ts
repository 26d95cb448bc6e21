import { type AgentDdl, type DdlAction, encodeDdl } from "../ddl/mod.ts";
import { actionFile, isNeeded, typeNames } from "./_action.ts";
import { byName, camel, pascal } from "./_names.ts";
import { docComment, lineWidth, literal } from "./_text.ts";

/** How {@link generateClient} writes. */
export interface ClientOptions {
  /**
   * What the client's files import the library from.
   * @default "choria"
   */
  library?: string;
}

/** A file to be written. */
export interface GeneratedFile {
  /** Without any folder. */
  name: string;
  text: string;
  /** The action it is for. */
  action?: string;
}

/** Members that every client has, so that no action may take their place. */
const taken = ["constructor", "with", "discover", "ddl", "fleet", "options", "merged", "call"];

/**
 * A typed client of an agent: one file for each action, the DDL, the client and their `mod.ts`.
 *
 * @throws {Error} naming the action or output whose name cannot be that of a file or a method.
 */
export function generateClient(ddl: AgentDdl, { library = "choria" }: ClientOptions = {}): GeneratedFile[] {
  const actions = ddl.actions.toSorted((a, b) => byName(a.name, b.name));
  checkNames(actions);
  return [
    ...actions.map((action) => ({
      name: `action_${action.name}.ts`,
      text: actionFile(ddl.metadata.name, action),
      action: action.name,
    })),
    { name: "ddl.json", text: `${encodeDdl(ddl)}\n` },
    { name: "client.ts", text: clientFile(ddl, actions, library) },
    { name: "ddl.ts", text: ddlFile(ddl, library) },
    { name: "mod.ts", text: modFile(ddl, actions, library) },
  ];
}

function checkNames(actions: readonly DdlAction[]): void {
  const seen = new Map<string, string>();
  for (const { name, input, output } of actions) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) {
      throw new Error(`Cannot generate a client: ${JSON.stringify(name)} cannot be the name of an action`);
    }
    const twin = seen.get(methodName(name));
    if (twin !== undefined) throw new Error(`Cannot generate a client: ${twin} and ${name} would be one method`);
    seen.set(methodName(name), name);
    if ([...Object.keys(input), ...Object.keys(output)].includes("__proto__")) {
      throw new Error(`Cannot generate a client: ${name} has an input or output named __proto__`);
    }
  }
}

function methodName(action: string): string {
  const name = camel(action);
  return taken.includes(name) ? `${name}Action` : name;
}

function className(ddl: AgentDdl): string {
  return `${pascal(ddl.metadata.name)}Client`;
}

function clientFile(ddl: AgentDdl, actions: readonly DdlAction[], library: string): string {
  const name = className(ddl);
  const imports = actions.map((action) => {
    const { inputs, outputs } = typeNames(action.name);
    return importLine(hasInputs(action) ? [inputs, outputs] : [outputs], `./action_${action.name}.ts`);
  });
  return `import { type ActionOptions, type ActionRequest, AgentClient, type Fleet } from "${library}";
${imports.join("")}import { ddl } from "./ddl.ts";

${docComment([`Calls the agent ${ddl.metadata.name}: ${ddl.metadata.description}`])}export class ${name} extends AgentClient<typeof ddl> {
  /**
   * @param fleet The connection to the network.
   * @param options How calls are made unless they say otherwise: filters, discovery, batches, progress.
   */
  constructor(fleet: Fleet, options: ActionOptions = {}) {
    super(fleet, ddl, options);
  }

  /** This client with further options; of those given already the new ones count, filters add up. */
  override with(options: ActionOptions): ${name} {
    return new ${name}(this.fleet, this.merged(options));
  }
${actions.map(method).join("")}}
`;
}

/** A lone name keeps its line however long that gets, as formatters have it. */
function importLine(names: readonly string[], place: string): string {
  const line = `import type { ${names.join(", ")} } from "${place}";`;
  if (names.length === 1 || line.length <= lineWidth) return `${line}\n`;
  return `import type {\n${names.map((name) => `  ${name},\n`).join("")}} from "${place}";\n`;
}

function hasInputs(action: DdlAction): boolean {
  return Object.keys(action.input).length > 0;
}

function method(action: DdlAction): string {
  const { inputs, outputs } = typeNames(action.name);
  const canLack = !Object.values(action.input).some(isNeeded);
  const given = hasInputs(action) ? [`inputs: ${inputs}${canLack ? " = {}" : ""}`] : [];
  const head = signature(methodName(action.name), [...given, "options: ActionOptions = {}"], outputs);
  const body = `    return this.call("${action.name}", ${hasInputs(action) ? "inputs" : "{}"}, options);\n  }\n`;
  return `\n${docComment([action.description || action.name], "  ")}${head}${body}`;
}

function signature(name: string, parameters: readonly string[], outputs: string): string {
  const result = `): ActionRequest<${outputs}> {\n`;
  const line = `  ${name}(${parameters.join(", ")}${result}`;
  if (line.length - 1 <= lineWidth) return line;
  return `  ${name}(\n${parameters.map((parameter) => `    ${parameter},\n`).join("")}  ${result}`;
}

function ddlFile(ddl: AgentDdl, library: string): string {
  return `import type { AgentDdl } from "${library}";

/** What the agent ${ddl.metadata.name} takes and gives. */
export const ddl = ${literal(ddl)} as const satisfies AgentDdl;
`;
}

function modFile(ddl: AgentDdl, actions: readonly DdlAction[], library: string): string {
  const { name, version, description } = ddl.metadata;
  const exports = actions.map((action) => {
    const { inputs, outputs } = typeNames(action.name);
    return importLine([inputs, outputs], `./action_${action.name}.ts`).replace(/^import/, "export");
  });
  const about = docComment([
    `Client of the agent ${name}, version ${version || "unknown"}: ${description}`,
    example(ddl, actions[0], library),
    "@module",
  ]);
  return `${about}${exports.join("")}export { ${className(ddl)} } from "./client.ts";\nexport { ddl } from "./ddl.ts";\n`;
}

function example(ddl: AgentDdl, action: DdlAction | undefined, library: string): string {
  if (action === undefined) return "";
  const needed = Object.keys(action.input).filter((name) => {
    const input = action.input[name];
    return input !== undefined && isNeeded(input);
  });
  const inputs = !hasInputs(action) ? "" : needed.length === 0 ? "{}" : `{ ${needed.join(", ")} }`;
  return `\`\`\`ts
import { connectFleet, loadConfig } from "${library}";
import { ${className(ddl)} } from "./${ddl.metadata.name}/mod.ts";

await using fleet = await connectFleet(loadConfig("client.conf", { kind: "client" }));
const client = new ${className(ddl)}(fleet, { filter: { facts: ["country=mt"] } });
for await (const reply of client.${methodName(action.name)}(${inputs})) {
  console.log(reply.sender, reply.ok ? reply.data : reply.statusmsg);
}
\`\`\``;
}
