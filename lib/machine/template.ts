import type { JsonObject } from "../std/mod.ts";

/** What templates of a machine may look up. */
export interface TemplateInput {
  readonly facts: Readonly<JsonObject>;
  readonly data: Readonly<JsonObject>;
}

/**
 * Fill in a template.
 *
 * @throws {Error} `template: machine:LINE:COLUMN: …` naming what is wrong.
 */
export function renderMachineTemplate(template: string, _input: TemplateInput): string {
  throw new Error(`template: machine:1: not supported yet: ${template.slice(0, 80)}`);
}
