/** What is described of an older version and what is served in it are the same (SEMANTICS §19). */
import { describe, expect, test } from 'bun:test';
import { Ajv2020 } from 'ajv/dist/2020';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { bodiesOf } from '../../../shared/contract/documents.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { toDescription } from '../../../shared/openapi/document.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { added, converted, moved } from '../../../shared/versions/changes.ts';
import { translationOf } from '../../../shared/versions/dialect.ts';
import type { Translation } from '../../../shared/versions/translation.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../shared/wire/values.ts';
import { randomContract } from '../../support/random-contract.ts';
import { Random } from '../../support/random.ts';

type Part = 'things' | 'things.part' | 'things.create' | 'things.replace' | 'things.patch';

/** Validators of the schemas of a description, and the description itself. */
function read(description: JsonObject) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema({ $id: 'http://api/', ...description });
  const made = new Map<Part, ReturnType<typeof ajv.compile>>();
  return (part: Part, value: Json): readonly unknown[] => {
    const isValid = made.get(part) ?? ajv.compile({ $ref: `http://api/#/components/schemas/${part}` });
    made.set(part, isValid);
    return isValid(value) ? [] : [part, value, isValid.errors];
  };
}

function isTaken(translation: Translation, body: JsonObject, take: (body: JsonObject) => { readonly success: boolean }): boolean {
  try {
    return take(translation.up(body, 'document')).success;
  } catch {
    return false;
  }
}

/** The same document with a member more, in one of its objects. */
function withStranger(random: Random, value: JsonObject, name: string): JsonObject {
  const [inner, member] = random.pick(Object.entries(value).filter(([, each]) => isJsonObject(each))) ?? [];
  if (inner === undefined || !isJsonObject(member ?? null) || random.chance(0.5)) return { ...value, [name]: 'x' };
  return { ...value, [inner]: withStranger(random, member as JsonObject, name) };
}

interface Described {
  readonly parameters: readonly { readonly name?: string; readonly schema?: JsonObject }[];
  readonly 'x-shapes': readonly JsonObject[];
  readonly description: string;
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly example?: Json }>> };
}

function operationOf(description: JsonObject, path: string, method: string): Described {
  const paths = description['paths'] as unknown as Readonly<Record<string, Readonly<Record<string, Described>>>>;
  const found = paths[path]?.[method];
  if (found === undefined) throw new Error(`nothing is described at ${method} ${path}`);
  return found;
}

function examplesOf(description: JsonObject, version: string) {
  const rows = [
    ['create', 'things.create', `/${version}/things`, 'post'], ['replace', 'things.replace', `/${version}/things/{id}`, 'put'],
    ['patch', 'things.patch', `/${version}/things/{id}`, 'patch'],
  ] as const;
  return rows.flatMap(([as, part, path, method]) => {
    // A patch of another media type than the first has a schema of its own.
    const examples = Object.values(operationOf(description, path, method).requestBody.content).slice(0, 1).map(({ example }) => example);
    return examples.flatMap((example) => (example !== undefined && isJsonObject(example) ? [[as, part, example] as const] : []));
  });
}

