import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Clock, errorText, isObject } from "../std/mod.ts";
import { decodeHelperReply, type Helper, type HelperRequest, helperError } from "./helper.ts";
import { helperTimeLimit } from "./helper_process.ts";

type HelperFunction = (request: HelperRequest, signal: AbortSignal) => unknown;

/**
 * A helper that is a module: its default export is called with the request of each node and gives the reply, or a
 * promise of it. It costs no process per node; in return it shares this one.
 *
 * @param path The module, relative to the working folder.
 * @throws {Error} `could not invoke configure helper: …` when there is no such module or no function in it.
 */
export async function moduleHelper(path: string, options: { clock: Clock; timeLimit?: number }): Promise<Helper> {
  const { clock, timeLimit = helperTimeLimit } = options;
  const decide = await load(path);
  return {
    async ask(request, signal) {
      const controller = new AbortController();
      const late = Promise.withResolvers<never>();
      using _limit = clock.after(timeLimit, () => late.reject(new Error(`it took longer than ${timeLimit} ms`)));
      const onAbort = () => late.reject(new Error("it was called off"));
      signal?.addEventListener("abort", onAbort, { once: true });
      late.promise.catch(() => controller.abort());
      try {
        // What a module gives back is held to the same form as what a program prints.
        return decodeHelperReply(await Promise.race([decide(request, controller.signal), late.promise]));
      } catch (error) {
        throw helperError(`cannot use the reply of ${path}: ${errorText(error)}`, error);
      } finally {
        signal?.removeEventListener("abort", onAbort);
      }
    },
  };
}

async function load(path: string): Promise<HelperFunction> {
  let module: unknown;
  try {
    module = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw helperError(`cannot load ${path}: ${errorText(error)}`, error);
  }
  const decide = isObject(module) ? module.default : undefined;
  if (typeof decide !== "function") throw helperError(`cannot load ${path}: its default export is no function`);
  return decide as HelperFunction;
}
