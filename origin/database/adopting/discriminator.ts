/** The text field whose value decides which other fields an object has, if there is one, and the union that follows. */
import { type Described, type Member, type Members, type NamedMembers, withPresence } from './description.ts';
import { countsOf } from './texts.ts';
import type { Stored } from './values.ts';

const discriminatorLimits = {
  valuesMax: 12,
  charactersMax: 40,
  /** In fewer objects of one value a field that is there by chance looks like one that must be. */
  objectsOfValueMin: 5,
} as const;

export interface Discriminator {
  readonly name: string;
  readonly groups: ReadonlyMap<string, readonly Stored[]>;
}

interface Found extends Discriminator {
  /** Names of the fields that its values decide. */
  readonly decided: readonly string[];
}

/** `names`: of the members that may be declared. */
export function findDiscriminator(objects: readonly Stored[], names: readonly string[]): Discriminator | undefined {
  const partial = names.filter((name) => objects.some((object) => !Object.hasOwn(object, name)));
  const shared = names.length - partial.length - 1;
  const found = names.flatMap((name): readonly Found[] => {
    const groups = groupsOf(objects, name);
    if (groups === undefined) return [];
    const decided = partial.filter((each) => isDecided(each, [...groups.values()]));
    // Where most fields come and go within a value, or one value alone has more than all, optional fields say the same in less.
    const isMost = decided.length * 2 >= partial.length;
    const isWorthwhile = isMost && (isCrossing(decided, groups) || (decided.length > 1 && decided.length >= shared));
    return isWorthwhile ? [{ name, groups, decided }] : [];
  });
  return found.sort((one, other) => other.decided.length - one.decided.length || one.groups.size - other.groups.size)[0];
}

/** Whether two values each decide a field that the other lacks. */
function isCrossing(decided: readonly string[], groups: Discriminator['groups']): boolean {
  const sets = [...groups.values()].map((objects) => decided.filter((name) => objects.some((object) => Object.hasOwn(object, name))));
  return sets.some((one) => sets.some((other) => one.some((name) => !other.includes(name)) && other.some((name) => !one.includes(name))));
}

/** `undefined`: not a text of few values in every object. */
function groupsOf(objects: readonly Stored[], name: string): ReadonlyMap<string, readonly Stored[]> | undefined {
  const values = objects.map((object) => (Object.hasOwn(object, name) ? object[name] : undefined));
  if (!values.every((value) => typeof value === 'string' && value.length <= discriminatorLimits.charactersMax)) return undefined;
  const counts = countsOf(values as readonly string[]);
  if (counts.size < 2 || counts.size > discriminatorLimits.valuesMax) return undefined;
  if ([...counts.values()].some((count) => count < discriminatorLimits.objectsOfValueMin)) return undefined;
  return Map.groupBy(objects, (object) => String(object[name]));
}

/** In all objects of a value or in none. */
function isDecided(name: string, groups: readonly (readonly Stored[])[]): boolean {
  return groups.every((objects) => new Set(objects.map((object) => Object.hasOwn(object, name))).size === 1);
}

/** One branch for each set of members. */
export function toChoice({ name, groups }: Discriminator, { members, left }: Members): NamedMembers {
  const byMembers = Map.groupBy(groups, ([, objects]) =>
    JSON.stringify(members.filter(({ stored }) => objects.some((object) => Object.hasOwn(object, stored))).map(({ stored }) => stored)),
  );
  const branches = [...byMembers.values()].map((same) => {
    const objects = same.flatMap(([, each]) => each);
    return members.flatMap((member): readonly Member[] => {
      if (member.stored === name) return [{ ...member, type: asDiscriminator(same.map(([value]) => value)) }];
      const present = objects.filter((object) => Object.hasOwn(object, member.stored)).length;
      if (present === 0) return [];
      const notes = member.optional ? member.type.notes.slice(1) : member.type.notes;
      const type = withPresence({ ...member.type, notes }, present, objects.length);
      return [{ ...member, optional: present < objects.length, type }];
    });
  });
  return { kind: 'choice', discriminator: members.find(({ stored }) => stored === name)?.name ?? name, branches, left };
}

function asDiscriminator(values: readonly string[]): Described {
  return { what: { kind: 'enum', values: [...values].sort() }, nullable: false, notes: [] };
}
