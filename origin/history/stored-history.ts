/**
 * Where logs of changes are stored (SEMANTICS §21): an event for each change of a document, numbered from 1 without a gap, and
 * for each document the number of its last one. Both are written in the transaction of the change, so that of two changes of
 * one document one comes after the other here as well. Once an event is due both are taken out (`removals/erasing.ts`).
 */
import * as z from 'zod';
import type { Contract } from '../../shared/contract/contract.ts';
import { type Resource, resource } from '../../shared/contract/resource.ts';
import { instant, integer } from '../../shared/contract/types.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { PlainDecision } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { LoggedImage } from './logged-image.ts';

const named = { internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false } as const;

export const historyEvents = resource({
  name: 'tombolo_history', ...named,
  schema: z.object({
    resource: z.string(), document: z.string(), number: integer(), at: instant(),
    /** The name of the operation, the endpoint or the job; `outside`: another program wrote it. */
    operation: z.string(), request: z.string().optional(),
    subject: z.string().optional(), tenant: z.string().optional(), key: z.string().optional(), system: z.boolean().optional(),
    /** The declared fields of the document as JSON, with its id; none where it was not there. */
    before: z.string().optional(), after: z.string().optional(),
    /** What rules ask of beside them, which nobody is shown (`logged-image.ts`). */
    besideBefore: z.string().optional(), besideAfter: z.string().optional(),
  }),
  shapes: { ofDocument: { equal: ['resource', 'document'], sort: ['-number'] }, due: { equal: ['resource'], range: 'at' } },
});

/** The last event of each document. */
export const historyHeads = resource({
  name: 'tombolo_history_heads', ...named,
  schema: z.object({
    resource: z.string(), number: integer(), at: instant(),
    /** The SHA-256 of the document as it left it; none where it left none. */
    left: z.string().optional(),
  }),
  shapes: { due: { equal: ['resource'], range: 'at' } },
});

/** What a store has beside what is declared, where a resource keeps a log. */
export function historyStoresOf({ resources }: Pick<Contract, 'resources'>): readonly Resource[] {
  return [...resources.values()].some(({ history }) => history !== undefined) ? [historyEvents, historyHeads] : [];
}

export type StoredEvent = z.output<typeof historyEvents.schema>;
export type StoredHead = z.output<typeof historyHeads.schema>;

/** Code alone writes them, so what is stored is one. */
export function eventIn({ value }: Pick<StoredDocument, 'value'>): StoredEvent {
  return value as unknown as StoredEvent;
}

export function imagesIn({ before, besideBefore, after, besideAfter }: StoredEvent) {
  const toLogged = (text: string | undefined, beside: string | undefined): LoggedImage | undefined =>
    text === undefined ? undefined : { text, beside };
  return { before: toLogged(before, besideBefore), after: toLogged(after, besideAfter) };
}

export function headIn(found: Pick<StoredDocument, 'value'> | undefined): StoredHead | undefined {
  return found?.value as unknown as StoredHead | undefined;
}

/** Members that are `undefined` are not stored. */
export function putting(stored: { readonly [Name in keyof StoredEvent]?: StoredEvent[Name] | undefined } | StoredHead): PlainDecision {
  return { kind: 'put', document: JSON.parse(JSON.stringify(stored)) as JsonObject };
}

/** One name for each document, whatever characters its id has. */
export function headIdOf(resource: string, document: string): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify([resource, document])).digest('hex').slice(0, 40);
}

export function eventIdOf(head: string, number: number): string {
  return `${head}-${number}`;
}
