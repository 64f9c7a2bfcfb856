/** A document that is still being made: the one way to change what stands in it at a path (`path.ts` reads it). */
import type { Json } from '../wire/values.ts';

export type Draft = { [name: string]: Json | Draft };

export function isDraft(value: Json | Draft): value is Draft {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at a path; `null` where something that it leads through is `null`. */
export function valueUnder(draft: Draft, path: string): Json | undefined {
  let value: Json | Draft = draft;
  for (const step of path.split('.')) {
    if (value === null) return null;
    if (!isDraft(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step] ?? null;
  }
  return value;
}

export function removeAt(draft: Draft, path: string): void {
  const { above, last } = split(path);
  const holder = above === '' ? draft : valueUnder(draft, above);
  if (holder !== undefined && isDraft(holder)) delete holder[last];
}

/** Objects on the way are made where there are none. What is no object there is left, for the schema to refuse. */
export function setAt(draft: Draft, path: string, value: Json): void {
  const { above, last } = split(path);
  let holder = draft;
  for (const step of above === '' ? [] : above.split('.')) {
    const next = (Object.hasOwn(holder, step) ? holder[step] : undefined) ?? {};
    if (!isDraft(next)) return;
    holder[step] = next;
    holder = next;
  }
  holder[last] = value;
}

function split(path: string): { readonly above: string; readonly last: string } {
  const dot = path.lastIndexOf('.');
  return { above: path.slice(0, Math.max(0, dot)), last: path.slice(dot + 1) };
}
