import { inColumns, indentLines, labelledLines, type Paint } from "../../../lib/cli/mod.ts";
import { prettyJson } from "../../../lib/client/mod.ts";
import { isObject, isStringList, type JsonObject } from "../../../lib/std/mod.ts";

/** Narrowest and widest column of names. */
const narrowest = 15;
const widest = 40;

/** Column of the colons of statistics. */
const colon = 28;

/**
 * A node for people.
 *
 * @param inventory Answer of rpcutil#inventory; without `facts` these are left out.
 * @param stats Answer of rpcutil#daemon_stats.
 */
export function inventoryText(identity: string, inventory: JsonObject, stats: JsonObject, paint: Paint): string {
  const blocks: [title: string, body: string][] = [
    ["Choria Server Statistics", statistics(inventory, stats)],
    ["Agents", columns(texts(inventory.agents), 3)],
    ["Tagged Classes", columns(texts(inventory.classes), 2)],
    ["Autonomous Agents", machines(inventory.machines)],
    ["Facts", inventory.facts === undefined ? "" : indentLines(prettyJson(inventory.facts), "    ")],
  ];
  const shown = blocks
    .filter(([, body]) => body !== "")
    .map(([title, body]) => `  ${paint.heading(`${title}:`)}\n\n${body}\n\n`);
  return `Inventory for ${identity}\n\n${shown.join("")}`;
}

function statistics(inventory: JsonObject, stats: JsonObject): string {
  const upgradable = inventory.upgradable === true ? " (upgradable during provisioning)" : "";
  const rows: [string, string][] = [
    ["Version", `${show(inventory.version)}${upgradable}`],
    ["Start Time", startTime(stats.starttime)],
    ["Config File", show(stats.configfile)],
    ["Collectives", texts(inventory.collectives).join(", ")],
    ["Main Collective", show(inventory.main_collective)],
    ["Process ID", show(stats.pid)],
    ["Total Messages", show(stats.total)],
    ["Messages Passed Filters", show(stats.passed)],
    ["Messages Filtered", show(stats.filtered)],
    ["Expired Messages", show(stats.ttlexpired)],
    ["Replies Sent", show(stats.replies)],
    ["Events Published", show(stats.events)],
  ];
  return labelledLines(rows, { width: colon }).join("\n");
}

function startTime(value: unknown): string {
  return typeof value === "number" ? new Date(value * 1_000).toISOString().replace(/\.\d+Z$/, "Z") : "";
}

/** Items in columns of one width that are filled from top to bottom. */
function columns(items: readonly string[], count: number): string {
  const width = Math.min(widest, Math.max(narrowest, ...items.map((item) => item.length)));
  const height = Math.ceil(items.length / count);
  return Array.from({ length: height }, (_, row) => {
    const cells = items.filter((_item, at) => at % height === row);
    return `    ${cells.map((cell) => `${cell.padEnd(width)} `).join("")}`.trimEnd();
  }).join("\n");
}

/** Machines, each with its name, version and state; older servers give them by their ids. */
function machines(value: unknown): string {
  const cells = (isObject(value) ? Object.values(value) : Array.isArray(value) ? value : [])
    .filter(isObject)
    .map(({ name, version, state }) => [show(name), show(version), show(state)])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))
    .flat();
  return inColumns(cells, { columns: 3 }).join("\n");
}

function texts(value: unknown): string[] {
  return isStringList(value) ? value.toSorted() : [];
}

function show(value: unknown): string {
  return value === null || value === undefined ? "" : String(value);
}
