/**
 * One stored document beside its schema. A value may show on the wire as it is declared and be stored as something else (an
 * instant that is a text, say), so the stored types are walked, and zod says the rest of what is shown.
 */
import type * as z from 'zod';
import { en } from 'zod/locales';
import { type FieldKind, kindOfType } from '../../../shared/contract/fields.ts';
import { opened, unwrapped } from '../../../shared/contract/open-schema.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { definitionOf, discriminated, placeOf, undeclaredOf } from '../../../shared/contract/schema-places.ts';
import type { Type } from '../../../shared/contract/schema-tree.ts';
import { isJsonObject, isNumeric, type Json, type JsonObject, ownOf } from '../../../shared/wire/values.ts';
import { absenceOf } from './absences.ts';
import type { StoredTypes } from './examination.ts';

/** Something found in a document, by the list that it belongs to. */
export interface Noted {
  readonly list: 'missing' | 'types' | 'invalid' | 'undeclared';
  readonly parts: readonly string[];
}

export interface Value {
  readonly stored: unknown;
  readonly json: Json;
}

/** An object of a document that no array and no record holds: its members may have been renamed. */
export interface WalkedObject {
  /** Leads to its members: empty, or ending in a dot. */
  readonly prefix: string;
  readonly missing: ReadonlyMap<string, Type>;
  readonly undeclared: ReadonlyMap<string, Value>;
}

export interface Walked {
  readonly noted: readonly Noted[];
  readonly objects: readonly WalkedObject[];
}

interface At {
  /** As zod's issues have it. */
  readonly exact: readonly PropertyKey[];
  readonly shown: string;
  /** Whether an array or a record is on the way. */
  readonly isMany: boolean;
}

/** zod's own words: those of a team's messages may repeat what they refuse. */
const { localeError } = en();

export class DocumentWalk {
  readonly #resource: Resource;
  readonly #types: StoredTypes;
  readonly #schema: z.ZodType;

  constructor(resource: Resource, types: StoredTypes) {
    this.#resource = resource;
    this.#types = types;
    this.#schema = opened(resource.schema);
  }

  of(members: Readonly<Record<string, unknown>>): Walked {
    const walk = new Walk(this.#types);
    const json = this.#types.toJson(members) as JsonObject;
    const { schema, fields, system } = this.#resource;
    const kept = Object.values(system).flatMap((name) => fields.get(name) ?? []);
    walk.object(schema, { stored: members, json }, root, new Set(kept.map(({ name }) => name)));
    for (const { name, kind } of kept) {
      walk.kind(kind, { stored: members[name], json: ownOf(json, name) ?? null }, toInner(root, name, name));
    }
    const { error } = this.#schema.safeParse(json, { reportInput: true });
    for (const issue of error?.issues ?? []) walk.issue(issue, this.#toShown(json, issue.path));
    return walk;
  }

  /** A path of zod's as it is shown. */
  #toShown(json: Json, path: readonly PropertyKey[]): string {
    let type: Type | undefined = this.#resource.schema;
    let value: Json = json;
    const names: string[] = [];
    for (const part of path) {
      const place = placeOf(type, value);
      if (typeof part === 'number') {
        type = place.element(part);
        value = (Array.isArray(value) ? value[part] : undefined) ?? null;
        continue;
      }
      names.push(toName(type, value, String(part)));
      type = place.member(String(part));
      value = (isJsonObject(value) ? ownOf(value, String(part)) : undefined) ?? null;
    }
    return names.join('.');
  }
}

const root: At = { exact: [], shown: '', isMany: false };

class Walk implements Walked {
  readonly noted: Noted[] = [];
  readonly objects: WalkedObject[] = [];
  readonly #types: StoredTypes;
  /** Where something was noted, or where what zod is about to refuse is as it was declared. */
  readonly #settled = new Set<string>();

  constructor(types: StoredTypes) {
    this.#types = types;
  }