describe('an older version is described as it is asked', () => {
  const two = versions({ name: 'v1', deprecated: '2026-01-01', sunset: '2027-01-01' }, { name: 'v2' });
  const things = resource({
    name: 'things',
    schema: z.object({
      title: z.string().meta({ examples: ['Rope'] }), note: z.string(), size: z.number().meta({ examples: [3] }),
      image: z.object({ url: z.string() }).default({ url: 'none' }), owner: z.string().optional(),
    }),
    rules: { read: owner('owner'), write: anyone },
    shapes: {
      all: {}, byNote: { equal: ['note'] }, bySize: { equal: ['size'], sort: ['title,note', 'note'] }, inSize: { range: 'size' },
      byUrl: { equal: ['image.url'], range: 'title', sort: ['title'] },
    },
    versions: { v1: [
      moved({ picture: 'image.url', by: 'owner' }), added('note', 'none'),
      converted('size', {
        schema: z.enum(['S3', 'S4']), up: (value) => Number(String(value).slice(1)), down: (value) => `S${String(value)}`,
      }),
    ] },
  });
  const served = contract(two, things);
  const [v1 = two.current] = two.all;
  const description = toDescription({ contract: served, plans: offered, paths: {} }, v1);
  const list = operationOf(description, '/v1/things', 'get');
  const parameters = new Map(list.parameters.flatMap(({ name, schema = {} }) => (name === undefined ? [] : [[name, schema] as const])));

  test('with the filters and orders that it can, in its own values', () => {
    expect(contractMistakes(served)).toEqual([]);
    expect([...parameters.keys()].filter((name) => /^(note|size|picture|image)/.test(name))).toEqual([
      'size', 'size[in]', 'picture', 'picture[in]',
    ]);
    expect(parameters.get('size')).toMatchObject({ type: 'string', enum: ['S3', 'S4'] });
    expect(parameters.get('size[in]')).toMatchObject({ items: { enum: ['S3', 'S4'] } });
    expect(parameters.get('sort')?.['enum']).toEqual(['id', '-id', 'title', '-title']);
    expect(JSON.stringify(parameters.get('fields'))).not.toMatch(/note|image|owner/);
    expect(list.description).not.toMatch(/note|image|owner/);
  });

  test('with shapes whose examples are served', () => {
    expect(list['x-shapes']).toEqual([
      { name: 'all', equal: [], sort: ['id'], example: '?sort=id' },
      { name: 'bySize', equal: ['size'], sort: ['title'], example: '?size=S3&sort=title' },
      { name: 'inSize', equal: [], sort: [] },
      { name: 'byUrl', equal: ['picture'], sort: ['title'], range: 'title', example: '?picture=text&title%5Bgte%5D=Rope&sort=title' },
    ]);
    const translation = translationOf(two, things, v1);
    for (const { name, example } of list['x-shapes']) {
      if (typeof example === 'string') expect(parseListQuery(things, translation?.upQuery(example) ?? '').shape.name).toBe(String(name));
    }
  });

  test('with rows that it takes, and no table where cells are others', () => {
    expect(operationOf(description, '/v1/things/import', 'post').requestBody.content).toEqual({
      'application/x-ndjson': { schema: { type: 'string' }, example: '{"title":"Rope","size":"S3"}\n' },
      'text/csv': { schema: { type: 'string' } },
    } as never);
  });
});

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

test.each(Array.from({ length: 25 }, (_each, round) => seed * 100 + round))(
  'what a random contract takes and shows in older versions is what is described there (seed %d)', (own) => {
    const random = new Random(own);
    const { contract: made, resource: things, changes, document } = randomContract(random);
    const bodies = bodiesOf(things);
    expect(contractMistakes(made)).toEqual([]);
    for (const version of made.versions.all) {
      const translation = translationOf(made.versions, things, version);
      if (translation === undefined) continue;
      const description = toDescription({ contract: made, plans: offered, paths: {} }, version);
      const refusalsOf = read(description);
      const name = [own, version.name, changes];
      for (const [as, part, example] of examplesOf(description, version.name)) {
        const take = bodies[as];
        const up = translation.up(example, as === 'patch' ? 'patch' : 'document');
        expect([name, example, refusalsOf(part, example), take.safeParse(up).success]).toEqual([name, example, [], true]);
      }
      for (let round = 0; round < 10; round++) {
        const body = document();
        const stored: JsonObject = { id: '01890a5d-ac96-774b-bcce-b302099a8057', ...bodies.create.parse(body) };
        const shown = translation.down(stored);
        const { id: _id, ...sent } = shown;
        for (const part of ['things', 'things.part', 'things.replace'] as const) {
          expect([name, stored, refusalsOf(part, shown)]).toEqual([name, stored, []]);
        }
        expect([name, stored, refusalsOf('things.create', sent)]).toEqual([name, stored, []]);
        const strange = withStranger(random, sent, 'stranger');
        // A record takes it, and nothing else does.
        const isRefused = refusalsOf('things.create', strange).length > 0;
        const isServed = isTaken(translation, strange, (up) => bodies.create.safeParse(up));
        expect([name, strange, isRefused && isServed]).toEqual([name, strange, false]);
      }
    }
  },
);
