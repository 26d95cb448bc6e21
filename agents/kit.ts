/**
 * Writes external agents as one typed TypeScript file: what an agent says about itself, what its actions take and give,
 * and their code. The DDL is generated from it. This file needs nothing but Bun and may be copied beside an agent.
 *
 * ```ts
 * #!/usr/bin/env -S bun --config=/dev/null --no-env-file
 * import { action, defineAgent } from "./kit.ts";
 *
 * export const dice = defineAgent({
 *   name: "dice",
 *   description: "Throws dice",
 *   author: "Ann <ann@example.net>",
 *   license: "Apache-2.0",
 *   version: "1.0.0",
 *   url: "https://example.net",
 *   timeout: 5,
 *   actions: {
 *     roll: action({
 *       description: "Throw one die",
 *       inputs: { sides: { type: "integer", prompt: "Sides", description: "How many sides", optional: true, default: 6 } },
 *       outputs: { thrown: { type: "integer", display_as: "Thrown", description: "What was thrown" } },
 *       run: ({ sides }) => ({ thrown: 1 + Math.floor(Math.random() * sides) }),
 *     }),
 *   },
 * });
 *
 * if (import.meta.main) await dice.serve();
 * ```
 *
 * @module
 */
import { readFileSync, writeFileSync, writeSync } from "node:fs";

/** A JSON object whose values have not been looked at yet. */
export type JsonObject = { [key: string]: unknown };

interface Item {
  description: string;
  /** What clients, and the kit, take where nothing is given. */
  default?: unknown;
}

interface AnyInput extends Item {
  /** What to ask somebody for. */
  prompt: string;
  /** @default false */
  optional?: boolean;
}

/** Text. Servers check texts only where there is a longest, so there has to be one. */
export interface StringInput extends AnyInput {
  type: "string";
  /** Longest text in bytes. */
  maxlength: number;
  /** `shellsafe`, `ipaddress`, `ipv4address`, `ipv6address` or a regular expression. */
  validation?: string;
}

/** One of some texts. */
export interface ListInput extends AnyInput {
  type: "list";
  list: readonly string[];
}

/** A value that its type says everything about. */
export interface PlainInput extends AnyInput {
  type: "integer" | "float" | "number" | "boolean" | "hash" | "array";
}

/** What an action takes. */
export type Input = StringInput | ListInput | PlainInput;

/** What an action gives. */
export interface Output extends Item {
  type: "string" | PlainInput["type"];
  /** Label for people. */
  display_as: string;
}

interface Types {
  string: string;
  integer: number;
  float: number;
  number: number;
  boolean: boolean;
  hash: JsonObject;
  array: unknown[];
  list: string;
}

type ValueOf<D extends Input | Output> = D extends { list: readonly (infer Choice)[] } ? Choice : Types[D["type"]];
type Flatten<T> = { [K in keyof T]: T[K] };

/** What is always there: what must be given or has a default. */
type Certain<I extends Record<string, Input>> = {
  [K in keyof I]: I[K] extends { default: unknown } ? K : I[K] extends { optional: true } ? never : K;
}[keyof I];

/** What an action is called with, by the declaration of its inputs. */
export type InputsOf<I extends Record<string, Input>> = Flatten<
  { [K in Certain<I>]: ValueOf<I[K]> } & { [K in Exclude<keyof I, Certain<I>>]?: ValueOf<I[K]> }
>;

/** What an action has to give, by the declaration of its outputs: everything that has no default. */
export type OutputsOf<O extends Record<string, Output>> = Flatten<
  { [K in keyof O as O[K] extends { default: unknown } ? never : K]: ValueOf<O[K]> } & {
    [K in keyof O as O[K] extends { default: unknown } ? K : never]?: ValueOf<O[K]>;
  }
>;

/** How clients sum up an output over many nodes. */
export interface Aggregate {
  function: "summary" | "average" | "chart";
  /** Name of the output. */
  output: string;
  /** For example `"Average %.2f"`. */
  format?: string;
}

/** The call that an action answers. Times are Unix seconds. */
export interface Call {
  agent: string;
  action: string;
  requestid: string;
  senderid: string;
  callerid: string;
  collective: string;
  ttl: number;
  msgtime: number;
}

/** What an action or an activation gets to work with. */
export interface Context {
  /** Facts of the node; none while it is asked whether to be active. */
  readonly facts: JsonObject;
  /** Settings of the agent, from `plugin.d/NAME` or `plugin.d/NAME.cfg` beside the server's configuration. */
  readonly config: Readonly<Record<string, string>>;
  readonly log: Log;
}

/** Where an agent reports: the server logs standard output as information and standard error as errors. */
export interface Log {
  info(message: string): void;
  error(message: string): void;
}

