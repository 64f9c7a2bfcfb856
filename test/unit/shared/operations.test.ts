/** Rows: what is in no table does not exist, and a row that contradicts itself does not start. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { moduleMistakes, refuseBeside } from '../../../shared/checks/module-mistakes.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { moduleList } from '../../../shared/operations/module.ts';
import { type Operation, operations, type Place } from '../../../shared/operations/operation.ts';
import { mustRoute, optionsOf } from '../../../shared/operations/route.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import type { LimitsDeclaration } from '../../../shared/limits/cost.ts';
import { served } from '../../../shared/resources/all.ts';

const paths = [
  '/v2/films', '/v2/films/a', '/v2/films/import', '/v2/films/changes', '/v2/reviews/changes', '/v2/films/export', '/v2/nope',
  '/v2/films/a/b', '/v2/films/', '/v2/films//a', '/v2/films/import/a', '/v2/films/aggregate',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

function ask<T>(run: () => T): T | string {
  try {
    return run();
  } catch (thrown) {
    return thrown instanceof Fault ? thrown.reason : String(thrown);
  }
}

describe('a route', () => {
  test('is an operation of the table, by method and place', () => {
    const found = Object.fromEntries(paths.map((path) => [path, methods.map((method) => ask(() => {
      const { operation, id } = mustRoute(served, method, path);
      return `${operation.name}${id === '' ? '' : ` ${id}`}`;
    }))]));
    const none = (reason: string) => methods.map(() => reason);
    const not = 'method_not_allowed';
    expect(found).toEqual({
      '/v2/films': ['list', 'list', 'create', not, 'patchMany', 'removeMany'],
      '/v2/films/a': ['get a', 'get a', not, 'replace a', 'patch a', 'remove a'],
      '/v2/films/import': [not, not, 'import', not, not, not],
      '/v2/films/aggregate': ['aggregate', 'aggregate', not, not, not, not],
      '/v2/films/changes': none('route_not_found'),
      '/v2/reviews/changes': ['changes', 'changes', not, not, not, not],
      '/v2/films/export': ['export', 'export', not, not, not, not],
      '/v2/nope': none('route_not_found'),
      '/v2/films/a/b': none('route_not_found'),
      '/v2/films/': none('route_not_found'),
      '/v2/films//a': none('route_not_found'),
      '/v2/films/import/a': none('route_not_found'),
    });
  });

  test('that is not there says what is', () => {
    const say = (method: string, path: string) => mustRoute(served, method, path);
    expect(() => say('GET', '/v2/flims')).toThrow('no such resource; there are films, places, reviews, ');
    expect(() => say('GET', '/')).toThrow('no such resource; there are films, ');
    expect(() => say('GET', '/v2/films/changes')).toThrow('films has / /:id /aggregate /import /export /top');
    expect(() => say('PUT', '/v2/films/import')).toThrow('this takes POST, OPTIONS');
  });

  test('says what its place allows', () => {
    expect(optionsOf(served, '/v2/films/a')).toEqual({
      allow: 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS',
      'accept-patch': 'application/merge-patch+json, application/json-patch+json, application/vnd.tombolo.changes+json',
    });
    try {
      mustRoute(served, 'POST', '/v2/films/a');
    } catch (thrown) {
      expect(thrown).toMatchObject({ headers: optionsOf(served, '/v2/films/a') });
    }
    expect.assertions(4);
    expect(optionsOf(served, '/v2/films')).toEqual({
      allow: 'GET, POST, PATCH, DELETE, HEAD, OPTIONS', 'accept-patch': 'application/json, application/x-ndjson',
    });
    expect(ask(() => optionsOf(served, '/v2/films/changes'))).toBe('route_not_found');
  });
});

describe('a row does not start', () => {
  const { cached: _cached, ...uncached } = documents.list;
  test('as a state that does not say what it depends on', () =>
    expect(() => operations({ list: uncached })).toThrow('operation list: a state says what it depends on'));
  test('as an effect that says so', () =>
    expect(() => operations({ create: { ...documents.create, cached: documents.list.cached } })).toThrow('operation create'));
  test('with a buffered body of no schema', () => {
    const { schema: _schema, ...shapeless } = documents.create;
    expect(() => operations({ create: shapeless })).toThrow('operation create: a buffered body has a schema');
  });
});

describe('what two modules bring', () => {
  const row = (at: Place, method: Operation['method'] = 'POST') => ({ ...documents.remove, method, at });
  const kept = resource({ name: 'tombolo_marks', internal: true, schema: z.object({ n: z.int() }), shapes: { all: {} } });
  const marks = { operations: operations({ mark: row('/:id/mark'), marked: row({ path: '/marks', about: 'films' }) }), resources: [kept] };
  const toMistakes = (stars: Parameters<typeof operations>[0], resources = [] as (typeof kept)[]) =>
    moduleMistakes(moduleList({ marks, stars: { operations: operations(stars), resources } }));

  test('differs in every name, path and place, or nothing starts, and both are told', () => {
    expect(toMistakes({ star: row('/:id/star') })).toEqual([]);
    expect(toMistakes({ mark: row('/:id/star') })).toEqual(['shared/modules.ts: operation "mark": is brought by marks and stars']);
    expect(toMistakes({ star: row('/:id/mark') })).toEqual(['shared/modules.ts: POST of "/:id/mark": is brought by marks and stars']);
    expect(toMistakes({ star: row('/:id/mark', 'PUT') })).toEqual([]);
    expect(toMistakes({ star: row({ path: '/marks', about: 'films' }, 'PUT') })).toEqual([
      'shared/modules.ts: path "/marks": is brought by marks and stars',
    ]);
    expect(toMistakes({}, [kept])).toEqual(['shared/modules.ts: internal resource "tombolo_marks": is brought by marks and stars']);
    expect(contractMistakes(contract())).toEqual([]);
  });

  test('is asked of no resource that has its path for a name, and costs what a resource says', () => {
    const refused = (declared: { readonly name: string; readonly limits?: LimitsDeclaration }) => {
      const found: string[] = [];
      const made = resource({ ...declared, schema: z.object({ n: z.int() }), rules: {}, shapes: { all: {} } });
      refuseBeside(moduleList({ marks }), made, (key) => found.push(key));
      return found;
    };
    expect(refused({ name: 'marks' })).toEqual(['name']);
    expect(refused({ name: 'stars' })).toEqual([]);
    const cost: Readonly<Record<string, number>> = { mark: 2, list: 2 };
    expect(refused({ name: 'stars', limits: { cost } })).toEqual(['limits.cost.list']);
  });
});
