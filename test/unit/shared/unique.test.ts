/** Unique keys as they are declared: what no index could keep refuses the start, and is named. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { uniqueKeyOf } from '../../../shared/contract/unique.ts';
import { fold } from '../../../shared/text/fold.ts';

const schema = z.object({
  email: z.string().optional(), status: z.string().optional(), tags: z.array(z.string()).optional(), year: z.number().optional(),
  parts: z.array(z.object({ name: z.string() })).optional(), any: z.unknown(),
});

const declared = (unique: unknown) =>
  resource({ name: 'users', schema, rules: { read: anyone, write: anyone }, shapes: { all: {} }, unique: asUnique(unique) });

/** Declarations are checked as they run, whatever their types say. */
function asUnique(given: unknown): NonNullable<ResourceDeclaration['unique']> {
  return given as NonNullable<ResourceDeclaration['unique']>;
}

const noOne = 'holds no one text, number, boolean, instant or id that could be unique';

test.each([
  [{ byEmail: { fields: ['email'], ignoringCase: true, where: { status: 'active' } } }, []],
  [{ byEmail: 'email' }, ['unique.byEmail: must be an object', 'unique.byEmail.fields: must be a list of paths']],
  [{ 'by email': { fields: ['email'] } }, ['unique.by email: must be named by letters and digits']],
  [{ byEmail: { field: 'email' } }, [
    'unique.byEmail.field: unknown key; known are fields, ignoringCase, where', 'unique.byEmail.fields: must be a list of paths',
  ]],
  [{ byMail: { fields: ['mail'] } }, ['unique.byMail.fields: the schema has no field "mail"']],
  [{ byId: { fields: ['id'] } }, ['unique.byId.fields: every id is unique already']],
  [{ byTag: { fields: ['tags'] } }, [`unique.byTag.fields: "tags" (array) ${noOne}`]],
  [{ byPart: { fields: ['parts.name'] } }, [
    `unique.byPart.fields: "parts.name" (array) ${noOne}`,
  ]],
  [{ byAny: { fields: ['any'] } }, [`unique.byAny.fields: "any" (mixed) ${noOne}`]],
  [{ twice: { fields: ['email', 'email'] } }, ['unique.twice.fields: names a field twice']],
  [{ byYear: { fields: ['year'], ignoringCase: true } }, ['unique.byYear.ignoringCase: no field of it is a text']],
  [{ byEmail: { fields: ['email'], where: { status: 1 } } }, ['unique.byEmail.where.status: must be a value of kind string']],
  [{ byEmail: { fields: ['email'], where: { tags: 'a' } } }, [
    'unique.byEmail.where.tags: is of kind array; a text, a number or a boolean can be asked for',
  ]],
  [{ byEmail: { fields: ['email'], where: { email: 'a' } } }, ['unique.byEmail.where.email: is a field of the key']],
  [{ byEmail: { fields: ['email'], ignoringCase: true, where: { status: 'ä' } } }, [
    'unique.byEmail.where.status: must be printable ASCII where case is ignored',
  ]],
])('%j is taken, or refused by name', (unique, refused) => {
  const mistakes = resourceMistakes(declared(unique));
  expect(mistakes.map((line) => line.replace('shared/resources/users.ts: resource "users": ', ''))).toEqual(refused);
});

test('where case is ignored, what is taken is folded as text shapes fold it', () => {
  const users = declared({ byEmail: { fields: ['email'], ignoringCase: true } });
  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index));
  for (const text of [printable.join(''), ...printable]) {
    expect(users.unique.map((unique) => uniqueKeyOf(users, unique, { email: text }))).toEqual([JSON.stringify([fold(text)])]);
  }
});

test('what is removed and stays has no key', () => {
  const kept = { name: 'users', schema, rules: { read: anyone, write: anyone }, shapes: { all: {} }, removal: { at: 'deletedAt' } };
  const users = resource({ ...kept, unique: { byEmail: { fields: ['email'] } } });
  const keys = [{}, { deletedAt: null }, { deletedAt: '2026-01-01T00:00:00.000Z' }].map((more) =>
    users.unique.map((unique) => uniqueKeyOf(users, unique, { email: 'a', ...more })));
  expect(keys).toEqual([['["a"]'], ['["a"]'], [undefined]]);
  const mistakes = resourceMistakes(resource({ ...kept, unique: { byMoment: { fields: ['email', 'deletedAt'] } } }));
  expect(mistakes.map((line) => line.replace('shared/resources/users.ts: resource "users": ', '')))
    .toEqual(['unique.byMoment.fields: what has "deletedAt" is removed and has no key']);
});

test('a document has a key where all of it is there, of its declared kind and under its condition', () => {
  const users = declared({ byEmail: { fields: ['email', 'year'], ignoringCase: true, where: { status: 'active' } } });
  const [byEmail] = users.unique;
  if (byEmail === undefined) throw new Error('the key is declared');
  const keyOf = (email: string | null | number, year: number | undefined, status = 'active') =>
    uniqueKeyOf(users, byEmail, { email, status, ...(year === undefined ? {} : { year }) });
  expect(keyOf('A@b', 1)).toBe(keyOf('a@B', 1.0) ?? 'none');
  expect(keyOf('a@b', 2)).not.toBe(keyOf('a@b', 1) ?? 'none');
  for (const none of [keyOf(null, 1), keyOf('a@b', undefined), keyOf(7, 1), keyOf('a@b', 1, 'gone')]) expect(none).toBeUndefined();
});
