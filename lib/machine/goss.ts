import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ProcessError, type RunResult, runProcess } from "../process/mod.ts";
import { isObject, type JsonObject, parseObject } from "../std/mod.ts";
import { loadYaml } from "./_yaml.ts";

/** What {@link validateWithGoss} checks, and what it may not. */
export interface GossOptions {
  /** Path of a file of rules, or the rules themselves as YAML. */
  rules: { file: string } | { yaml: string };
  /**
   * Variables for the templates of the rules, as YAML or JSON.
   * @default none
   */
  vars?: string;
  /** Types of resources that are left out, for example `command`: their tests come back as skipped. */
  denied: readonly string[];
  /** Longest run in milliseconds. */
  timeout: number;
  signal?: AbortSignal;
}

/** What goss found, with the names of the scout agent's reply. */
export interface GossOutcome {
  tests: number;
  failures: number;
  skipped: number;
  success: number;
  /** Seconds. */
  runtime: number;
  /** One line: `Count: 2, Failed: 1, Duration: 0.000s`. */
  summary: string;
  /** Each test as goss tells of it: `result` is 0 for passed, 1 for failed, 2 for skipped. */
  results: JsonObject[];
}

/**
 * Check this host against rules of goss (goss.rocks), with the program `goss` that is on the PATH.
 *
 * @throws {Error} when goss is not installed, cannot read the rules, or takes too long.
 */
export async function validateWithGoss(options: GossOptions): Promise<GossOutcome> {
  const program = Bun.which("goss", { PATH: process.env.PATH ?? "" });
  if (program === null) throw new Error("the program goss is not on the PATH of the server");
  const folder = mkdtempSync(join(tmpdir(), "choria-goss-"));
  try {
    const goss = new Goss(program, folder, options);
    return outcomeOf(parseObject(await goss.validate()));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Goss {
  readonly #program: string;
  readonly #folder: string;
  readonly #options: GossOptions;
  readonly #rules: string;
  readonly #globals: readonly string[];

  constructor(program: string, folder: string, options: GossOptions) {
    this.#program = program;
    this.#folder = folder;
    this.#options = options;
    this.#rules = "file" in options.rules ? resolve(options.rules.file) : this.#keep("rules.yaml", options.rules.yaml);
    this.#globals = options.vars === undefined ? [] : ["--vars", this.#keep("vars.yaml", options.vars)];
  }

  async validate(): Promise<string> {
    const rules = this.#options.denied.length === 0 ? this.#rules : await this.#withoutDenied();
    return this.#run(["-g", rules, ...this.#globals, "validate", "--format", "json"]);
  }

  /**
   * The rules as they are once templates and imports are resolved, with what is denied switched off. They are what is
   * run then: another look at the original might give others.
   */
  async #withoutDenied(): Promise<string> {
    const denied = new Set(this.#options.denied.map((type) => type.toLowerCase()));
    const rendered: unknown = loadYaml().parse(await this.#run(["-g", this.#rules, ...this.#globals, "render"]));
    if (!isObject(rendered)) throw new Error("the rules hold no tests");
    const allowed = Object.entries(rendered)
      .filter(([type]) => type !== "gossfile")
      .map(([type, resources]) => [type, denied.has(type.toLowerCase()) ? skipped(resources) : resources]);
    // Goss takes any file of rules for a template.
    const text = JSON.stringify(Object.fromEntries(allowed)).replaceAll("{{", '{{"{{"}}');
    return this.#keep("allowed.json", text);
  }

  #keep(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async #run(args: readonly string[]): Promise<string> {
    const { timeout, signal } = this.#options;
    const result = await runProcess([this.#program, ...args], {
      timeout,
      captureStderr: true,
      endWithProgram: true,
      cwd: dirname(this.#rules),
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      throw error instanceof ProcessError ? new Error(`goss did not finish: ${error.message}`) : error;
    });
    return outputOf(result);
  }
}

/** Goss ends with 0 or 1 once it has checked; anything else is an error that it prints. */
function outputOf({ exitCode, stdout, stderr }: RunResult): string {
  if (exitCode === 0 || exitCode === 1) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stdout.length > 0 ? stdout : stderr).trim();
  throw new Error(said.replace(/^Error: /, "").slice(0, 1_000) || `goss ended with exit code ${exitCode}`);
}

function skipped(resources: unknown): unknown {
  if (!isObject(resources)) return {};
  const all = Object.entries(resources);
  return Object.fromEntries(all.map(([id, resource]) => [id, { ...(isObject(resource) ? resource : {}), skip: true }]));
}

function outcomeOf({ results, summary }: JsonObject): GossOutcome {
  if (!Array.isArray(results) || !isObject(summary)) throw new Error("goss printed something else than its results");
  const count = (name: string) => (typeof summary[name] === "number" ? summary[name] : 0);
  const [tests, failures, skips] = [count("test-count"), count("failed-count"), count("skipped-count")];
  const runtime = count("total-duration") / 1e9;
  return {
    tests,
    failures,
    skipped: skips,
    success: tests - failures - skips,
    runtime,
    summary: `Count: ${tests}, Failed: ${failures}, Duration: ${runtime.toFixed(3)}s`,
    results: results.filter(isObject),
  };
}
