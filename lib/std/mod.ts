/**
 * What every room needs and no room should write twice: durations, waiting times, atomic files, exact JSON,
 * ids, the clock and the logger. Knows nothing of Choria beyond the spelling of its durations and ids.
 *
 * @module
 */
export { type Backoff, backoff, fiveSecondSteps, twentySecondSteps } from "./backoff.ts";
export { Channel } from "./channel.ts";
export { type Clock, systemClock } from "./clock.ts";
export { type DurationOptions, formatDuration, formatRemaining, parseDuration } from "./duration.ts";
export { errorChain, errorCode, errorText } from "./errors.ts";
export { isFile, type WriteOptions, writeFileAtomic } from "./files.ts";
export { escapeHtml, goJson } from "./go_json.ts";
export {
  decodeUtf8,
  encodeUtf8,
  isObject,
  isStringList,
  type Json,
  type JsonObject,
  jsonLine,
  parseExact,
  parseObject,
  showUtf8,
} from "./json.ts";
export { type Ksuid, newKsuid, parseKsuid } from "./ksuid.ts";
export {
  createLogger,
  isLogLevel,
  type LogFields,
  type Logger,
  type LoggerOptions,
  type LogLevel,
  silentLogger,
} from "./logger.ts";
export { LruMap } from "./lru.ts";
export { serveMetrics } from "./metrics_server.ts";
export { Semaphore } from "./semaphore.ts";
export { formatGoTime, formatRfc3339, formatRfc3339Nanos, zeroTime } from "./time.ts";
export { TroubleLog } from "./trouble_log.ts";
export { formatBytes, formatCount, formatSpan, parseBytes } from "./units.ts";
export { version } from "./version.ts";
