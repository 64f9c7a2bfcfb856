/** The description of the API: everything that is declared stands in it, and it is one that tools take. */
import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileErrors, validate } from '@readme/openapi-parser';
import * as z from 'zod';
import { type Contract, contract } from '../../../shared/contract/contract.ts';
import { everyResourceOf } from '../../../shared/contract/every-resource.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, role, signedIn } from '../../../shared/contract/rules.ts';
import { instant, integer, objectId } from '../../../shared/contract/types.ts';
import { bodiesOf } from '../../../shared/contract/documents.ts';
import { parseAggregateQuery } from '../../../shared/aggregates/aggregate-query.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { isOwnPlace, type Operation as AnyOperation } from '../../../shared/operations/operation.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { isForEdgeAlone, operationsOf } from '../../../shared/operations/route.ts';
import { toDescription } from '../../../shared/openapi/document.ts';
import { pathOf, toOperation } from '../../../shared/openapi/operations.ts';
import { schemasOf } from '../../../shared/openapi/resource-schemas.ts';
import { modules } from '../../../shared/modules.ts';
import { served } from '../../../shared/resources/all.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { faultReasons, problemKindOf } from '../../../shared/wire/fault.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { testThat } from '../../support/needs.ts';
import { served as notes } from '../../support/notes-contract.ts';
import { pythonProgram } from '../../support/python-program.ts';

const validator = pythonProgram('openapi-spec-validator');
const validatorTest = testThat(validator);

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: JsonObject;
  readonly example?: Json;
}

interface Operation {
  readonly operationId: string;
  readonly description: string;
  readonly parameters: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonObject; readonly example?: Json }>> };
  readonly responses: Readonly<Record<string, JsonObject>>;
  readonly security: readonly JsonObject[];
  readonly 'x-shapes'?: readonly { readonly name: string; readonly example?: string }[];
  readonly 'x-aggregates'?: readonly { readonly name: string; readonly example?: string }[];
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<'schemas' | 'responses' | 'headers', Readonly<Record<string, JsonObject>>>>;
}

const toText = (of: Contract, version = of.versions.current) =>
  JSON.stringify(toDescription({ contract: of, plans: offered, paths: {} }, version));
const described = (of: Contract, version = of.versions.current) => JSON.parse(toText(of, version)) as Description;

/** What zod can say that JSON Schema has trouble with: a type inside itself, unions, records, pipes, ids of every kind. */
interface Part {
  readonly name: string;
  readonly parts: readonly Part[];
}
const part: z.ZodType<Part> = z.object({ name: z.string(), get parts() { return z.array(part); } });
const machines = resource({
  name: 'machines', id: 'objectId',
  schema: z.object({
    root: part, maker: objectId(), built: instant(),
    shape: z.discriminatedUnion('kind', [z.object({ kind: z.literal('round'), r: z.number() }), z.object({ kind: z.literal('flat') })]),
    labels: z.record(z.string(), z.string()).optional(), anything: z.unknown().optional(),
    both: z.union([z.string(), integer()]).optional(),
    slug: z.string().trim().toLowerCase().optional(), cut: z.string().transform((text) => text.slice(0, 3)).optional(),
    pair: z.tuple([z.string(), z.number()]).optional(),
  }),
  rules: { read: anyone, write: signedIn },
  fieldRules: { maker: { read: role('staff') } },
  shapes: { all: { sort: ['-built'] }, byMaker: { equal: ['maker'], range: 'built', sort: ['built'] } },
  preconditions: 'required', extra: 'serve', live: true,
});

const contracts = { sample: served, notes, machines: contract(machines) };

