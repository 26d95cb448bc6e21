import type {
  AgentDdl,
  DdlAction,
  DdlAggregate,
  DdlInput,
  DdlMetadata,
  DdlOutput,
  DisplayMode,
  ValueType,
} from "../ddl.ts";

/** An agent that Choria itself brings. */
export function agentDdl(
  metadata: Pick<DdlMetadata, "name" | "description" | "timeout"> & Partial<DdlMetadata>,
  actions: readonly DdlAction[],
): AgentDdl {
  const about = { author: "Choria on Bun", license: "Apache-2.0", version: "0.29.4", url: "https://choria.io" };
  return { metadata: { ...about, ...metadata }, actions };
}

/** An action. */
export function action(
  name: string,
  description: string,
  parts: {
    display: DisplayMode;
    input?: Record<string, DdlInput>;
    output?: Record<string, DdlOutput>;
    /** Outputs that are summed up by counting their values. */
    summaries?: readonly string[];
  },
): DdlAction {
  const { display, input = {}, output = {}, summaries = [] } = parts;
  const aggregate: DdlAggregate[] = summaries.map((item) => ({ function: "summary", output: item, options: {} }));
  return { name, description, display, input, output, aggregate };
}

/** An output. */
export function output(display_as: string, type: ValueType, description: string, fallback?: unknown): DdlOutput {
  return {
    description,
    display_as,
    ...(type === "" ? {} : { type }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

/** A text that must be given, unless the extras say otherwise. */
export function textInput(
  prompt: string,
  description: string,
  validation: string,
  maxlength: number,
  extras: { optional?: boolean; default?: string } = {},
): DdlInput {
  return { prompt, description, type: "string", optional: false, validation, maxlength, ...extras };
}
