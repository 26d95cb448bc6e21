/** Levels that what travels in requests and replies may have. */
export const mostLevels = 1_000;

/**
 * Whether a JSON text nests deeper than {@link mostLevels}. Programs can hold such values, but whoever shows them
 * indented needs memory by the square of their depth.
 */
export function isTooDeep(text: string): boolean {
  return opens(text, "[") + opens(text, "{") > mostLevels && depthOf(text) > mostLevels;
}

/** How often a sign stands in a text, counted no further than matters. */
function opens(text: string, sign: string): number {
  let count = 0;
  for (let at = text.indexOf(sign); at >= 0 && count <= mostLevels; at = text.indexOf(sign, at + 1)) count++;
  return count;
}

function depthOf(json: string): number {
  let [depth, deepest, isText] = [0, 0, false];
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (isText && sign === "\\") at++;
    else if (sign === '"') isText = !isText;
    else if (isText) continue;
    else if (sign === "[" || sign === "{") deepest = Math.max(deepest, ++depth);
    else if (sign === "]" || sign === "}") depth--;
  }
  return deepest;
}
