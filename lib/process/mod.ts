/**
 * Programs that somebody else wrote, run under control: a time limit that takes their whole process group along, a
 * limit on what they may print, input on stdin; and what the system says of any process.
 *
 * @module
 */
export { joinCommand, type SplitOptions, splitCommand } from "./command_line.ts";
export { type ProcessStat, processStat, signalProcess } from "./process_stat.ts";
export { ProcessError, type ProcessFault, type RunOptions, type RunResult, runProcess } from "./run.ts";