  /** `kept`: members that are declared by no schema. */
  object(type: Type, { stored, json }: Value, at: At, kept: ReadonlySet<string> = new Set()): void {
    if (!isJsonObject(json)) return;
    const place = placeOf(type, json);
    const valueOf = (name: string): Value => ({ stored: memberOf(stored, name), json: ownOf(json, name) ?? null });
    const names = undeclaredOf(place, json).filter((name) => !kept.has(name));
    for (const name of names) this.#note('undeclared', toInner(at, name, name), [toInner(at, name, name).shown]);
    const missing = declaredMembers(type, json).filter(([name, member]) => !Object.hasOwn(json, name) && absenceOf(member) !== 'optional');
    for (const [name, member] of missing) {
      const inner = toInner(at, name, name);
      this.#note('missing', inner, [inner.shown, absenceOf(member)]);
    }
    if (!at.isMany) {
      const undeclared = new Map(names.map((name) => [name, valueOf(name)]));
      this.objects.push({ prefix: at.shown === '' ? '' : `${at.shown}.`, missing: new Map(missing), undeclared });
    }
    for (const name of Object.keys(json)) {
      const member = place.member(name);
      if (member !== undefined) this.#value(member, valueOf(name), toInner(at, name, toName(type, json, name)));
    }
  }

  kind(kind: FieldKind, { stored, json }: Value, at: At): void {
    if (kind === 'mixed' || json === null) return;
    const found = this.#types.typeOf(stored);
    if (!this.#types.typesOf(kind).includes(found)) this.#note('types', at, [at.shown, kind, found]);
    // A number that JSON does not carry shows as a text, and is one all the same.
    else if (isNumeric(kind) && typeof json === 'string') this.#settled.add(toKey(at.exact));
  }

  issue(issue: z.core.$ZodIssue, shown: string): void {
    const at: At = { exact: issue.path, shown, isMany: false };
    if (this.#settled.has(toKey(at.exact))) return;
    if (issue.code === 'invalid_type' && issue.input === undefined) this.#note('missing', at, [shown, 'required']);
    else this.#note('invalid', at, [shown, toMessage(issue)]);
  }

  #value(type: Type, value: Value, at: At): void {
    this.kind(kindOfType(unwrapped(type)), value, at);
    const { stored, json } = value;
    if (!Array.isArray(json)) return this.object(type, value, at);
    const { element } = placeOf(type, json);
    const elements: readonly unknown[] = Array.isArray(stored) ? stored : [];
    for (const [index, each] of json.entries()) {
      const elementType = element(index);
      const inner = { exact: [...at.exact, index], shown: at.shown, isMany: true };
      if (elementType !== undefined) this.#value(elementType, { stored: elements[index], json: each }, inner);
    }
  }

  #note(list: Noted['list'], at: At, parts: readonly string[]): void {
    this.noted.push({ list, parts });
    this.#settled.add(toKey(at.exact));
  }
}

function toMessage(issue: z.core.$ZodIssue): string {
  const said = localeError(asRaw(issue));
  return (typeof said === 'string' ? said : said?.message) ?? issue.code;
}

/** What words are made of: under `reportInput` an issue has its input, which is all that a raw one has beside it. */
function asRaw(issue: z.core.$ZodIssue): z.core.$ZodRawIssue {
  return issue as z.core.$ZodRawIssue;
}

function toKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path);
}

function toInner({ exact, shown, isMany }: At, name: string, shownName: string): At {
  return { exact: [...exact, name], shown: shown === '' ? shownName : `${shown}.${shownName}`, isMany: isMany || shownName === anyKey };
}

/** What a record's key is shown as: keys are data. */
const anyKey = '*';

function toName(type: Type | undefined, json: Json, name: string): string {
  const isNamed = type !== undefined && (declaredMembers(type, json).some(([each]) => each === name) || placeOf(type, json).isClosed);
  return isNamed ? name : anyKey;
}

/** The members that a type names of this object; none where it is not one branch's alone. */
function declaredMembers(type: Type, json: Json): readonly (readonly [string, Type])[] {
  const definition = definitionOf(unwrapped(type));
  switch (definition.type) {
    case 'object':
      return Object.entries(definition.shape);
    case 'intersection':
      return [...declaredMembers(definition.left, json), ...declaredMembers(definition.right, json)];
    case 'union': {
      const branches = 'discriminator' in definition ? discriminated(definition.options, String(definition.discriminator), json) : [];
      const [only, second] = branches;
      return only === undefined || second !== undefined ? [] : declaredMembers(only, json);
    }
    default:
      return [];
  }
}

function memberOf(stored: unknown, name: string): unknown {
  return typeof stored === 'object' && stored !== null ? (stored as Readonly<Record<string, unknown>>)[name] : undefined;
}
