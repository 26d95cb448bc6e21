/** Whether a text can be the name of a node: it becomes part of a subject, so nothing else is ever sent to. */
export function isIdentity(text: string): boolean {
  return text.length <= 255 && /^[\w-]+(\.[\w-]+)*$/.test(text);
}

/**
 * Check names of nodes.
 * @param place Where they come from.
 * @throws {Error} `invalid identity string "x"`.
 */
export function checkIdentities(names: readonly string[], place: string): void {
  const bad = names.find((name) => !isIdentity(name));
  if (bad !== undefined) throw new Error(`invalid identity string ${JSON.stringify(bad)} in ${place}`);
}
