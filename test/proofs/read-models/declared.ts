/** What the killed programs and the proof share. */
import * as z from 'zod';
import type { Own } from '../../../origin/own.ts';
import { readModel } from '../../../origin/read-models/read-model.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, nobody } from '../../../shared/contract/rules.ts';

const named = { id: { kind: 'string', format: z.string() } } as const;
export const books = resource({
  ...named, name: 'books', rules: { read: anyone, write: anyone }, shapes: { all: {}, onShelf: { equal: ['shelf'] } },
  schema: z.object({ shelf: z.string(), pages: z.int() }),
});
export const counts = resource({
  ...named, name: 'counts', rules: { read: anyone, write: nobody }, shapes: { all: {} },
  schema: z.object({ declaration: z.string(), books: z.int(), pages: z.int() }),
});
export const served = contract(books, counts);

export const shelves = 40;
export const declarations = ['first', 'second'] as const;

/** Rows say which declaration made them. */
export function ownOf(declaration: string): Own {
  const model = readModel({
    name: 'counts', version: declaration, from: [{ of: books, by: 'shelf' }], into: counts,
    async make(_shelf, documents) {
      let [count, sum] = [0, 0];
      for await (const { pages = 0 } of documents(books)) [count, sum] = [count + 1, sum + pages];
      return count === 0 ? undefined : { declaration, books: count, pages: sum };
    },
  });
  return { readModels: [model], leaseTimes: { beatMs: 50, silentMsMax: 300 } };
}
