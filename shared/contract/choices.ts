/** Parts of a declaration in which each key is one of a few words. The first word of each is what holds unless said. */
export type Choices<T> = { readonly [K in keyof T]: readonly [T[K], ...T[K][]] };

export function toChosen<T extends object>(choices: Choices<T>, declared: Partial<T> = {}): T {
  const first = Object.fromEntries(Object.entries<readonly unknown[]>(choices).map(([key, [word]]) => [key, word])) as unknown as T;
  return { ...first, ...declared };
}
