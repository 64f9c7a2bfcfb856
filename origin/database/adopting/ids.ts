/** Which declared kind of id most of the documents have (SEMANTICS §15). */
import { Binary } from 'mongodb';
import * as z from 'zod';
import { isNameable } from '../../../shared/contract/ids.ts';
import { kindOf } from './values.ts';

export interface FoundId {
  /** As it stands in the declaration. */
  readonly code: string;
  readonly notes: readonly string[];
}

/** `undefined`: none of them has an id that can be declared. */
export function describeId(ids: readonly unknown[], { isCollated }: { readonly isCollated: boolean }): FoundId | undefined {
  const groups = Map.groupBy(ids, declarableKind);
  const [kind, values] = [...groups].sort(([, one], [, other]) => other.length - one.length).find(([found]) => found !== undefined) ?? [];
  if (kind === undefined || values === undefined) return undefined;
  const others = ids.filter((id) => declarableKind(id) !== kind);
  const unreachable = kind === 'string' ? values.filter((id) => !isNameable(String(id))).length : 0;
  const code = kind === 'string' ? textId(values) : codes[kind];
  const notes = [
    ...(others.length === 0 ? [] : [`${others.length} of ${ids.length} have another _id and are not served: ${countsOf(others)}`]),
    ...(unreachable === 0 ? [] : [`${unreachable} of ${ids.length} have an _id that no path can name`]),
    ...(isCollated && code.includes('z.string') ? ['The collection has a collation, so Tombolo refuses ids of text in it'] : []),
  ];
  return { code, notes };
}

const codes = { objectId: "'objectId'", integer: "'integer'", 'binary uuid': "{ kind: 'uuid', storedAs: 'binary' }" } as const;

function declarableKind(id: unknown): keyof typeof codes | 'string' | undefined {
  const kind = kindOf(id);
  if (kind === 'string' || kind === 'objectId') return kind;
  if (kind === 'integer' || kind === 'long') return 'integer';
  return id instanceof Binary && id.sub_type === Binary.SUBTYPE_UUID ? 'binary uuid' : undefined;
}

function textId(ids: readonly unknown[]): string {
  const isUuid = ids.every((id) => z.uuid().safeParse(id).success && id === String(id).toLowerCase());
  return isUuid ? "'uuid'" : "{ kind: 'string', format: z.string() }";
}

function countsOf(ids: readonly unknown[]): string {
  return [...Map.groupBy(ids, kindOf)].map(([kind, same]) => `${same.length} ${kind}`).join(', ');
}