describe.each(Object.entries(contracts))('the description of the contract %s', (_name, of) => {
  test('is valid OpenAPI 3.1', async () => {
    const result = await validate(JSON.parse(toText(of)) as Parameters<typeof validate>[0]);
    expect(result.valid ? '' : compileErrors(result)).toBe('');
  });

  validatorTest('is valid in every version for a second validator, which knows nothing of the first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tombolo-openapi-'));
    const files = of.versions.all.map((version) => {
      const file = join(folder, `${version.name}.json`);
      writeFileSync(file, toText(of, version));
      return file;
    });
    const { output, code } = await validator.run(files);
    rmSync(folder, { recursive: true });
    expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  }, 180_000);

  test('is valid OpenAPI 3.1 in every older version too', async () => {
    for (const version of of.versions.all) {
      const result = await validate(JSON.parse(toText(of, version)) as Parameters<typeof validate>[0]);
      expect([version.name, result.valid ? '' : compileErrors(result)]).toEqual([version.name, '']);
      expect(Object.keys(described(of, version).paths).every((path) => path.startsWith(`/${version.name}/`))).toBe(true);
    }
  });

  test('refers to nothing that is not in it', () => {
    const whole = JSON.parse(toText(of)) as Json;
    for (const [, ref = ''] of toText(of).matchAll(/"\$ref":"#\/([^"]*)"/g)) {
      const found = ref.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], whole);
      expect([ref, typeof found]).toEqual([ref, 'object']);
    }
  });

  test('has every operation of every resource once, and no other', () => {
    const found = Object.values(described(of).paths).flatMap((item) => Object.values(item).flatMap(({ operationId = [] }) => operationId));
    const expected = [...of.resources.values()].flatMap((each) => operationsOf(each)
      .filter(({ at }) => !isOwnPlace(at) || !isForEdgeAlone(`/v2${at.path}`)).map(({ name }) => `${each.name}.${name}`));
    const ofAll = operationsOf(everyResourceOf(of)).map(({ name }) => name);
    const { apiKeys, jobs, workflows, deferred, webhooks, incoming } = modules.named;
    const named = (place: string, rows: Readonly<Record<string, AnyOperation>>) =>
      Object.values(rows).flatMap(({ at, name }) => (isOwnPlace(at) && !isForEdgeAlone(`/v2${at.path}`) ? [`${place}.${name}`] : []));
    const ours = [
      ...named('keys', apiKeys.operations), ...named('jobs', jobs.operations), ...named('operations', deferred.operations),
      ...named('workflows', workflows.operations),
      ...named('webhooks', webhooks.operations), ...named('received', incoming.operations),
    ];
    expect(found.sort()).toEqual([...expected, ...ofAll, ...ours].sort());
  });

  test('shows queries and bodies that are taken', () => {
    for (const each of of.resources.values()) {
      const { get: list, post: create } = described(of).paths[`/${of.versions.current.name}/${each.name}`] ?? {};
      for (const { name, example } of list?.['x-shapes'] ?? []) {
        if (example !== undefined) expect([name, parseListQuery(each, example).shape.name]).toEqual([name, name]);
      }
      const { get: aggregate } = described(of).paths[`/${of.versions.current.name}/${each.name}/aggregate`] ?? {};
      for (const { name, example } of aggregate?.['x-aggregates'] ?? []) {
        if (example !== undefined) expect([name, parseAggregateQuery(each, example).aggregate.name]).toEqual([name, name]);
      }
      const patches = described(of).paths[`/${of.versions.current.name}/${each.name}/{id}`]?.['patch']?.requestBody?.content ?? {};
      for (const [type, { example }] of Object.entries(patches)) {
        if (example !== undefined) expect([type, documents.patch.schema(each, type).safeParse(example).success]).toEqual([type, true]);
      }
      const body = create?.requestBody?.content['application/json']?.example;
      if (body !== undefined) expect(bodiesOf(each).create.safeParse(body).success).toBe(true);
    }
  });
});

