import { Counter, Gauge, type Registry } from "prom-client";

/**
 * Add what is worth knowing of the process itself, read only when somebody asks. The library's own set measures the
 * event loop a hundred times a second, which costs more than the service at rest.
 */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory in bytes",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in Unix seconds",
    registers,
  }).set(Math.round(performance.timeOrigin / 1_000));
  let counted = 0;
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Processor time in seconds",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      const used = (user + system) / 1e6;
      this.inc(Math.max(0, used - counted));
      counted = used;
    },
  });
}