/** What an action with those inputs and outputs is made of. */
export interface ActionOptions<I extends Record<string, Input>, O extends Record<string, Output>> {
  description: string;
  /**
   * Which replies people are shown.
   * @default "failed"
   */
  display?: "ok" | "failed" | "always";
  inputs?: I;
  outputs?: O;
  aggregate?: readonly Aggregate[];
  /** Do it. Throw {@link ActionError} to say why it could not be done. */
  run(inputs: InputsOf<I>, context: Context & { readonly call: Call }): OutputsOf<O> | Promise<OutputsOf<O>>;
}

/** An action as an agent holds it. */
export interface Action {
  /** Its part of the DDL. */
  describe(name: string): JsonObject;
  run(inputs: JsonObject, context: Context & { readonly call: Call }): Promise<JsonObject>;
}

/** Declare an action; the types of inputs and outputs follow from their declarations. */
export function action<const I extends Record<string, Input>, const O extends Record<string, Output>>(
  options: ActionOptions<I, O>,
): Action {
  const { description, display = "failed", inputs, outputs, aggregate = [] } = options;
  const defaults = Object.entries(inputs ?? {}).flatMap(([name, input]) =>
    input.default === undefined ? [] : [[name, input.default]],
  );
  return {
    describe: (name) => ({
      action: name,
      input: mapValues(inputs ?? {}, describeInput),
      output: mapValues(outputs ?? {}, describeOutput),
      display,
      description,
      ...(aggregate.length === 0 ? {} : { aggregate: aggregate.map(describeAggregate) }),
    }),
    // The server has checked the inputs against the DDL, which says the same as their types.
    run: async (given, context) => options.run({ ...Object.fromEntries(defaults), ...given } as InputsOf<I>, context),
  };
}

/** Codes of replies: how an action ended. */
export type StatusCode = 0 | 1 | 2 | 3 | 4 | 5;

/** Thrown by an action to end with a status of its own. */
export class ActionError extends Error {
  override readonly name = "ActionError";
  readonly statuscode: StatusCode;
  /** Outputs that go with the failure. */
  readonly data: JsonObject;

  /**
   * @param message The reply's status message.
   * @param options.statuscode Default 1, aborted; 3 is missing data, 4 invalid data.
   * @param options.data Default `{}`.
   */
  constructor(message: string, options: { statuscode?: StatusCode; data?: JsonObject } = {}) {
    super(message);
    this.statuscode = options.statuscode ?? 1;
    this.data = options.data ?? {};
  }
}

/** What an agent is made of. */
export interface AgentOptions {
  /** Lower-case letters, digits and underscores. */
  name: string;
  description: string;
  author: string;
  license: string;
  version: string;
  url: string;
  /** Longest run of an action in seconds, at least 2. */
  timeout: number;
  /**
   * One host of the network answers instead of all.
   * @default false
   */
  service?: boolean;
  /** Whether it is to be active on this node; it always is by default. */
  activate?(context: Context): boolean | Promise<boolean>;
  actions: Readonly<Record<string, Action>>;
}

/** What an agent replies to a call. */
export interface Reply {
  statuscode: StatusCode;
  /** Empty when all went well. */
  statusmsg: string;
  data: JsonObject;
}

