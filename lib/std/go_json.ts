const special = /[<>&\u2028\u2029]/g;

/** JSON as Go writes it: what HTML knows is escaped. */
export function goJson(value: unknown, indent?: number): string {
  return escapeHtml(JSON.stringify(value, null, indent));
}

/** JSON text with the escapes that Go writes for characters that HTML knows. */
export function escapeHtml(json: string): string {
  if (json.search(special) < 0) return json;
  return json.replace(special, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
