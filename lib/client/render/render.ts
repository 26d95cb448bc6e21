import { createPaint, openTerminal, type TextSink } from "../../cli/mod.ts";
import type { FleetRequest } from "../request.ts";
import type { RequestStats } from "../stats.ts";
import { jsonLinesWriter, jsonWriter } from "./json.ts";
import { sendersWriter } from "./senders.ts";
import { tableWriter } from "./table.ts";
import { footerText, type TextOptions, textWriter } from "./text.ts";
import type { DisplayChoice, ResultWriter } from "./writer.ts";

/** How results may be written: as `choria req` does, or the figures alone. */
export const renderFormats = ["text", "table", "json", "jsonl", "senders", "footer"] as const;

/** One of the {@link renderFormats}. */
export type RenderFormat = (typeof renderFormats)[number];

/** How {@link renderRequest} writes. */
export interface RenderOptions {
  /** @default "text" */
  format?: RenderFormat;
  /**
   * Which replies are written as text.
   * @default as the DDL has it
   */
  display?: DisplayChoice;
  /**
   * Every reply in full, and all figures.
   * @default false
   */
  verbose?: boolean;
  /**
   * Leave the figures away where text is written.
   * @default false
   */
  silent?: boolean;
  /**
   * Whether texts are coloured.
   * @default false
   */
  color?: boolean;
  /**
   * Whether replies are sorted by the names of their senders.
   * @default false
   */
  sort?: boolean;
}

/**
 * Make a call and write its results: what has to wait for all of them at the end, everything else as it comes.
 *
 * @param out Where texts go, for example `process.stdout`.
 * @returns the figures of the call.
 * @throws {Error} what the call throws.
 */
export async function renderRequest(
  request: FleetRequest,
  out: TextSink,
  options: RenderOptions = {},
): Promise<RequestStats> {
  const writer = writerOf(out, options);
  for await (const reply of request) writer.reply(reply, request);
  writer.finish?.();
  writer.end(request);
  return request.stats;
}

function writerOf(out: TextSink, options: RenderOptions): ResultWriter {
  const { format = "text", sort = false } = options;
  switch (format) {
    case "json":
      return jsonWriter(out, sort);
    case "jsonl":
      return jsonLinesWriter(out);
    case "senders":
      return sendersWriter(out, false, sort);
    case "table":
      return tableWriter(textWriter(textOptions(out, options)), out, sort);
    case "text":
      return textWriter(textOptions(out, options));
    case "footer":
      return footerWriter(out, options);
  }
}

function textOptions(out: TextSink, options: RenderOptions): TextOptions {
  const { display, verbose = false, silent = false, color = false, sort = false } = options;
  return {
    terminal: { ...openTerminal({ stdout: out, stderr: out, env: {} }), paint: createPaint(color) },
    out,
    display,
    sort,
    isVerbose: verbose,
    hasFigures: !silent,
    hasProgress: false,
    tellsDiscovery: false,
  };
}

function footerWriter(out: TextSink, { verbose = false, color = false }: RenderOptions): ResultWriter {
  return {
    discovering() {},
    discovered() {},
    reply() {},
    end: ({ stats }) => out.write(footerText(stats, verbose, createPaint(color))),
  };
}
