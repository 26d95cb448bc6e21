import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { compileRe2 } from "../../lib/re2/mod.ts";
import { decodeItem, parseReplicatorDuration, type TrackedItem } from "../../lib/replicator/mod.ts";
import { formatRemaining, isObject, type JsonObject, zeroTime } from "../../lib/std/mod.ts";

interface StateFlags {
  since?: string | undefined;
  advised: boolean;
  value?: string | undefined;
  values?: true | undefined;
  json?: true | undefined;
}

/** A value as a state file has it. */
interface StoredItem extends TrackedItem {
  value: string;
  /** As the file has it, times to the nanosecond. */
  raw: JsonObject;
}

/** `admin state`: what limiters know, from their state files. */
export function stateCommand() {
  return new Command("state")
    .description("Search state files for values")
    .argument("<dir>", "folder of state files, or one of them")
    .option("--since <duration>", "only values that were seen so long ago or later")
    .option("--no-advised", "leave out values whose silence was told")
    .option("--value <regex>", "only values that match")
    .option("--values", "show the values alone, each once")
    .option("--json", "show JSON")
    .addHelpText(
      "after",
      `
Examples:
  stream-replicator admin state /var/lib/stream-replicator
  stream-replicator admin state /var/lib/stream-replicator --value example.net$ --since 1h --values`,
    )
    .action((folder, flags) => console.log(render(search(folder, flags), flags)));
}

function search(folder: string, { since, advised, value }: StateFlags): StoredItem[] {
  const oldest = since === undefined ? 0 : Date.now() - parseReplicatorDuration(since);
  const wanted = value === undefined ? undefined : compileRe2(value);
  return stateFiles(folder)
    .flatMap(read)
    .filter((item) => item.seen >= oldest && (advised || !item.isAdvised) && (wanted?.test(item.value) ?? true));
}

function stateFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true })
    .map((file) => join(path, String(file)))
    .filter((file) => file.endsWith(".json"))
    .sort();
}

function read(file: string): StoredItem[] {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Others may keep their files in the same folder.
    return [];
  }
  const items = isObject(document) && isObject(document.Items) ? document.Items : {};
  return Object.entries(items).flatMap(([value, raw]) => {
    const item = decodeItem(raw);
    return item === undefined || !isObject(raw) ? [] : [{ ...item, value, raw }];
  });
}

function render(items: StoredItem[], { values, json }: StateFlags): string {
  if (values === true) {
    const unique = [...new Set(items.map(({ value }) => value))].sort();
    return json === true ? JSON.stringify(unique) : unique.join("\n");
  }
  if (json === true) return JSON.stringify(items.map(({ raw, value }) => ({ ...raw, value })));
  return items.length === 0 ? "No items matched" : items.map(block).join("\n");
}

function block({ value, raw, seen, copied, size, isAdvised }: StoredItem): string {
  const rows: [string, string][] = [
    ["Value", value],
    ["Seen Time", moment(raw.seen, seen)],
    ["Copied Time", moment(raw.copied, copied)],
    ["Payload Size", String(size)],
    ["Advised", String(isAdvised)],
  ];
  return `${rows.map(([label, text]) => `${`${label}:`.padStart(17)} ${text}`).join("\n")}\n`;
}

/** The file's own text keeps more digits than a number of milliseconds. */
function moment(raw: unknown, ms: number): string {
  if (ms === 0 || raw === zeroTime || typeof raw !== "string") return "never";
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/.exec(raw);
  const zone = found?.[3] === "Z" ? "+0000 UTC" : (found?.[3]?.replace(":", "") ?? "");
  return `${found?.[1]} ${found?.[2]} ${zone} (${age(Date.now() - ms)})`;
}

function age(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1_000)}s` : formatRemaining(ms);
}
