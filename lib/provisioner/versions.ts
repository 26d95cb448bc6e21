/**
 * Whether two versions are the same to a package manager: `epoch:version-release` of dotted numbers and words, where a
 * missing epoch is 0, leading zeros mean nothing and the release counts only where both have one.
 */
export function isSameVersion(a: string, b: string): boolean {
  const left = split(a);
  const right = split(b);
  if (left.epoch !== right.epoch || !isSamePart(left.version, right.version)) return false;
  return left.release === "" || right.release === "" || isSamePart(left.release, right.release);
}

function split(version: string): { epoch: number; version: string; release: string } {
  const match = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/.exec(version.trim());
  return { epoch: Number(match?.[1] ?? 0), version: match?.[2] ?? version, release: match?.[3] ?? "" };
}

function isSamePart(a: string, b: string): boolean {
  const segments = (text: string) => text.match(/\d+|[A-Za-z]+|~|\^/g) ?? [];
  const left = segments(a);
  const right = segments(b);
  const trim = (segment: string) => segment.replace(/^0+(?=\d)/, "");
  return left.length === right.length && left.every((segment, i) => trim(segment) === trim(right[i] ?? ""));
}
