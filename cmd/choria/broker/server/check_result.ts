import { formatTable } from "../../../../lib/cli/mod.ts";

/** How the result of a check can be written. */
export const checkFormats = ["nagios", "json", "prometheus", "text"] as const;

/** A figure that a check has measured. */
export interface CheckFigure {
  name: string;
  value: number;
  /** `s`, `B`, `%` or nothing. */
  unit?: string;
  warning?: number;
  critical?: number;
  help: string;
}

/** What a check found out. */
export class CheckOutcome {
  readonly name: string;
  readonly ok: string[] = [];
  readonly warnings: string[] = [];
  readonly criticals: string[] = [];
  readonly figures: CheckFigure[] = [];

  /** @param name What was checked. */
  constructor(name: string) {
    this.name = name;
  }

  /** The worst that was found: exit code of monitoring systems. */
  get code(): 0 | 1 | 2 {
    if (this.criticals.length > 0) return 2;
    return this.warnings.length > 0 ? 1 : 0;
  }

  /** The word of monitoring systems for {@link code}. */
  get status(): "OK" | "WARNING" | "CRITICAL" {
    return (["OK", "WARNING", "CRITICAL"] as const)[this.code];
  }

  /**
   * Note a figure, and that it is over its thresholds; where the critical one is the smaller, that it is under them.
   */
  measure(figure: CheckFigure): void {
    const { name, value, unit = "", warning, critical } = figure;
    this.figures.push(figure);
    const isInverted = warning !== undefined && critical !== undefined && critical < warning;
    const isOver = (limit: number | undefined) =>
      limit !== undefined && limit >= 0 && (isInverted ? value <= limit : value >= limit);
    const text = `${name} ${value}${unit}`;
    if (isOver(critical)) this.criticals.push(text);
    else if (isOver(warning)) this.warnings.push(text);
  }
}

/** Write the outcome of a check of a kind, for example `stream`. */
export function formatOutcome(outcome: CheckOutcome, kind: string, format: (typeof checkFormats)[number]): string {
  const writers = { nagios: asNagios, json: asJson, prometheus: asPrometheus, text: asText };
  return writers[format](outcome, kind);
}

function asNagios({ status, name, ok, warnings, criticals, figures }: CheckOutcome): string {
  const words = [
    ...criticals.map((text) => `Crit:${text}`),
    ...warnings.map((text) => `Warn:${text}`),
    ...ok.map((text) => `OK:${text}`),
  ];
  const measured = figures.map(({ name: key, value, unit = "", warning, critical }) => {
    const limits = warning === undefined && critical === undefined ? "" : `;${warning ?? ""};${critical ?? ""}`;
    return `${key}=${value}${unit}${limits}`;
  });
  return [status, name, ...words, ...(measured.length > 0 ? ["|", ...measured] : [])].join(" ");
}

function asJson({ status, name, ok, warnings, criticals, figures }: CheckOutcome, kind: string): string {
  const some = (key: string, texts: readonly string[]) => (texts.length === 0 ? {} : { [key]: texts });
  const document = {
    status,
    check_suite: kind,
    check_name: name,
    ...some("warning", warnings),
    ...some("critical", criticals),
    ...some("ok", ok),
    perf_data: figures.map(({ name: key, value, unit = "", warning = 0, critical = 0 }) => ({
      name: key,
      value,
      warning,
      critical,
      unit,
    })),
  };
  return JSON.stringify(document, null, 2);
}

function asPrometheus({ code, status, name, figures }: CheckOutcome, kind: string): string {
  const prefix = `nats_server_check_${kind}`;
  const item = JSON.stringify(name);
  const gauge = (key: string, help: string, line: string) => [
    `# HELP ${prefix}_${key} ${help}`,
    `# TYPE ${prefix}_${key} gauge`,
    line,
  ];
  return [
    ...figures.flatMap(({ name: key, value, help }) => gauge(key, help, `${prefix}_${key}{item=${item}} ${value}`)),
    ...gauge(
      "status_code",
      `Nagios compatible status code for ${kind}`,
      `${prefix}_status_code{item=${item},status="${status}"} ${code}`,
    ),
  ].join("\n");
}

function asText({ status, name, ok, warnings, criticals, figures }: CheckOutcome): string {
  const rows = [
    ...ok.map((text) => ["OK", text]),
    ...warnings.map((text) => ["Warning", text]),
    ...criticals.map((text) => ["Critical", text]),
  ];
  const found = rows.length === 0 ? [] : ["", "Status Detail", "", formatTable({ head: ["Status", "Message"], rows })];
  const cells = figures.map(({ name: key, value, unit = "", help }) => [key, String(value), unit, help]);
  const head = ["Metric", "Value", "Unit", "Description"];
  const measured = cells.length === 0 ? [] : ["", "Check Metrics", "", formatTable({ head, rows: cells })];
  return [`${name}: ${status}`, ...found, ...measured].join("\n");
}
