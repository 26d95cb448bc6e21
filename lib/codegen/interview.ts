import { type AgentDdl, agentDdlSchema, decodeDdl } from "../ddl/mod.ts";
import { isObject, type JsonObject } from "../std/mod.ts";

/** Asks the questions of {@link interviewDdl}. */
export interface Interviewer {
  /** Ask for a text; `check` gives what is wrong with an answer. */
  text(question: string, fallback: string, check: (answer: string) => string | undefined): Promise<string>;
  choose(question: string, choices: readonly string[], fallback: string): Promise<string>;
  confirm(question: string, fallback: boolean): Promise<boolean>;
}

/** Takes every answer that can be taken without asking: where there is nobody to ask. */
export const quietInterviewer: Interviewer = {
  async text(question, fallback, check) {
    const reason = check(fallback);
    if (reason !== undefined) throw new Error(`Cannot do without an answer to "${question}": there is no terminal`);
    return fallback;
  },
  choose: async (_question, _choices, fallback) => fallback,
  confirm: async (_question, fallback) => fallback,
};

const displays = ["ok", "failed", "always"];
const types = ["string", "integer", "float", "number", "boolean", "list", "hash", "array"];
const providers = ["external", "ruby", "golang"];

/**
 * Make a DDL by questions. What is answered beforehand is not asked.
 *
 * @param given `name`, `description`, `author`, `version`, `license`, `url`, `timeout`, `provider`, `service` and
 * `actions`: a list with `name`, `description`, `display`, and `inputs` and `outputs` as lists of what a DDL holds and
 * a `name` each; what they leave out takes its default and is not asked.
 * @throws {Error} when an answer is of another form than it must be; {@link DdlError} when the whole is no DDL.
 */
export async function interviewDdl(given: JsonObject, ask: Interviewer): Promise<AgentDdl> {
  const answers = new Answers(given, ask, "");
  const metadata = {
    name: await answers.text("name", "Agent Name", "", matching(/^[a-z0-9_]+$/, "lower-case letters, digits and _")),
    description: await answers.text("description", "Description", "", present),
    author: await answers.text("author", "Author", "", present),
    version: await answers.text("version", "Version", "0.0.1", matching(/^\d+\.\d+\.\d+$/, "a version such as 1.2.3")),
    license: await answers.text("license", "License", "Apache-2.0", present),
    url: await answers.text("url", "URL", "https://example.net", present),
    timeout: Number(await answers.text("timeout", "Timeout in seconds", "10", matching(/^\d+$/, "seconds"))),
    provider: await answers.choose("provider", "Backend Provider", providers, "external"),
    service: await answers.confirm("service", "Is it a service, one host of which answers?", false),
  };
  const actions = await answers.list("actions", "Add an action?", interviewAction);
  return decodeDdl({ $schema: agentDdlSchema, metadata, actions }, metadata.name);
}

async function interviewAction(answers: Answers): Promise<JsonObject> {
  return {
    action: await answers.text("name", "Action Name", "", matching(/^[a-z][a-z0-9_]*$/, "a name in lower case")),
    description: await answers.text("description", "Description", "", present),
    display: await answers.choose("display", "Display Hint", displays, "failed"),
    input: named(await answers.list("inputs", "Add an input?", interviewInput)),
    output: named(await answers.list("outputs", "Add an output?", interviewOutput)),
    aggregate: answers.rest("aggregate"),
  };
}

async function interviewInput(answers: Answers): Promise<JsonObject> {
  const name = await answers.text("name", "Input Name", "", isProperty);
  const prompt = await answers.text("prompt", "Prompt", name, present);
  const description = await answers.text("description", "Description", "", present);
  const type = await answers.choose("type", "Data Type", types, "string");
  const optional = await answers.confirm("optional", "Optional?", false);
  const isText = type === "string";
  const length = isText
    ? await answers.text("maxlength", "Max Length", "512", matching(/^\d+$/, "a number"))
    : undefined;
  return {
    name,
    prompt,
    description,
    type,
    optional,
    ...(length === undefined ? {} : { maxlength: Number(length) }),
    ...(isText ? { validation: await answers.text("validation", "Validation", ".", present) } : {}),
    ...(type === "list" ? { list: await choices(answers) } : {}),
    ...defaultOf(answers.rest("default") ?? (await answers.text("default", "Default Value", "", anything)), type),
  };
}