describe('the description of an older version', () => {
  const [v1] = served.versions.all;
  const { paths, components } = described(served, v1);

  test('says where that has what, and nothing of what it has not', () => {
    expect(JSON.stringify(components.schemas)).not.toContain('"image"');
    for (const name of ['films.part', 'films.create', 'films.replace', 'films.patch']) {
      const properties = components.schemas[name]?.['properties'] as JsonObject;
      // What a patch may hold of an object is not described.
      const [uri, whole] = name === 'films.patch' ? [{}, {}] : [{ format: 'uri' }, { type: 'integer' }];
      expect([name, properties['thumbnail'], properties['thumbnail_width']]).toMatchObject([name, uri, whole]);
    }
    const fields = paths['/v1/films']?.['get']?.parameters.find((each) => 'name' in each && each.name === 'fields') as Parameter;
    expect(JSON.stringify(fields.schema)).toContain('"thumbnail"');
    expect(JSON.stringify(fields.schema)).not.toContain('image');
  });

  test('says that it ends', () => {
    const operations = Object.entries(paths).filter(([path]) => path.startsWith('/v1/films')).flatMap(([, item]) => Object.values(item));
    expect(operations.filter((operation) => 'operationId' in operation).every((operation) => 'deprecated' in operation)).toBe(true);
    expect(paths['/v1/films']?.['get']?.description).toContain('`Sunset`');
    for (const answer of [paths['/v1/films']?.['get']?.responses['200'], components.responses['refusal']]) {
      expect(Object.keys(answer?.['headers'] ?? {})).toEqual(expect.arrayContaining(['Deprecation', 'Sunset', 'Link']));
    }
    expect(JSON.stringify(described(served).paths)).not.toContain('Sunset');
  });

  test('names itself in every way that it can be asked in', () => {
    for (const version of served.versions.all) {
      const text = toText(served, version);
      for (const { name } of served.versions.all) expect(text).toContain(`application/vnd.tombolo.${name}+json`);
      const { parameters } = (JSON.parse(text) as { components: { parameters: Record<string, { schema: Json }> } }).components;
      for (const name of ['API-Version', 'version']) expect(parameters[name]?.schema).toEqual({ const: version.name });
    }
  });
});

