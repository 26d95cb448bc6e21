import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { errorText } from "../../std/mod.ts";
import { Pulse } from "../pulse.ts";
import type { Watcher, WatcherContext, WatcherKind, WatcherSnapshot } from "../watcher.ts";
import { intervalOf } from "./_interval.ts";
import { manageFile } from "./_managed_file.ts";
import { type Properties, readProperties } from "./_properties.ts";

const defaultInterval = 5_000;

/**
 * Watches a file, or keeps one as it should be, at each interval and whenever the machine changes its state. A file that
 * changed, or had to be written, fires the success transition; one that is missing or cannot be written the fail
 * transition. Publishes `path` (absolute) and `previous_outcome` (`unknown`, `error`, `skipped`, `unchanged`, `changed`).
 */
export const kind: WatcherKind = {
  type: "file",
  create(context) {
    const properties = readProperties(context.definition.properties, fileProperties);
    const { mode } = properties;
    if (mode !== "" && !mode.startsWith("0")) {
      context.logger.warn("A mode without a leading 0 is a decimal number", { mode });
    }
    return new FileWatcher(context, properties, intervalOf(context.definition, defaultInterval));
  },
};

interface FileProperties {
  path: string;
  remembersStart: boolean;
  contents: string;
  owner: string;
  group: string;
  mode: string;
}

function fileProperties(properties: Properties): FileProperties {
  const found = {
    path: properties.required("path"),
    remembersStart: properties.flag("gather_initial_state"),
    contents: properties.text("contents"),
    owner: properties.text("owner"),
    group: properties.text("group"),
    mode: properties.text("mode"),
  };
  if (found.contents !== "") {
    for (const name of ["owner", "group", "mode"] as const) {
      if (found[name] === "") throw new Error(`${name} is required when managing content`);
    }
    if (!/^\d+$/.test(found.mode)) throw new Error("invalid mode, must be a string like 0700");
  }
  return found;
}

type Outcome = "error" | "skipped" | "unchanged" | "changed";

class FileWatcher implements Watcher {
  readonly #context: WatcherContext;
  readonly #properties: FileProperties;
  readonly #path: string;
  readonly #pulse: Pulse;
  #outcome: Outcome | "unknown" = "unknown";
  /** When the file was changed last, in milliseconds since the epoch. */
  #changedAt = 0;
  /** Whether the time of the start is known, where that is to be remembered. */
  #gathered: Promise<void> = Promise.resolve();

  constructor(context: WatcherContext, properties: FileProperties, interval: number) {
    this.#context = context;
    this.#properties = properties;
    this.#path = resolve(context.machine.folder, properties.path);
    this.#pulse = new Pulse(context, { interval, beat: () => this.#beat() });
  }

  start(): void {
    if (this.#properties.remembersStart) this.#gathered = this.#gather();
    this.#pulse.start();
  }

  stateChanged(): void {
    this.#pulse.poke();
  }

  snapshot(): WatcherSnapshot {
    const { machine, definition } = this.#context;
    return {
      fields: { path: this.#path, previous_outcome: this.#outcome },
      text: `${machine.name}#${definition.name} path: ${this.#path}, previous: ${this.#outcome}`,
    };
  }

  async #beat(): Promise<void> {
    await this.#gathered;
    const { signal, isActive, announce, succeed, fail } = this.#context;
    this.#outcome = isActive() ? await this.#look() : "skipped";
    if (signal.aborted || this.#outcome === "skipped" || this.#outcome === "unchanged") return;
    announce();
    await (this.#outcome === "changed" ? succeed() : fail());
  }

  async #gather(): Promise<void> {
    this.#changedAt = await changeTime(this.#path).catch(() => 0);
  }

  async #look(): Promise<Outcome> {
    try {
      return (await (this.#properties.contents === "" ? this.#watch() : this.#manage())) ? "changed" : "unchanged";
    } catch (error) {
      this.#changedAt = 0;
      this.#context.logger.error("The file is not as it should be", { file: this.#path, reason: errorText(error) });
      return "error";
    }
  }

  async #watch(): Promise<boolean> {
    const time = await changeTime(this.#path);
    const isNewer = time > this.#changedAt;
    this.#changedAt = time;
    return isNewer;
  }

  async #manage(): Promise<boolean> {
    const { render } = this.#context;
    const { contents, owner, group, mode } = this.#properties;
    const wanted = {
      path: this.#path,
      contents: await render(contents),
      owner: await render(owner),
      group: await render(group),
      mode: await render(mode),
    };
    const hasChanged = await manageFile(wanted, this.#changedAt);
    this.#changedAt = await changeTime(this.#path);
    return hasChanged;
  }
}

async function changeTime(path: string): Promise<number> {
  return (await stat(path)).mtimeMs;
}
