/**
 * What is open in the documents that are stored, as a start and `/ready` tell it: by resource and count, of the first of each,
 * within a bounded time. While anything is open it is looked for again, so that who mended it sees that without a start.
 */
import type { Resource } from '../../../shared/contract/resource.ts';
import { examine, type ExaminedDocument, type Examination, type StoredTypes } from './examination.ts';

const lookLimits = {
  documentsMax: 200,
  /** Of one resource, and of all: a start waits for it. */
  resourceMsMax: 250,
  allMsMax: 2_000,
  againMs: 60_000,
} as const;

export const openMessage =
  'stored documents do not fit what is declared, or lack members that have a default: they are served or refused as `invalid` says, ' +
  'and checked when they are written; `npm run plan` names what is wrong, `npm run apply` fills in the defaults';

export interface LookedAt {
  readonly resources: readonly Resource[];
  readonly types: StoredTypes;
  /** The first documents, at most so many. */
  first(resource: Resource, max: number): Iterable<ExaminedDocument> | AsyncIterable<ExaminedDocument>;
}

export class OpenDocuments {
  readonly #lookedAt: LookedAt;
  #lookedAtMs = 0;
  lines: readonly string[] = [];

  constructor(lookedAt: LookedAt) {
    this.#lookedAt = lookedAt;
  }

  get isStale(): boolean {
    return this.lines.length > 0 && performance.now() - this.#lookedAtMs > lookLimits.againMs;
  }

  /** Never throws: what cannot be looked at now is told at the next look. */
  async look(): Promise<void> {
    this.#lookedAtMs = performance.now();
    const lines: string[] = [];
    for (const resource of this.#lookedAt.resources.filter(({ internal }) => !internal)) {
      if (performance.now() - this.#lookedAtMs > lookLimits.allMsMax) break;
      lines.push(...(await this.#lookAt(resource).then(toLine, () => [])));
    }
    this.lines = lines;
  }

  #lookAt(resource: Resource): Promise<Examination> {
    const { types, first } = this.#lookedAt;
    return examine(resource, inTime(first(resource, lookLimits.documentsMax)), { types, isComplete: () => false });
  }
}

async function* inTime<T>(values: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  const until = performance.now() + lookLimits.resourceMsMax;
  for await (const value of values) {
    yield value;
    if (performance.now() > until) return;
  }
}

function toLine({ resource, documents, fitting }: Examination): readonly string[] {
  const open = documents - fitting;
  return open === 0 ? [] : [`${resource}: ${open} of the first ${documents} documents do not fit, or lack what has a default`];
}
