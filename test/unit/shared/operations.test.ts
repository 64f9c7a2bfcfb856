/** Rows: what is in no table does not exist, and a row that contradicts itself does not start. */
import { describe, expect, test } from 'bun:test';
import { Fault } from '../../../shared/wire/fault.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { operations } from '../../../shared/operations/operation.ts';
import { mustRoute, optionsOf } from '../../../shared/operations/route.ts';
import { served } from '../../../shared/resources/all.ts';

const paths = [
  '/v1/films', '/v1/films/a', '/v1/films/import', '/v1/films/changes', '/v1/reviews/changes', '/v1/films/export', '/v1/nope',
  '/v1/films/a/b',
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
      '/v1/films': ['list', 'list', 'create', not, not, not],
      '/v1/films/a': ['get a', 'get a', not, 'replace a', 'patch a', 'remove a'],
      '/v1/films/import': [not, not, 'import', not, not, not],
      '/v1/films/changes': none('route_not_found'),
      '/v1/reviews/changes': ['changes', 'changes', not, not, not, not],
      '/v1/films/export': none('route_not_found'),
      '/v1/nope': none('route_not_found'),
      '/v1/films/a/b': none('route_not_found'),
    });
  });

  test('says what its place allows', () => {
    expect(optionsOf(served, '/v1/films/a')).toEqual({
      allow: 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS',
      'accept-patch': 'application/merge-patch+json',
    });
    expect(optionsOf(served, '/v1/films')).toEqual({ allow: 'GET, POST, HEAD, OPTIONS' });
    expect(ask(() => optionsOf(served, '/v1/films/changes'))).toBe('route_not_found');
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