async function interviewOutput(answers: Answers): Promise<JsonObject> {
  const name = await answers.text("name", "Output Name", "", isProperty);
  const description = await answers.text("description", "Description", "", present);
  const type = await answers.choose("type", "Data Type", types, "string");
  return {
    name,
    description,
    type,
    display_as: await answers.text("display_as", "Display As", name, present),
    ...defaultOf(answers.rest("default") ?? (await answers.text("default", "Default Value", "", anything)), type),
  };
}

async function choices(answers: Answers): Promise<unknown> {
  const given = answers.rest("list");
  if (given !== undefined) return given;
  const text = await answers.text("list", "Valid Values (comma separated)", "", present);
  return text
    .split(",")
    .map((choice) => choice.trim())
    .filter((choice) => choice !== "");
}

/** A default that was typed is turned into what its type says. */
function defaultOf(value: unknown, type: string): JsonObject {
  if (value === "") return {};
  if (typeof value !== "string" || type === "string" || type === "list") return { default: value };
  try {
    return { default: JSON.parse(value) };
  } catch {
    throw new Error(`Cannot use ${JSON.stringify(value)} as a default: it is no value of the type ${type}`);
  }
}

function named(items: readonly JsonObject[]): JsonObject {
  return Object.fromEntries(items.map(({ name, ...item }) => [String(name), item]));
}

type Check = (answer: string) => string | undefined;

const anything: Check = () => undefined;
const present: Check = (answer) => (answer === "" ? "an answer is needed" : undefined);
const isProperty = matching(/^[A-Za-z][\w-]*$/, "a name of letters, digits, _ and -");

function matching(pattern: RegExp, wanted: string): Check {
  return (answer) => (pattern.test(answer) ? undefined : `expected ${wanted}`);
}

/** What is not among the answers at a place takes its default. */
function answersOnly(place: string): Interviewer {
  return {
    ...quietInterviewer,
    async text(question, fallback, check) {
      const reason = check(fallback);
      if (reason !== undefined) throw new Error(`Cannot use the answer ${place}: the ${question} is missing`);
      return fallback;
    },
  };
}

/** Answers to questions: those given beforehand, and those of somebody who is asked. */
class Answers {
  readonly #given: JsonObject;
  readonly #ask: Interviewer;
  readonly #place: string;

  constructor(given: JsonObject, ask: Interviewer, place: string) {
    this.#given = given;
    this.#ask = ask;
    this.#place = place;
  }

  async text(key: string, question: string, fallback: string, check: Check): Promise<string> {
    const value = this.#given[key];
    if (value === undefined) return this.#ask.text(question, fallback, check);
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text !== "string") throw this.#bad(key, "expected a text");
    const reason = check(text);
    if (reason !== undefined) throw this.#bad(key, reason);
    return text;
  }

  async choose(key: string, question: string, choices: readonly string[], fallback: string): Promise<string> {
    const value = this.#given[key];
    if (value === undefined) return this.#ask.choose(question, choices, fallback);
    if (typeof value !== "string" || !choices.includes(value)) {
      throw this.#bad(key, `expected one of ${choices.join(", ")}`);
    }
    return value;
  }

  async confirm(key: string, question: string, fallback: boolean): Promise<boolean> {
    const value = this.#given[key];
    if (value === undefined) return this.#ask.confirm(question, fallback);
    if (typeof value !== "boolean") throw this.#bad(key, "expected true or false");
    return value;
  }

  /** Items of a list, each made by an interview of its own, as many as are given or wanted. */
  async list(key: string, question: string, each: (answers: Answers) => Promise<JsonObject>): Promise<JsonObject[]> {
    const value = this.#given[key];
    const made: JsonObject[] = [];
    if (value === undefined) {
      while (await this.#ask.confirm(question, false)) made.push(await each(new Answers({}, this.#ask, "")));
      return made;
    }
    if (!Array.isArray(value)) throw this.#bad(key, "expected a list");
    for (const [at, item] of value.entries()) {
      const place = `${this.#place}/${key}/${at}`;
      if (!isObject(item)) throw new Error(`Cannot use the answer ${place}: expected an object`);
      // Who writes actions down has written down all there is to them.
      made.push(await each(new Answers(item, answersOnly(place), place)));
    }
    return made;
  }

  /** An answer that is passed on as it is. */
  rest(key: string): unknown {
    return this.#given[key];
  }

  #bad(key: string, reason: string): Error {
    return new Error(`Cannot use the answer ${this.#place}/${key}: ${reason}`);
  }
}
