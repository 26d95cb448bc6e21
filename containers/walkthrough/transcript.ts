/** Where a command of the walk-through is typed. */
export type Place = "host" | "client" | "server" | "nats-box";

/** One command, and what is to be seen of it. */
export interface Step {
  /** Headings above it. */
  section: string;
  place: Place;
  command: string;
  /** Lines as {@link matchOutput} reads them. */
  expected: string[];
  /** How long it may take until the output is the expected one, in milliseconds; a command is repeated until then. */
  within: number;
  /** Typed on a terminal, its prompts answered. */
  isInteractive: boolean;
  /** Goes on while the steps after it are made: until its section ends, or until the last step. */
  background?: "section" | "walk";
  /** Line of the document. */
  line: number;
}

const prompts: readonly (readonly [prompt: string, place: Place])[] = [
  ["host$ ", "host"],
  ["client$ ", "client"],
  ["server# ", "server"],
  ["nats-box:~# ", "nats-box"],
];

/**
 * Read the commands out of a Markdown document: blocks fenced as `console`, each line with a prompt a command, the lines
 * below it what it shows. Words after `console` say how: `within=2m`, `terminal`,
 * `background=section`, `background=walk`.
 */
export function parseTranscript(text: string): Step[] {
  const steps: Step[] = [];
  const headings: string[] = [];
  let options: string[] | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("```")) {
      const [kind, ...words] = line.slice(3).split(" ");
      options = options === undefined && kind === "console" ? words : undefined;
    } else if (options !== undefined) {
      readLine(steps, { line, number: index + 1, section: headings.join(" / "), options });
    } else {
      const heading = /^(#+) (.*)/.exec(line);
      if (heading) headings.splice((heading[1] ?? "").length - 1, headings.length, heading[2] ?? "");
    }
  }
  return steps;
}

interface Position {
  line: string;
  number: number;
  section: string;
  options: readonly string[];
}

function readLine(steps: Step[], { line, number, section, options }: Position): void {
  const found = prompts.find(([prompt]) => line.startsWith(prompt));
  if (found === undefined) {
    const step = steps.at(-1);
    if (step === undefined) throw new Error(`Line ${number} of the walk-through comes before any command`);
    step.expected.push(line);
    return;
  }
  const [prompt, place] = found;
  const background = (["section", "walk"] as const).find((kind) => options.includes(`background=${kind}`));
  steps.push({
    section,
    place,
    command: line.slice(prompt.length),
    expected: [],
    within: milliseconds(options.find((option) => option.startsWith("within="))?.slice("within=".length) ?? "20s"),
    isInteractive: options.includes("terminal"),
    line: number,
    ...(background === undefined ? {} : { background }),
  });
}

function milliseconds(text: string): number {
  const [, count, unit] = /^(\d+)(s|m)$/.exec(text) ?? [];
  if (count === undefined) throw new Error(`The walk-through has a time that is neither seconds nor minutes: ${text}`);
  return Number(count) * (unit === "m" ? 60_000 : 1_000);
}