describe('the description', () => {
  const { paths, components } = described(served);
  const parametersOf = (path: string, method = 'get') =>
    (paths[path]?.[method]?.parameters ?? []).map((parameter) => ('$ref' in parameter ? parameter.$ref.split('/').at(-1) : parameter.name));

  test('of a list has each filter with its operators, and what a page takes', () => {
    expect(parametersOf('/v2/films').filter((name) => !/^title/.test(name ?? ''))).toEqual([
      'genres', 'genres[in]', 'year[gt]', 'year[gte]', 'year[lt]', 'year[lte]', 'genres[ne]', 'genres[nin]', 'genres[exists]',
      'genres[contains]', 'image.url[ne]', 'image.url[nin]', 'image.url[exists]', 'year[ne]', 'year[nin]', 'year[exists]',
      'q', 'sort', 'limit', 'after', 'format', 'count', 'page', 'distinct', 'fields', 'expand', 'If-Match', 'If-None-Match',
      'Tombolo-Position', 'API-Version', 'version',
    ]);
    expect(parametersOf('/v2/reviews')).toContain('q');
    expect(parametersOf('/v2/places')).toContain('id[prefix]');
    expect(parametersOf('/v2/cinemas')).toEqual(expect.arrayContaining(['near', 'distance', 'within', 'kind', 'sort']));
    expect(parametersOf('/v2/films', 'delete').filter((name) => ['after', 'page', 'distinct'].includes(name ?? ''))).toEqual([]);
    const sort = paths['/v2/films']?.['get']?.parameters.find((each) => 'name' in each && each.name === 'sort') as Parameter;
    expect(sort.schema['enum']).toEqual(['id', '-id', '-year,title', 'year,-title', 'title', '-title', 'year', '-year']);
  });

  test('shows each kind of patch by what it does to a film', () => {
    const content = described(served).paths['/v2/films/{id}']?.['patch']?.requestBody?.content;
    expect(content?.['application/json-patch+json']).toEqual({
      schema: { $ref: '#/components/schemas/JsonPatch' }, example: [{ op: 'add', path: '/title', value: 'The Third Man' }],
    });
  });

  test('has an example for every shape and every aggregate of the sample', () => {
    const shapes = Object.values(paths).flatMap((item) => item['get']?.['x-shapes'] ?? []);
    const declared = [...served.resources.values()];
    expect(shapes).toHaveLength(declared.flatMap((each) => [...each.shapes, ...(each.removal === undefined ? [] : [each.removal])]).length);
    const aggregates = Object.values(paths).flatMap((item) => item['get']?.['x-aggregates'] ?? []);
    expect(aggregates).toHaveLength(declared.flatMap((each) => each.aggregates).length);
    expect([...shapes, ...aggregates].filter(({ example }) => example === undefined)).toEqual([]);
  });

  test('has a response for every reason of refusals, with its status', () => {
    for (const reason of faultReasons) {
      const response = JSON.stringify(components.responses[reason]);
      expect(response).toContain(`"status":{"const":${problemKindOf(reason).status}}`);
      expect(response).toContain(`"code":{"enum":["${reason}"]}`);
    }
  });

  test('demands of an answer what all see and every document has, and with `fields` the id alone', () => {
    expect(components.schemas['orders']?.['required']).toEqual(['id', 'tenant', 'film', 'seats', 'buyer', 'status']);
    expect(components.schemas['orders.part']?.['required']).toEqual(['id']);
    const { maker, required } = (() => {
      const schemas = described(contracts.machines).components.schemas;
      const properties = schemas['machines.part']?.['properties'] as Readonly<Record<string, JsonObject>>;
      return { maker: properties['maker'], required: schemas['machines']?.['required'] };
    })();
    expect(maker?.['description']).toBe('Read by: callers with the role `staff`.');
    expect(required).toEqual(['id', 'root', 'built', 'shape']);
  });

  test('takes no member that the schema does not name, and what was read may be sent back', () => {
    const { additionalProperties, properties, required } = components.schemas['films.replace'] ?? {};
    expect(additionalProperties).toBe(false);
    expect(required).toEqual(['title', 'year']);
    expect((properties as JsonObject)['rev']).toEqual({ readOnly: true });
    expect(Object.keys((components.schemas['films.create']?.['properties'] ?? {}) as JsonObject)).not.toContain('rev');
    expect((components.schemas['places.create']?.['required'] as string[]).includes('id')).toBe(true);
  });

  test('says of a replacement that it creates where callers name documents, and there alone', () => {
    const common = { schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone }, shapes: { all: {} } };
    const kinds = {
      uuids: 'uuid', bytes: { kind: 'uuid', storedAs: 'binary' }, hex: 'objectId',
      whole: 'integer', coded: { kind: 'integer', importedFrom: 'code' }, named: { kind: 'string', format: z.string() },
    } as const;
    const all = contract(...Object.entries(kinds).map(([name, id]) => resource({ name, id, ...common })));
    const creating = Object.keys(kinds).filter((name) => described(all).paths[`/v1/${name}/{id}`]?.['put']?.responses['201'] !== undefined);
    expect(creating).toEqual(['whole', 'coded', 'named']);
  });

  test('says who must sign in, and what a change needs', () => {
    expect(paths['/v2/films']?.['get']?.security).toEqual([{}, { bearer: [] }]);
    expect(paths['/v2/films']?.['post']?.security).toEqual([{ bearer: [] }]);
    expect(paths['/v2/orders']?.['get']?.security).toEqual([{ bearer: [] }]);
    expect(paths['/v2/places/import']?.['post']?.description).toContain('Costs 50 units');
    const [demanded] = described(notes).paths['/v2/pins/{id}']?.['patch']?.parameters.filter((each) => 'name' in each) ?? [];
    expect(demanded).toMatchObject({ name: 'If-Match', required: true });
  });

  test('has a row that says nothing of itself beyond what every row says', () => {
    const films = served.resources.get('films') as Resource;
    const row: AnyOperation = {
      name: 'advance', summary: 'Moves a film on.', method: 'POST', at: '/:id/advance', answers: 'effect', right: 'update',
      body: 'buffered',
      bodyBytesMax: 10, takes: ['application/json'], gives: ['application/json'], carries: ['idempotency-key', 'if-match'],
      conditions: 'change', msMax: 10_000, cost: 7, parse: () => undefined, schema: () => z.object({ years: z.number() }) as never,
    };
    expect(pathOf(films, row, served.versions.current)).toBe('/v2/films/{id}/advance');
    expect(toOperation(films, row)).toMatchObject({
      operationId: 'films.advance', summary: 'Moves a film on.', security: [{ bearer: [] }],
      parameters: ['Idempotency-Key', 'If-Match', 'API-Version', 'version'].map((name) => ({ $ref: `#/components/parameters/${name}` })),
      requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/films.advance' }, example: { years: 1 } } } },
      responses: { 200: { content: { 'application/json': { schema: {} } } }, 404: {}, 409: {}, 412: {}, 422: {} },
    });
    expect(schemasOf(films, [row])['films.advance']).toMatchObject({ type: 'object', required: ['years'] });
  });

  test('is that of another contract when a resource is added', () => {
    const tags = resource({ name: 'tags', schema: z.object({ word: z.string() }), rules: { read: anyone }, shapes: { all: {} } });
    expect(Object.keys(described(contract(...served.resources.values(), tags)).paths)).toContain('/v1/tags/{id}');
  });
});
