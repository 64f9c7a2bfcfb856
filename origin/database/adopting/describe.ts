/**
 * From values to what a schema says of them: a schema that every one of these values fits. Values of one place are looked at
 * together, and each level of a document is one place.
 */
import { limits } from '../../../shared/wire/limits.ts';
import { type Described, type Member, type Members, type NamedMembers, type What, withPresence } from './description.ts';
import { findDiscriminator, toChoice } from './discriminator.ts';
import { counted, groupsOf } from './groups.ts';
import { holdsSecret, whySecret } from './secrets.ts';
import { shown } from './shown.ts';
import { countsOf, describeTexts } from './texts.ts';
import { kindOf, kinds, type Stored, type ValueKind } from './values.ts';
import { isDeclarable, toWireNames } from './wire-names.ts';

const levelLimits = {
  /** Objects in objects; deeper ones, as trees have, are z.unknown(): no path leads there. */
  objectsMax: limits.pathStepsMax,
  /** Fields at the top; the rarest of more are left out. */
  fieldsMax: 200,
  /** Types of one place; more are z.unknown(). */
  typesMax: 3,
} as const;

const mapLimits = {
  /** An object of more names than this, most of them in few objects and with values of one kind, is a map. */
  namesMin: 12,
  /** How much of the objects a name of a map is in, on average. */
  shareMax: 0.15,
  /** More names than this are a map, however common. */
  namesMax: 120,
} as const;

interface Place {
  readonly levels: number;
  /** Whether `storedAs` reaches it: no path leads through a map, a union or an array in an array. */
  readonly hasPath: boolean;
  readonly isTop: boolean;
  readonly isElement: boolean;
}

/** The members of documents beside `_id`. */
export function describeDocuments(documents: readonly Stored[]): NamedMembers {
  const byName = valuesByName(documents);
  byName.delete('_id');
  const common = [...byName].sort(([, one], [, other]) => other.length - one.length).slice(0, levelLimits.fieldsMax).map(([name]) => name);
  const kept = new Map([...byName].filter(([name]) => common.includes(name)));
  const what = describeNamed(documents, kept, { levels: 0, hasPath: true, isTop: true, isElement: false });
  const more = byName.size - kept.size;
  return more === 0 ? what : { ...what, left: [...what.left, `${more} more, each in few documents`] };
}

/** `undefined`: what holds a secret can only be left out whole. */
function describe(values: readonly unknown[], place: Place): Described | undefined {
  const groups = groupsOf(values);
  const nulls = groups.get('null')?.length ?? 0;
  const found = kinds.filter((kind) => kind !== 'null' && groups.has(kind));
  const isAlone = found.length < 2;
  const told = found.filter((kind) => !isAlone || kind === 'other' || kind === 'far date');
  const counts = told.map((kind) => counted(groups.get(kind)?.length ?? 0, kind));
  const notes = [...(nulls > 0 ? [nulls === values.length ? 'always null' : counted(nulls, 'null')] : []), ...counts];
  const isOpen = found.length === 0 || found.length > levelLimits.typesMax || found.includes('other');
  const placed = isAlone ? place : { ...place, hasPath: false };
  const options = isOpen ? [] : found.map((kind) => describeKind(kind, groups.get(kind) ?? [], placed));
  const known = options.filter((option) => option !== undefined);
  if (isOpen || known.some(({ what }) => what.kind === 'unknown')) {
    if (holdsSecret(values)) return undefined;
    return { what: { kind: 'unknown' }, nullable: false, notes: [...notes, ...known.flatMap((option) => option.notes)] };
  }
  if (known.length < options.length) return undefined;
  const [first] = known;
  const distinct = [...new Map(known.map(({ what }) => [JSON.stringify(what), what])).values()];
  const what: What = distinct.length === 1 && first !== undefined ? first.what : { kind: 'union', options: distinct };
  return { what, nullable: nulls > 0, notes: [...notes, ...known.flatMap((option) => option.notes)] };
}

interface Found {
  readonly what: What;
  readonly notes: readonly string[];
}

const unknown: Found = { what: { kind: 'unknown' }, notes: [] };

function describeKind(kind: ValueKind, values: readonly unknown[], place: Place): Found | undefined {
  switch (kind) {
    case 'string':
      return describeTexts(values as readonly string[]);
    case 'array':
      return describeArrays(values as readonly (readonly unknown[])[], place);
    case 'object':
      return describeObjects(values as readonly Stored[], place);
    case 'far date':
      return { what: { kind: 'string' }, notes: [] };
    case 'null':
    case 'other':
      return unknown;
    case 'number':
      return { what: { kind }, notes: values.every((value) => kindOf(value) === 'integer') ? [wholeDoubles] : [] };
    default:
      return { what: { kind }, notes: [] };
  }
}

