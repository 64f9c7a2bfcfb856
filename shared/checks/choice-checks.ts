/** Parts of a declaration in which each key is one of a few words. */
import type { Choices } from '../contract/choices.ts';
import type { Refuse } from './mistakes.ts';

/** `refuse` notes the key that is wrong. */
export function checkChosen<T extends object>(choices: Choices<T>, declared: Partial<T>, refuse: Refuse): void {
  const known = new Map<string, readonly unknown[]>(Object.entries(choices));
  for (const [key, value] of Object.entries(declared)) {
    const words = known.get(key);
    if (words === undefined) refuse(key, `unknown key; known are ${[...known.keys()].join(', ')}`);
    else if (!words.includes(value)) refuse(key, `must be ${words.map((word) => `"${String(word)}"`).join(' or ')}`);
  }
}
