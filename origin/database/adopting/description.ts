/** What `npm run adopt` found in documents: a schema before it is text. Notes are what a comment beside it says. */

export type PlainKind =
  | 'string' | 'uuid' | 'guid' | 'boolean' | 'integer' | 'number' | 'long' | 'decimal' | 'instant' | 'objectId' | 'binary' | 'unknown';

export type What =
  | { readonly kind: PlainKind }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'array'; readonly element: Described }
  | { readonly kind: 'record'; readonly value: Described }
  | NamedMembers
  | { readonly kind: 'union'; readonly options: readonly What[] };

export interface Described {
  readonly what: What;
  readonly nullable: boolean;
  readonly notes: readonly string[];
}

export interface Member {
  /** On the wire. */
  readonly name: string;
  readonly stored: string;
  readonly optional: boolean;
  readonly type: Described;
}

export interface Members {
  readonly members: readonly Member[];
  /** Stored names that are not declared, each with the reason. */
  readonly left: readonly string[];
}

export type NamedMembers =
  | ({ readonly kind: 'object' } & Members)
  /** A text field decides which other fields are there; it is named as on the wire. */
  | {
      readonly kind: 'choice';
      readonly discriminator: string;
      readonly branches: readonly (readonly Member[])[];
      readonly left: Members['left'];
    };

/** Members of all branches, each once: those that share a name have one type. */
export function membersOf(what: What): readonly Member[] {
  if (what.kind === 'object') return what.members;
  if (what.kind !== 'choice') return [];
  return [...new Map(what.branches.flat().map((member) => [member.name, member])).values()];
}

/** Notes first how many have it, where not all do. */
export function withPresence(type: Described, present: number, total: number): Described {
  return present === total ? type : { ...type, notes: [`${present} of ${total}`, ...type.notes] };
}
