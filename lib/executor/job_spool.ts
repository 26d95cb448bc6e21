import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { processStat } from "../process/mod.ts";
import { errorCode, errorText, isFile, parseObject, writeFileAtomic } from "../std/mod.ts";
import { decodeJob, encodeJob, isJobId, type Job, JobError, type JobExit } from "./job.ts";
import { type JobQuery, matchesQuery } from "./query.ts";

/** Paths of a job's files. */
export interface JobFiles {
  spec: string;
  pid: string;
  stdout: string;
  stderr: string;
  exit: string;
}

/** The folder of jobs: one folder a job, with `spec.json`, `pid`, `stdout`, `stderr` and, at the end, `exit`. */
export class JobSpool {
  readonly #folder: string;

  /** @throws {JobError} `spool not configured` without a folder; the system's error when it cannot be made. */
  constructor(folder: string) {
    if (folder === "") throw new JobError("spool not configured");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
  }

  /** The paths of a job's files. */
  files(id: string): JobFiles {
    const path = (name: string) => join(this.#folder, id, name);
    return {
      spec: path("spec.json"),
      pid: path("pid"),
      stdout: path("stdout"),
      stderr: path("stderr"),
      exit: path("exit"),
    };
  }

  /**
   * Give a job its folder.
   * @throws {JobError} `duplicate job` when it has one.
   */
  create(job: Job): void {
    try {
      mkdirSync(join(this.#folder, job.id), { mode: 0o700 });
    } catch (error) {
      throw errorCode(error) === "EEXIST" ? new JobError("duplicate job") : error;
    }
    this.save(job);
  }

  /** Write a job down again. */
  save(job: Job): void {
    writeFileAtomic(this.files(job.id).spec, encodeJob(job), { mode: 0o600 });
  }

  /**
   * A job as it was last written down.
   * @throws {JobError} `specification not found`, or that it cannot be used.
   */
  load(id: string): Job {
    if (!isJobId(id) || !isFile(this.files(id).spec)) throw new JobError("specification not found");
    const job = decodeJob(readFileSync(this.files(id).spec));
    if (job.id !== id) throw new JobError("specification could not be loaded");
    return job;
  }

  /** Every job that is wanted, oldest first. Folders that hold none are passed over. */
  list(query: JobQuery): Job[] {
    const jobs = readdirSync(this.#folder).flatMap((id) => this.#loadIfAny(id));
    const wanted = jobs.filter((job) => {
      return matchesQuery(job, { isStarted: this.isStarted(job.id), isRunning: this.isRunning(job.id) }, query);
    });
    return wanted.sort((a, b) => a.created - b.created);
  }

  /** Whether a job's command was ever started. */
  isStarted(id: string): boolean {
    return isFile(this.files(id).pid);
  }

  /** Whether a job's command runs. */
  isRunning(id: string): boolean {
    if (isFile(this.files(id).exit) || !this.isStarted(id)) return false;
    try {
      return this.#isOurs(id, this.pid(id));
    } catch {
      return false;
    }
  }

  /**
   * The process id of a job's command.
   * @throws {JobError} `invalid pid file…`.
   */
  pid(id: string): number {
    let text: string;
    try {
      text = readFileSync(this.files(id).pid, "utf8");
    } catch (error) {
      throw new JobError(`invalid pid file: ${errorText(error)}`);
    }
    const pid = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (pid <= 1) throw new JobError(`invalid pid file: ${text === "" ? "0 length pid" : "impossible pid"}`);
    return pid;
  }

  /** How a job's command ended; undefined when that is not known. */
  exit(id: string): JobExit | undefined {
    try {
      const { code, error } = parseObject(readFileSync(this.files(id).exit));
      return { code: typeof code === "number" ? code : -1, error: typeof error === "string" ? error : "" };
    } catch {
      return undefined;
    }
  }

  /** How much a job's command has printed, in bytes. */
  outputBytes(id: string, stream: "stdout" | "stderr"): number {
    return statSync(this.files(id)[stream], { throwIfNoEntry: false })?.size ?? 0;
  }

  /**
   * Send a signal to a job's command.
   * @throws {JobError} when it does not run, and the system's error.
   */
  signal(id: string, signal: number): void {
    if (!this.isRunning(id)) throw new JobError("process is not running");
    process.kill(this.pid(id), signal);
  }

  #loadIfAny(id: string): Job[] {
    try {
      return [this.load(id)];
    } catch {
      return [];
    }
  }

  /** After a restart of the machine a process id may be somebody else's, who then started after the file was written. */
  #isOurs(id: string, pid: number): boolean {
    process.kill(pid, 0);
    const written = statSync(this.files(id).pid).mtimeMs;
    const started = startOf(pid);
    return started === undefined || started <= written + startTolerance;
  }
}

/** Starts are known to a hundredth of a second, and the machine's clock may have been set since. */
const startTolerance = 5_000;

/** When a process was started, in milliseconds since the epoch; undefined where the system does not tell. */
function startOf(pid: number): number | undefined {
  try {
    const boot = Number(/^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]);
    const start = boot * 1_000 + (processStat(pid)?.startTicks ?? Number.NaN) * 10;
    return Number.isNaN(start) ? undefined : start;
  } catch {
    return undefined;
  }
}
