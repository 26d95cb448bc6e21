import type { Builtins } from "./_builtin.ts";
import { listFunctions } from "./_list_functions.ts";
import { numberFunctions } from "./_number_functions.ts";
import { otherFunctions } from "./_other_functions.ts";
import { textFunctions } from "./_text_functions.ts";
import { timeFunctions } from "./_time_functions.ts";

/** All functions of the language that take values. */
export const builtins: Builtins = {
  ...textFunctions,
  ...numberFunctions,
  ...listFunctions,
  ...timeFunctions,
  ...otherFunctions,
};
