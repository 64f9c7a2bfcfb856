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

const openMessage =
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
  /** By resource: members that are kept and served to nobody. */
  undeclared: Readonly<Record<string, readonly string[]>> = {};

  constructor(lookedAt: LookedAt) {
    this.#lookedAt = lookedAt;
  }

  get isStale(): boolean {
    return this.lines.length > 0 && performance.now() - this.#lookedAtMs > lookLimits.againMs;
  }

  /** Never throws: what cannot be looked at now is told at the next look. */
  async look(): Promise<void> {
    this.#lookedAtMs = performance.now();
    const looks: Examination[] = [];
    for (const resource of this.#lookedAt.resources.filter(({ internal }) => !internal)) {
      if (performance.now() - this.#lookedAtMs > lookLimits.allMsMax) break;
      looks.push(...(await this.#lookAt(resource).then((look) => [look], () => [])));
    }
    this.lines = looks.flatMap(toLine);
    this.undeclared = Object.fromEntries(looks.flatMap(toUndeclared));
  }

  /** What a start says of it, in one line. */
  tell(onWarning: (message: string, facts: Readonly<Record<string, unknown>>) => void): void {
    const { lines: open, undeclared } = this;
    if (open.length > 0) onWarning(openMessage, { open, undeclared });
    else if (Object.keys(undeclared).length > 0) onWarning('members that no schema declares are kept and served to nobody', { undeclared });
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

function toUndeclared({ resource, undeclared, servesUndeclared }: Examination): readonly (readonly [string, readonly string[]])[] {
  return undeclared.length === 0 || servesUndeclared ? [] : [[resource, undeclared.slice(0, namesMax).map(({ path }) => path)]];
}

/** In a line of a log. */
const namesMax = 10;
