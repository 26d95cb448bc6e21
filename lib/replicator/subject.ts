/** How subjects change on their way: `target_subject_prefix` and `target_subject_remove`. */
export interface SubjectMapping {
  /** Goes in front, with a dot. */
  prefix: string;
  /** Every occurrence of this text goes, wherever it stands. */
  remove: string;
}

/** The subject under which a message is stored in the target. */
export function mapSubject(subject: string, { prefix, remove }: SubjectMapping): string {
  const longer = prefix === "" ? subject : withoutDoubleDots(`${prefix}.${subject}`);
  return remove === "" ? longer : withoutDoubleDots(longer.replaceAll(remove, ""));
}

/** A subject of a target stream that is made: as {@link mapSubject}, but a prefix that ends in a dot is left to fail. */
export function mapStreamSubject(subject: string, { prefix, remove }: SubjectMapping): string {
  const longer = prefix === "" ? subject : `${prefix}.${subject}`;
  return remove === "" ? longer : withoutDoubleDots(withoutDoubleDots(longer).replaceAll(remove, ""));
}

/** One pass, as the original makes it: three dots leave two. */
function withoutDoubleDots(subject: string): string {
  return subject.replaceAll("..", ".");
}
