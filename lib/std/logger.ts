import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { default as Pino, Logger as PinoLogger } from "pino";
import { safeFields, withoutTokens } from "./_redact.ts";

/** How much is logged; each level includes those after it. */
export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";

/** Facts that go beside a log message: ids, counts, names. Never secrets, tokens or passwords. */
export type LogFields = { readonly [key: string]: unknown };

/** Where a part of the system reports what happens. Messages are plain sentences; ids go into fields. */
export interface Logger {
  /** Details for somebody who looks for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** What an operator may want to know afterwards. */
  info(message: string, fields?: LogFields): void;
  /** Something is off but work goes on. */
  warn(message: string, fields?: LogFields): void;
  /** Something failed. */
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Where {@link createLogger} writes, and what. */
export interface LoggerOptions {
  /** @default "info" */
  level?: LogLevel;
  /**
   * `stdout`, `stderr`, `discard`, or the path of a file, to which JSON lines are appended.
   * @default "stdout"
   */
  destination?: string;
  /**
   * `text` gives `time="…" level=info msg="…" key=value` lines, `json` one object a line.
   * @default "text" for stdout and stderr, "json" for files
   */
  format?: "text" | "json";
}

/** A logger that says nothing. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/**
 * Make a logger. Each line is on its way to the kernel when the call returns, so nothing is lost when the
 * process ends.
 *
 * @throws the system's error when the log file cannot be opened.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = "info", destination = "stdout" } = options;
  if (destination === "discard") return silentLogger;
  const isStream = destination === "stdout" || destination === "stderr";
  const { format = isStream ? "text" : "json" } = options;
  const sink = openSink(destination);
  const stream = format === "json" ? sink : { write: (line: string) => sink.write(toText(line)) };
  return wrap(
    loadPino()(
      {
        level,
        base: null,
        messageKey: "msg",
        formatters: { level: (label) => ({ level: label === "warn" ? "warning" : label }) },
        timestamp: () => `,"time":"${isoSeconds(Date.now())}"`,
      },
      stream,
    ),
  );
}

/** Whether a text names a {@link LogLevel}. */
export function isLogLevel(text: string): text is LogLevel {
  return ["debug", "info", "warn", "error", "fatal"].includes(text);
}

interface Sink {
  write(line: string): void;
}

/** Most that waits while nothing can be written, as on a full disk; what is more is lost. In bytes. */
const maxWaiting = 1024 * 1024;

/**
 * The descriptor of a standard stream; 0 for files. Its file in `/dev` is taken for the stream itself: where that is a
 * socket, as under systemd, or a pipe of another user, nobody can open it.
 */
function standardStream(destination: string): number {
  return ["stdout", "stderr"].indexOf(destination.replace(/^\/dev\//, "")) + 1;
}

function openSink(destination: string): Sink {
  const stream = standardStream(destination);
  if (stream === 0) mkdirSync(dirname(destination), { recursive: true });
  const dest = stream === 0 ? destination : stream;
  const sink = loadPino().destination({ dest, sync: true, append: true, maxLength: maxWaiting });
  // A log that cannot be written must not end what is logged about; it goes on when there is room again.
  sink.on("error", () => undefined);
  return sink;
}

/** Loaded with the first logger: commands that end in a few milliseconds log nothing. */
function loadPino(): typeof Pino {
  return require("pino");
}

function wrap(target: PinoLogger): Logger {
  const at = (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) => {
    if (target.isLevelEnabled(level)) target[level](safeFields(fields ?? {}), withoutTokens(message));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(target.child(safeFields(fields))),
  };
}

function toText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.keys(fields)
    .sort()
    .map((key) => ` ${key}=${quote(fields[key])}`);
  return `time="${time}" level=${level} msg=${JSON.stringify(msg)}${rest.join("")}\n`;
}

function quote(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w.:/@^+-]+$/.test(text) ? text : JSON.stringify(text);
}

function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
