const forbidden = /[\p{Cc}\p{White_Space}]/u;
/** Far above any subject in use, far below the limit of a protocol line. */
const maxLength = 4_096;

/** Whether a text is a NATS subject, wildcards included: tokens that are not empty, `>` only as the last one. */
export function isSubject(text: string): boolean {
  if (text.length > maxLength || forbidden.test(text)) return false;
  const tokens = text.split(".");
  return tokens.every((token, index) => token !== "" && (token !== ">" || index === tokens.length - 1));
}

/** Whether a text is a subject, or a subject and a queue group with one blank between them. */
export function isQueueSubject(text: string): boolean {
  const [subject = "", queue, ...rest] = text.split(" ");
  return rest.length === 0 && isSubject(subject) && (queue === undefined || isSubject(queue));
}

/** Whether a text can stand in a subject as one or more tokens without being a pattern. */
export function isLiteral(text: string): boolean {
  return isSubject(text) && !text.split(".").some((token) => token === "*" || token === ">");
}