/** An agent: to be served by {@link Agent.serve}, or called by tests without a network. */
export interface Agent {
  readonly name: string;
  /** The DDL as JSON text, with a line end. */
  ddl(): string;
  /** Call an action as a server would. Never rejects. */
  call(action: string, inputs?: JsonObject, context?: Partial<Context & { call: Partial<Call> }>): Promise<Reply>;
  /** Whether it wants to be active. */
  isActive(context?: Partial<Context>): Promise<boolean>;
  /** Answer what the server asks for in the environment, or print the DDL when run with `--ddl`; then end. */
  serve(): Promise<never>;
}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** How a program that an agent ran has ended. */
export interface Execution {
  /** Exit code; that of a shell, 128 and the signal's number, when a signal ended it. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

/**
 * Run a program, found on PATH, without a shell and with plain English output. Time is the server's to limit.
 *
 * @param env Variables beside those of the agent.
 * @throws {ActionError} when it cannot be started.
 */
export async function execute(command: readonly string[], env: Record<string, string> = {}): Promise<Execution> {
  try {
    const child = Bun.spawn([...command], {
      env: { ...process.env, LC_ALL: "C", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const text = (stream: ReadableStream) => new Response(stream).text();
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), child.exited]);
    return { exitCode, stdout, stderr };
  } catch (error) {
    throw new ActionError(`Could not run ${command[0]}: ${reasonOf(error)}`);
  }
}

/** Whether a program of that name is on PATH. */
export function hasProgram(name: string): boolean {
  return Bun.which(name, { PATH: process.env.PATH ?? "" }) !== null;
}

const protocols = "io.choria.mcorpc.external.v1";

/** Make an agent. */
export function defineAgent(options: AgentOptions): Agent {
  const { name } = options;
  const agent: Agent = {
    name,
    ddl: () => `${JSON.stringify(describeAgent(options), null, 2)}\n`,
    call: (action, inputs = {}, context = {}) => answer(options, action, inputs, context),
    isActive: async (context = {}) => (await options.activate?.({ ...emptyContext(), ...context })) ?? true,
    serve: async () => process.exit(await serve(agent)),
  };
  return agent;
}

async function answer(
  { name, actions }: AgentOptions,
  action: string,
  inputs: JsonObject,
  given: Partial<Context & { call: Partial<Call> }>,
): Promise<Reply> {
  const chosen = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (chosen === undefined) return { statuscode: 2, statusmsg: `Unknown action ${action} for agent ${name}`, data: {} };
  const call = { ...emptyCall, agent: name, action, ...given.call };
  const context = Object.defineProperties(emptyContext(), Object.getOwnPropertyDescriptors(given));
  try {
    return { statuscode: 0, statusmsg: "", data: await chosen.run(inputs, Object.assign(context, { call })) };
  } catch (error) {
    if (error instanceof ActionError) {
      return { statuscode: error.statuscode, statusmsg: error.message, data: error.data };
    }
    return { statuscode: 5, statusmsg: `${name}#${action} failed: ${reasonOf(error)}`, data: {} };
  }
}

/** Gives the exit code. */
async function serve(agent: Agent): Promise<number> {
  if (process.argv.includes("--ddl")) {
    writeFileSync(1, agent.ddl());
    return 0;
  }
  const { CHORIA_EXTERNAL_PROTOCOL: protocol, CHORIA_EXTERNAL_REPLY: replyFile = "" } = process.env;
  const reply = (document: object) => writeFileSync(replyFile, JSON.stringify(document));
  switch (protocol) {
    case `${protocols}.activation_request`:
      reply({ activate: await agent.isActive(nodeContext()) });
      return 0;
    case `${protocols}.rpc_request`: {
      const text = readFileSync(process.env.CHORIA_EXTERNAL_REQUEST ?? "", "utf8");
      const { data, ...call } = JSON.parse(text) as Call & { data?: JsonObject };
      reply(await agent.call(call.action, data ?? {}, Object.assign(nodeContext(), { call })));
      return 0;
    }
    default:
      streams.error(`This is the agent ${agent.name}: Choria Server runs it; --ddl prints its DDL`);
      return 1;
  }
}

/** Read only when an action asks: most need neither. */
function nodeContext(): Context {
  const { CHORIA_EXTERNAL_FACTS: factsFile = "", CHORIA_EXTERNAL_CONFIG: configFile = "" } = process.env;
  return {
    get facts() {
      return JSON.parse(readOr(factsFile, "") || "{}") as JsonObject;
    },
    get config() {
      return parseConfig(readOr(configFile, undefined) ?? readOr(`${configFile}.cfg`, ""));
    },
    log: streams,
  };
}

const streams: Log = {
  info: (message) => void writeSync(1, `${message}\n`),
  error: (message) => void writeSync(2, `${message}\n`),
};

function emptyContext(): Context {
  return { facts: {}, config: {}, log: streams };
}

const emptyCall: Omit<Call, "agent" | "action"> = {
  requestid: "",
  senderid: "",
  callerid: "",
  collective: "",
  ttl: 60,
  msgtime: 0,
};

function readOr<T>(path: string, otherwise: T): string | T {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

function parseConfig(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim());
  const settings = lines.flatMap((line) => {
    const found = line.startsWith("#") ? null : /^(.+?)\s*=\s*(.+)$/.exec(line);
    return found === null ? [] : [[found[1], found[2]]];
  });
  return Object.fromEntries(settings);
}

function describeAgent(options: AgentOptions): JsonObject {
  const { license, author, timeout, name, version, url, description, service } = options;
  return {
    $schema: "https://choria.io/schemas/mcorpc/ddl/v1/agent.json",
    metadata: { license, author, timeout, name, version, url, description, provider: "external", service },
    actions: Object.entries(options.actions).map(([name, action]) => action.describe(name)),
  };
}

function mapValues<T>(items: Readonly<Record<string, T>>, map: (item: T) => JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(items).map(([key, item]) => [key, map(item)]));
}

function describeInput(input: Input): JsonObject {
  const { prompt, description, type, optional = false, default: value } = input;
  const { validation, maxlength } = type === "string" ? input : {};
  const list = type === "list" ? input.list : undefined;
  return { prompt, description, type, optional, default: value, validation, maxlength, list };
}

function describeOutput({ description, display_as, type, default: value }: Output): JsonObject {
  return { description, display_as, type, default: value };
}

function describeAggregate({ function: name, output, format }: Aggregate): JsonObject {
  return { function: name, args: format === undefined ? [output] : [output, { format }] };
}
