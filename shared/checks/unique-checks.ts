/** What is wrong with unique keys. */
import { type Field, isScalarKind } from '../contract/fields.ts';
import type { RemovalDeclaration } from '../contract/removal.ts';
import { isPrintableAscii, toPart, toUniques, type Unique, type UniqueDeclaration, type Uniques } from '../contract/unique.ts';
import { whyNoField } from './field-checks.ts';
import { type Mistakes, type Refuse, refuseUnknown, toObject } from './mistakes.ts';

/** An index takes that many without becoming wider than what it finds. */
const uniqueFieldsMax = 8;

const keys = ['fields', 'ignoringCase', 'where'] as const;

interface Surroundings {
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
  readonly removal: RemovalDeclaration | undefined;
}

export function checkUniques(declared: Uniques['unique'], { fields, removal }: Surroundings, mistakes: Mistakes): void {
  const given = toObject(declared, (detail) => mistakes.add('unique', detail));
  for (const [name, declaration] of Object.entries(given)) {
    const refuse = (detail: string) => mistakes.add(`unique.${name}`, detail);
    const refuseKey = mistakes.at(`unique.${name}.`);
    const one = toObject(declaration, refuse);
    if (!/^[A-Za-z][A-Za-z0-9]{0,62}$/.test(name)) refuse('must be named by letters and digits');
    refuseUnknown(one, keys, refuseKey);
    const where = toObject(one.where, (detail) => refuseKey('where', detail));
    if (!isWellFormed(one, refuseKey)) continue;
    for (const made of toUniques({ [name]: { ...one, where } })) {
      checkFields(made, fields, refuseKey);
      checkWhere(made, fields, refuseKey);
    }
    if (removal !== undefined && one.fields.includes(removal.at)) refuseKey('fields', `what has "${removal.at}" is removed and has no key`);
  }
}

function isWellFormed({ fields, ignoringCase }: Partial<UniqueDeclaration>, refuse: Refuse): boolean {
  const isList = Array.isArray(fields) && fields.length > 0 && fields.every((path) => typeof path === 'string');
  if (!isList) refuse('fields', 'must be a list of paths');
  else if (fields.length > uniqueFieldsMax) refuse('fields', `${fields.length} fields; ${uniqueFieldsMax} at most`);
  if (ignoringCase !== undefined && typeof ignoringCase !== 'boolean') refuse('ignoringCase', 'must be true or false');
  return isList;
}

function checkFields({ fields: paths, ignoringCase }: Unique, fields: ReadonlyMap<string, Field>, refuse: Refuse): void {
  for (const path of paths) {
    const field = fields.get(path);
    if (path === 'id') refuse('fields', 'every id is unique already');
    else if (field === undefined) refuse('fields', whyNoField(path));
    else if (!isScalarKind(field.kind) || field.kind === 'binary') {
      refuse('fields', `"${path}" (${field.kind}) holds no one text, number, boolean, instant or id that could be unique`);
    }
  }
  if (new Set(paths).size !== paths.length) refuse('fields', 'names a field twice');
  if (ignoringCase && !paths.some((path) => fields.get(path)?.kind === 'string')) refuse('ignoringCase', 'no field of it is a text');
}

function checkWhere({ fields: paths, where, ignoringCase }: Unique, fields: ReadonlyMap<string, Field>, refuse: Refuse): void {
  for (const [path, value] of where) {
    const field = fields.get(path);
    const key = `where.${path}`;
    if (path === 'id' || field === undefined) refuse(key, whyNoField(path));
    else if (field.kind !== 'string' && field.kind !== 'boolean' && field.kind !== 'number' && field.kind !== 'integer') {
      refuse(key, `is of kind ${field.kind}; a text, a number or a boolean can be asked for`);
    } else if (toPart(value, field.kind, false) === undefined) refuse(key, `must be a value of kind ${field.kind}`);
    if (paths.includes(path)) refuse(key, 'is a field of the key');
    if (ignoringCase && typeof value === 'string' && !isPrintableAscii(value)) refuse(key, 'must be printable ASCII where case is ignored');
  }
}