function describeArrays(arrays: readonly (readonly unknown[])[], place: Place): Found | undefined {
  const elements = arrays.flatMap((array) => [...array]);
  if (elements.length === 0) return { what: { kind: 'array', element: { ...unknown, nullable: false } }, notes: ['always empty'] };
  const element = describe(elements, { ...place, isTop: false, isElement: true, hasPath: place.hasPath && !place.isElement });
  if (element === undefined) return undefined;
  const notes = element.notes.length === 0 ? [] : [`of ${elements.length} elements ${element.notes.join(', ')}`];
  return { what: { kind: 'array', element: { ...element, notes: [] } }, notes };
}

function describeObjects(objects: readonly Stored[], place: Place): Found | undefined {
  const byName = valuesByName(objects);
  if (isMap(byName, objects.length)) return describeMaps(byName, place);
  if (place.levels >= levelLimits.objectsMax) return unknown;
  return { what: describeNamed(objects, byName, place), notes: byName.size === 0 ? ['always empty'] : [] };
}

const wholeDoubles = 'whole in the sample, and stored as doubles';

type ValuesByName = ReadonlyMap<string, readonly unknown[]>;

function valuesByName(objects: readonly Stored[]): Map<string, unknown[]> {
  const byName = new Map<string, unknown[]>();
  for (const object of objects) {
    for (const [name, value] of Object.entries(object)) {
      const values = byName.get(name);
      if (values === undefined) byName.set(name, [value]);
      else values.push(value);
    }
  }
  return byName;
}

/** Names that are data: ids, days, or so many that no object has many of them. */
function isMap(byName: ValuesByName, objects: number): boolean {
  if (byName.size > mapLimits.namesMax) return true;
  if (byName.size > 0 && [...byName.keys()].every((name) => dataName.test(name))) return true;
  const values = [...byName.values()].flatMap((each) => [...each]);
  const isSparse = byName.size > mapLimits.namesMin && values.length / (byName.size * objects) < mapLimits.shareMax;
  return isSparse && new Set(values.map(kindOf)).size === 1;
}

const dataName = /^(\d+|[0-9a-f]{16,}|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|\d{4}-\d\d(-\d\d)?)$/i;

function describeMaps(byName: ValuesByName, place: Place): Found | undefined {
  if ([...byName].some(([name, values]) => whySecret(name, values) !== undefined)) return undefined;
  const values = [...byName.values()].flatMap((each) => [...each]);
  const value = describe(values, { levels: place.levels + 1, hasPath: false, isTop: false, isElement: false });
  if (value === undefined) return undefined;
  return { what: { kind: 'record', value: { ...value, notes: [] } }, notes: [`a map of ${byName.size} names`, ...value.notes] };
}

function describeNamed(objects: readonly Stored[], byName: ValuesByName, place: Place): NamedMembers {
  const named = describeMembers(objects, byName, place);
  const found = findDiscriminator(objects, named.members.map(({ stored }) => stored));
  return found === undefined ? { kind: 'object', ...named } : toChoice(found, named);
}

function describeMembers(objects: readonly Stored[], byName: ValuesByName, place: Place): Members {
  const names = [...byName.keys()].filter((name) => name !== '__proto__' && (!place.hasPath || isDeclarable(name)));
  const wire = place.hasPath ? toWireNames(names, place) : new Map(names.map((name) => [name, name]));
  const left = [...byName.keys()].filter((name) => !wire.has(name)).map((name) => `${shown(name)} (no name that can be declared)`);
  const members: Member[] = [];
  for (const [stored, name] of wire) {
    const values = byName.get(stored) ?? [];
    const why = whySecret(stored, values);
    const type = why === undefined ? describeMember(stored, values, { objects, place }) : undefined;
    if (type === undefined) left.push(`${shown(stored)} (${why ?? 'holds what looks secret'})`);
    else members.push({ name, stored, optional: values.length < objects.length, type: withPresence(type, values.length, objects.length) });
  }
  return { members, left };
}

interface Surroundings {
  readonly objects: readonly Stored[];
  readonly place: Place;
}

function describeMember(name: string, values: readonly unknown[], { objects, place }: Surroundings): Described | undefined {
  // RFC 7946 §1.4: of a geometry the type is one of few, however many are in a sample.
  if (name === 'type' && objects.every(({ type, coordinates }) => geometries.has(type) && Array.isArray(coordinates))) {
    return { what: { kind: 'enum', values: [...countsOf(values as readonly string[]).keys()].sort() }, nullable: false, notes: [] };
  }
  return describe(values, { levels: place.levels + 1, hasPath: place.hasPath, isTop: false, isElement: false });
}

const geometries: ReadonlySet<unknown> = new Set([
  'Point', 'MultiPoint', 'LineString', 'MultiLineString', 'Polygon', 'MultiPolygon',
]);
