/** Questions to the person at the terminal. */
export interface Prompter {
  /** Ask for a line of text; an answer must be given, or the default taken. */
  text(message: string, fallback?: string): Promise<string>;
  /** Ask for a secret, shown as asterisks; an answer must be given. */
  secret(message: string): Promise<string>;
  /** Ask a yes-or-no question. */
  confirm(message: string, fallback?: boolean): Promise<boolean>;
}

const theme = { prefix: "?", style: { message: (text: string) => text } };

/** Whoever was asked left without an answer: Ctrl-C or a closed terminal. */
export class PromptAborted extends Error {
  override readonly name = "PromptAborted";
}

/** Prompts on the process's terminal. What draws them is loaded when the first question is asked. */
export const terminalPrompter: Prompter = {
  async text(message, fallback) {
    const { input } = await import("@inquirer/prompts");
    return ask(() => input({ message, theme, required: true, ...(fallback ? { default: fallback } : {}) }));
  },
  async secret(message) {
    const { password } = await import("@inquirer/prompts");
    const validate = (value: string) => value !== "" || "Value is required";
    return ask(() => password({ message, theme, mask: "*", toggleMask: false, validate }));
  },
  async confirm(message, fallback = false) {
    const { confirm } = await import("@inquirer/prompts");
    return ask(() => confirm({ message, theme, default: fallback }));
  },
};

/** Asks a person at the terminal longer questionnaires, with checks and choices. */
export const terminalQuestions = {
  /** Ask for a line of text; `check` gives what is wrong with it. */
  async text(message: string, fallback: string, check: (answer: string) => string | undefined): Promise<string> {
    const { input } = await import("@inquirer/prompts");
    const validate = (answer: string) => check(answer) ?? true;
    return ask(() => input({ message, theme, validate, ...(fallback ? { default: fallback } : {}) }));
  },
  /** Ask for one of some words. */
  async choose(message: string, choices: readonly string[], fallback: string): Promise<string> {
    const { select } = await import("@inquirer/prompts");
    return ask(() => select({ message, theme, choices, default: fallback }));
  },
  confirm: (message: string, fallback: boolean): Promise<boolean> => terminalPrompter.confirm(message, fallback),
};

async function ask<T>(question: () => Promise<T>): Promise<T> {
  try {
    return await question();
  } catch (error) {
    const isLeave = error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError");
    throw isLeave ? new PromptAborted("interrupted", { cause: error }) : error;
  }
}
