/**
 * What commands show and ask on a terminal: colours, columns, tables, plots, progress bars and prompts. Knows
 * nothing of Choria.
 *
 * @module
 */
export { harmlessSink, harmlessText } from "./harmless.ts";
export { type Key, KeyDecoder, type KeyName } from "./keys.ts";
export { inColumns, indentLines, labelledLines } from "./layout.ts";
export { createPaint, type Paint, type PaintChoice, type PaintStyle, wantsColor } from "./paint.ts";
export { drawPane, type Pane } from "./pane.ts";
export { type PlotOptions, plotValues } from "./plot.ts";
export { barWidth, formatProgress, type ProgressBar, type ProgressState, startProgress } from "./progress.ts";
export { PromptAborted, type Prompter, terminalPrompter, terminalQuestions } from "./prompts.ts";
export { formatReport, type ReportRow, type ReportSection } from "./report.ts";
export { type KeySource, Screen, type ScreenOptions, type ScreenOutput } from "./screen.ts";
export { cutText, fitLine, type Line, type Span, textWidth } from "./spans.ts";
export { suggest } from "./suggest.ts";
export { formatTable, type TableContent } from "./table.ts";
export { openTerminal, type Terminal, type TerminalOptions, type TerminalStream, type TextSink } from "./terminal.ts";
