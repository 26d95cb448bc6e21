/** One measured figure. */
export interface Figure {
  /** What was done. */
  work: string;
  value: number;
  /** `ms`, `a second`, `MB`… */
  unit: string;
  /** The same figure of the original programs, measured on two cores in November 2026. */
  original?: number;
}

/** Print a figure on a line, with its ratio to the original's where there is one. */
export function report({ work, value, unit, original }: Figure): void {
  const peer = original === undefined ? "" : `   original ${show(original)}, ratio ${(value / original).toFixed(2)}`;
  console.log(`${work.padEnd(64)} ${show(value).padStart(10)} ${unit}${peer}`);
}

/** The middle one of an odd number of measurements. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Resident and private memory of a process, in MB. Linux only. */
export async function memoryOf(pid: number): Promise<{ resident: number; private: number }> {
  const text = await Bun.file(`/proc/${pid}/smaps_rollup`).text();
  const kilobytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return {
    resident: kilobytes("Rss") / 1_024,
    private: (kilobytes("Private_Dirty") + kilobytes("Private_Clean")) / 1_024,
  };
}

function show(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 3);
}
