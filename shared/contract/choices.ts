/** Parts of a declaration in which each key is one of a few words. The first word of each is what holds unless said. */
import type { Refuse } from './mistakes.ts';

export type Choices<T> = { readonly [K in keyof T]: readonly [T[K], ...T[K][]] };

/** `refuse` notes the key that is wrong. */
export function toChosen<T extends object>(choices: Choices<T>, declared: Partial<T>, refuse: Refuse): T {
  const known = new Map<string, readonly unknown[]>(Object.entries(choices));
  for (const [key, value] of Object.entries(declared)) {
    const words = known.get(key);
    if (words === undefined) refuse(key, `unknown key; known are ${[...known.keys()].join(', ')}`);
    else if (!words.includes(value)) refuse(key, `must be ${words.map((word) => `"${String(word)}"`).join(' or ')}`);
  }
  const first = Object.fromEntries([...known].map(([key, [word]]) => [key, word])) as unknown as T;
  return { ...first, ...declared };
}
