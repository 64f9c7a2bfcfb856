/**
 * What the database itself refuses, whoever writes: text that is not a document, and declared fields of
 * another type (SEMANTICS §4). zod says more; this is what holds for programs that never met it.
 */
import type { Field, FieldKind } from '../../../../shared/contract/fields.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { decimal128 } from '../../../../shared/wire/shown-numbers.ts';
import { checkedFields, describeField } from '../../field-check.ts';
import { jsonPath } from './columns.ts';
import { quote } from './ddl.ts';
import { hasDigitsAtMost, isDecimal } from './exact-keys.ts';

/** Leads the message of a refusal, so that other programs tell it from SQLite's own. */
const refusalMark = 'tombolo: ';

/** True for statements of Tombolo itself (system-records.ts, `own`), and of other programs. */
export const isOwn = `EXISTS (SELECT 1 FROM "_own")`;
export const isForeign = `NOT ${isOwn}`;

/** The checks of a BEFORE INSERT trigger. Our own writes are checked before they come here (documents.ts, field-check.ts). */
export function insertCheck(resource: Resource): string {
  return toStatement([...formCases(resource), numberCase(resource, isInfinite('NEW')), ...fieldCases(resource, (wrong) => wrong)]);
}

/**
 * The checks of a BEFORE UPDATE trigger. Unless the resource is strict, a field that was wrong and stays as it was is let
 * through, so that old documents of other programs stay editable.
 */
export function updateCheck(resource: Resource): string {
  if (resource.validation.level === 'strict') return insertCheck(resource);
  const same = (path: string, read: string) => `${read}(NEW."doc", ${path}) IS ${read}(OLD."doc", ${path})`;
  const changed = (path: string) => `NOT (${same(path, 'json_type')} AND ${same(path, 'json_extract')})`;
  return toStatement([
    ...formCases(resource),
    numberCase(resource, `${isInfinite('NEW')} AND NOT ${isInfinite('OLD')}`),
    ...fieldCases(resource, (wrong, path) => `${wrong} AND ${changed(path)}`),
  ]);
}

interface Case {
  readonly when: string;
  readonly refuse: string;
}

function toStatement(cases: readonly Case[]): string {
  const raised = cases.map(({ when, refuse }) => `WHEN ${when} THEN RAISE(ABORT, '${refusalMark}${refuse}')`);
  return `SELECT CASE ${raised.join(' ')} END WHERE ${isForeign}`;
}

/**
 * The wire text is `{"id":…,` and the rest of `doc`, and a reader takes the last of two equal keys where
 * SQLite takes the first: hence no id inside, no leading space, no second key at any depth. NUL ends SQLite's own check.
 */
function formCases({ name, idKind, names }: Pick<Resource, 'name' | 'idKind' | 'names'>): readonly Case[] {
  const hasSurrogate = `(instr(NEW."doc", '\\ud') OR instr(NEW."doc", '\\uD'))`;
  const noText = `${isNoText('key')} OR type = 'text' AND ${isNoText('atom')}`;
  const hasNoText = `EXISTS (SELECT 1 FROM json_tree(NEW."doc") WHERE ${noText})`;
  const hasTwice = `EXISTS (SELECT 1 FROM json_tree(NEW."doc") WHERE key IS NOT NULL GROUP BY parent, key HAVING count(*) > 1)`;
  return [
    idKind === 'integer'
      ? { when: `typeof(NEW."id") <> 'integer'`, refuse: `${name}.id: must be an integer of 64 bits` }
      : { when: `typeof(NEW."id") <> 'text' OR NEW."id" = ''`, refuse: `${name}.id: must be text, not empty` },
    {
      when: `typeof(NEW."doc") <> 'text' OR substr(NEW."doc", 1, 1) <> '{' OR NOT json_valid(NEW."doc") OR instr(NEW."doc", char(0))`,
      refuse: `${name}: doc must be the text of a JSON object, beginning with {`,
    },
    // Where members have names of their own, one that is stored as `id` is no second id on the wire.
    ...(names === undefined
      ? [{ when: `json_type(NEW."doc", '$.id') IS NOT NULL`, refuse: `${name}.id: belongs in the column id, not in doc` }]
      : []),
    { when: hasTwice, refuse: `${name}: doc has a field twice` },
    { when: `${hasSurrogate} AND ${hasNoText}`, refuse: `${name}: doc holds text that is not Unicode` },
  ];
}

