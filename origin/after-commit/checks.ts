/** What is wrong with hooks after a commit: each by itself, and all of them together. With any, nothing starts. */
import type { Contract } from '../../shared/contract/contract.ts';
import { memberNames } from '../../shared/contract/document-schema.ts';
import { DeclarationError, Mistakes, refuseUnknown } from '../../shared/checks/mistakes.ts';
import { isActionName } from '../../shared/contract/reserved-names.ts';
import { isHostName } from '../../shared/checks/endpoint-mistakes.ts';
import type { AfterCommit } from './after-commit.ts';

const keys = ['name', 'of', 'writes', 'marks', 'fetches', 'handle', 'resync'];

export function mustAfterCommits(hooks: readonly AfterCommit[], { resources }: Contract): void {
  const mistakes = new Mistakes('origin/hooks/all.ts');
  const names = hooks.map(({ name }) => name);
  for (const hook of hooks) checkHook(hook, resources, mistakes);
  for (const name of new Set(names)) {
    if (names.filter((each) => each === name).length > 1) mistakes.add(`hook "${name}"`, 'more than one has this name');
  }
  for (const circle of circlesOf(hooks)) {
    mistakes.add(`hook "${circle[0]}"`, `writes in a circle: ${[...circle, circle[0]].join(' → ')}, which would never end`);
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
}

/** The types of a declaration are not checked when it runs. */
function checkHook(hook: AfterCommit, served: Contract['resources'], mistakes: Mistakes): void {
  const { name, of, writes, marks, fetches } = hook;
  const refuse = (key: string, detail: string) => mistakes.add(`hook "${name}": ${key}`, detail);
  refuseUnknown(hook, keys, refuse);
  if (typeof name !== 'string' || !isActionName(name)) refuse('name', 'must be lower-case letters, digits and hyphens');
  if (!served.has(of?.name)) return refuse('of', `"${of?.name}" is not served`);
  for (const written of writes) {
    if (!served.has(written.name)) refuse('writes', `"${written.name}" is not served`);
    if (written.name === of.name) refuse('writes', `"${of.name}" is its own: which fields of it the hook writes, "marks" says`);
  }
  const fields = memberNames(of.schema);
  for (const mark of marks) if (!fields.includes(mark)) refuse('marks', `"${mark}" is no field of "${of.name}"`);
  for (const host of fetches) if (!isHostName(host)) refuse('fetches', `"${host}" is no name of a host, as in "api.example.com"`);
  for (const key of ['handle', 'resync'] as const) if (typeof hook[key] !== 'function') refuse(key, 'must be a function');
}

/** Names of hooks each of which sets the next one off, and the last the first; each circle once. */
function circlesOf(hooks: readonly AfterCommit[]): readonly (readonly string[])[] {
  const circles = hooks.flatMap((hook) => {
    const way = wayBack(hook, [hook], hooks);
    return way === undefined ? [] : [way.map(({ name }) => name)];
  });
  return [...new Map(circles.toReversed().map((circle) => [circle.toSorted().join(), circle])).values()];
}

/** From the last of the way to the first; `undefined`: there is none. */
function wayBack(first: AfterCommit, way: readonly AfterCommit[], hooks: readonly AfterCommit[]): readonly AfterCommit[] | undefined {
  const next = hooks.filter((hook) => way.at(-1) !== hook && setsOff(way.at(-1), hook));
  if (next.includes(first)) return way;
  for (const hook of next) {
    const found = way.includes(hook) ? undefined : wayBack(first, [...way, hook], hooks);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A mark is told to those hooks of its resource that mark nothing. */
function setsOff(hook: AfterCommit | undefined, other: AfterCommit): boolean {
  if (hook === undefined) return false;
  const marksIts = hook.marks.length > 0 && other.marks.length === 0 && hook.of.name === other.of?.name;
  return marksIts || hook.writes.some(({ name }) => name === other.of?.name);
}
