/** What an undo finds of filled defaults, counted. */
import { examinationLimits } from './examination/examination.ts';
import type { FilledIn } from './planned.ts';

export type Fate = 'documents' | 'changed' | 'gone' | 'refused';

interface Counting {
  readonly known: Pick<FilledIn, 'collection' | 'path' | 'undo'>;
  readonly counts: Record<Fate, number>;
  readonly examples: Record<Fate, string[]>;
}

export class FilledTally {
  readonly #found = new Map<string, Counting>();

  add(known: Counting['known'], fate: Fate, id: string): void {
    const key = JSON.stringify([known.collection, known.path, known.undo]);
    const entry = this.#found.get(key) ?? {
      known, counts: { documents: 0, changed: 0, gone: 0, refused: 0 }, examples: { documents: [], changed: [], gone: [], refused: [] },
    };
    this.#found.set(key, entry);
    entry.counts[fate]++;
    if (entry.examples[fate].length < examinationLimits.examplesMax) entry.examples[fate].push(id);
  }

  /** By collection and path. */
  get found(): readonly FilledIn[] {
    const toOrder = ({ collection, path }: FilledIn) => `${collection}\0${path}`;
    const found = [...this.#found.values()].map(({ known, counts, examples }): FilledIn => ({
      collection: known.collection, path: known.path, documents: counts.documents,
      changed: { count: counts.changed, examples: examples.changed }, gone: counts.gone,
      refused: { count: counts.refused, examples: examples.refused }, undo: known.undo,
    }));
    return found.sort((a, b) => (toOrder(a) < toOrder(b) ? -1 : 1));
  }
}
