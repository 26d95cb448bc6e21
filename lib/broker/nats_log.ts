import type { Logger } from "../std/mod.ts";

/** A line that nats-server logged. */
export interface NatsLogLine {
  level: "debug" | "info" | "warn" | "error";
  message: string;
  /** Whether it has no level of its own, as what nats-server says before it has read its configuration. */
  isBare: boolean;
}

const levels: Readonly<Record<string, NatsLogLine["level"]>> = {
  TRC: "debug",
  DBG: "debug",
  INF: "info",
  WRN: "warn",
  ERR: "error",
  FTL: "error",
};
/** Brokers that share no secret have an account each for logins, which the others hear of and need not know. */
const foreignAccount = /Unknown account "AUTH-[0-9a-f]{16}" for remote subject/;
const token = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g;

/**
 * Read a line of nats-server's log; undefined for those that tell nothing, such as its banner. Whatever looks like a
 * token is blotted out.
 */
export function parseNatsLog(line: string): NatsLogLine | undefined {
  const match = /^\[\d+\] (?:[\d/]+ [\d:.]+ )?\[([A-Z]{3})\] ?(.*)$/.exec(line.trimEnd());
  const [, label = "", text = line.trim()] = match ?? [];
  if (!/[a-zA-Z0-9]/.test(text) || foreignAccount.test(text)) return undefined;
  const level = levels[label];
  return { level: level ?? "warn", message: text.trim().replace(token, "*****"), isBare: level === undefined };
}

/** Log each line of a stream as ours; resolves at its end. */
export async function forwardNatsLog(
  stream: ReadableStream<Uint8Array>,
  logger: Logger,
  onLine: (line: NatsLogLine) => void,
): Promise<void> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      const line = parseNatsLog(text);
      if (line === undefined) continue;
      logger[line.level](line.message);
      onLine(line);
    }
  }
}