/**
 * A lone surrogate, written as an escape: it has no UTF-8, so what is read of it is not what is indexed. GLOB
 * reads it as U+FFFD, and U+FFFE and U+FFFF as well, which are text.
 */
function isNoText(value: string): string {
  const plain = [0xfffd, 0xfffe, 0xffff].reduce((inner, code) => `replace(${inner}, char(${code}), '')`, value);
  return `${plain} GLOB '*[' || char(${0xfffd}) || ']*'`;
}

/** SQL writes what is past its doubles as 9e999, which is JSON by its form alone. */
function numberCase({ name }: Resource, when: string): Case {
  return { when, refuse: `${name}: doc holds a number that is infinite` };
}

function isInfinite(row: 'NEW' | 'OLD'): string {
  return `EXISTS (SELECT 1 FROM json_tree(${row}."doc") WHERE atom IN (9e999, -9e999))`;
}

/** Finds a row that no check has seen and that is no document: where others filled the table before us. */
export function misformedQuery(resource: Resource): string {
  const row = quote(resource.collection);
  const misformed = formCases(resource).map(({ when }) => `(${when})`).join(' OR ');
  return `SELECT "id" FROM ${row} WHERE ${misformed} LIMIT 1`.replaceAll('NEW.', `${row}.`);
}

/** Whether the trigger that checks updates, as it was found, lets nothing through that is no document. */
export function keepsForm(resource: Resource, trigger: string): boolean {
  return formCases(resource).every(({ when }) => trigger.includes(when));
}

/** The checks of fields; none where the check is off or should warn: SQLite has no log that a trigger could write into. */
function fieldCases(resource: Resource, guard: (wrong: string, path: string) => string): readonly Case[] {
  if (resource.validation.level === 'off' || resource.validation.action === 'warn') return [];
  return checkedFields(resource).flatMap((field) => {
    const path = jsonPath(resource, field.name);
    const wrong = wrongType(field, path);
    return wrong === undefined
      ? []
      : [{ when: guard(wrong, path), refuse: `${resource.name}.${field.name}: must be ${describeField(field)}` }];
  });
}

/** As which a value of each kind may stand in a document, by SQLite's names. */
export const jsonTypes: Readonly<Record<Exclude<FieldKind, 'mixed'>, readonly string[]>> = {
  string: ['text'], uuid: ['text'], instant: ['text'], objectId: ['text'], binary: ['text'],
  number: ['integer', 'real'], integer: ['integer', 'real'], decimal: ['text'], long: ['integer', 'text'],
  boolean: ['true', 'false'], array: ['array'], object: ['object'],
};

function wrongType(field: Field, path: string): string | undefined {
  const type = `json_type(NEW."doc", ${path})`;
  if (field.kind === 'mixed') return undefined;
  const allowed = [...jsonTypes[field.kind], ...(field.nullable ? ['null'] : [])].map((name) => `'${name}'`).join(', ');
  // A missing field has no type; `NULL NOT IN …` is no refusal, so a required one is asked for by name.
  const wrong = field.optional ? `${type} NOT IN (${allowed})` : `coalesce(${type}, 'missing') NOT IN (${allowed})`;
  const value = `json_extract(NEW."doc", ${path})`;
  if (field.kind === 'decimal') {
    const isHeld = `${isDecimal(value)} AND ${hasDigitsAtMost(value, decimal128.digitsMax)} AND NOT instr(${value}, char(0))`;
    return `(${wrong} OR ${type} = 'text' AND NOT (${isHeld}))`;
  }
  if (field.kind === 'long') return `(${wrong} OR ${type} <> 'null' AND NOT ${isLong(type, value)})`;
  if (field.kind !== 'integer') return wrong;
  const inexact = `${value} NOT BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`;
  return `(${wrong} OR ${value} <> CAST(${value} AS INTEGER) OR ${inexact})`;
}

/** `toLong` as it is shown: past 2^53 as text, whose digits are those of a number of 64 bits. */
function isLong(type: string, value: string): string {
  const isSmall = `CAST(${value} AS INTEGER) BETWEEN -9007199254740992 AND 9007199254740992`;
  const isText = `CAST(CAST(${value} AS INTEGER) AS TEXT) = ${value}`;
  return `(CASE ${type} WHEN 'integer' THEN ${isSmall} ELSE ${isText} AND NOT ${isSmall} END)`;
}
