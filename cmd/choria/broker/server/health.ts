import { formatTable } from "../../../../lib/cli/mod.ts";
import { formatBytes } from "../../../../lib/std/mod.ts";
import { clusterOf, nameOf, type Report } from "./report.ts";

/** `choria broker server report health`. */
export const healthReport: Report = {
  name: "health",
  description: "Show whether the brokers say that they are well.",
  topic: "HEALTHZ",
  body: () => ({ details: true }),
  orders: { server: nameOf, cluster: clusterOf },
  show(answers) {
    let problems = 0;
    const rows = answers.flatMap(({ server, data }) => {
      const errors = data.list("errors");
      problems += errors.length;
      const status = `${data.text("status")} (${data.number("status_code") || 200})`;
      const head = [server.text("name"), server.text("cluster"), server.text("domain"), status];
      const [first, ...more] = errors.map((one) => [one.text("type"), one.text("error")]);
      return [[...head, ...(first ?? ["", ""])], ...more.map((one) => ["", "", "", "", ...one])];
    });
    const well = answers.filter(({ data }) => data.text("status") === "ok").length;
    const clusters = new Set(answers.map(clusterOf)).size;
    return formatTable({
      title: "Health Report",
      head: ["Server", "Cluster", "Domain", "Status", "Type", "Error"],
      rows,
      footer: [
        String(answers.length),
        String(clusters),
        "",
        `ok: ${well} / err: ${answers.length - well}`,
        "",
        problems,
      ],
    });
  },
};

/** `choria broker server report cpu`. */
export const cpuReport: Report = usageReport("cpu", "CPU", (value) => String(Math.round(value)));

/** `choria broker server report mem`. */
export const memoryReport: Report = usageReport("mem", "Memory", formatBytes);

const longestBar = 30;

function usageReport(key: "cpu" | "mem", label: string, show: (value: number) => string): Report {
  return {
    name: key,
    description: `Show how much ${key === "cpu" ? "of a processor" : "memory"} the brokers use.`,
    topic: undefined,
    orders: { use: ({ data }) => -data.number(key), server: nameOf },
    show(answers) {
      const most = Math.max(1, ...answers.map(({ data }) => data.number(key)));
      const width = Math.max(...answers.map((answer) => nameOf(answer).length));
      const lines = answers.map((answer) => {
        const value = answer.data.number(key);
        const bar = "█".repeat(Math.max(0, Math.round((value / most) * longestBar)));
        return `  ${nameOf(answer).padStart(width)}: ${bar} (${show(value)})`;
      });
      return `${label} Usage\n\n${lines.join("\n")}`;
    },
  };
}
