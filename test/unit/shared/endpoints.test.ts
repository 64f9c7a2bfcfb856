/** `endpoint()`: mistakes are told by file, endpoint and key, and what is sound becomes a row like all others. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { endpointMistakes } from '../../../shared/checks/endpoint-mistakes.ts';
import { moduleMistakes } from '../../../shared/checks/module-mistakes.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, owner, role } from '../../../shared/contract/rules.ts';
import { moduleList } from '../../../shared/operations/module.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { mustRoute } from '../../../shared/operations/route.ts';
import { served } from '../../../shared/resources/all.ts';
import { films } from '../../../shared/resources/films.ts';
import { orders } from '../../../shared/resources/orders.ts';

const named = resource({
  name: 'named', id: { kind: 'string', format: z.string().max(20) }, schema: z.object({ n: z.int() }), shapes: { all: {} },
});
const kept = resource({ name: 'tombolo_kept', internal: true, schema: z.object({ n: z.int() }), shapes: { all: {} } });

const state = { name: 'best', summary: 'The best.', of: films, at: '/best', method: 'GET', answers: 'state', rule: anyone } as const;
const effect = { ...state, name: 'ship', of: orders, at: '/:id/ship', method: 'POST', answers: 'effect' } as const;
const output = z.object({ n: z.int() });

/** Also of a declaration that the compiler would refuse. */
const made = (declared: object) => endpoint({ ...state, output, ...declared });
const mistakesOf = (declared: object) => endpointMistakes(made(declared));
const keysOf = (declared: object) => mistakesOf(declared).map((line) => line.split(': ')[2]);

describe('a declaration', () => {
  test('is told of by its file, its name and the key', () => {
    expect(mistakesOf({ ...state, method: 'POST', cost: 0 })).toEqual([
      'shared/endpoints/best.ts: endpoint "best": method: must be GET for "state"',
      'shared/endpoints/best.ts: endpoint "best": cost: must be a whole number from 1 to 1000',
    ]);
  });

  test.each([
    ['a name that is none', { ...state, name: 'Best Of' }, ['name']],
    ['no resource', { ...state, of: undefined }, ['of']],
    ['no place', { ...state, at: undefined }, ['at']],
    ['a key that nobody reads', { ...state, roule: anyone }, ['roule']],
    ['a place of two words', { ...state, at: '/best/of' }, ['at']],
    ['a word that all resources have', { ...state, at: '/export' }, ['at']],
    ['a word that may be the id of a document', { ...state, of: named }, ['at']],
    ['a path that the edge has', { ...state, at: { path: '/live/films' } }, ['at']],
    ['an internal resource', { ...state, of: kept }, ['of']],
    ['an effect by GET', { ...effect, method: 'GET' }, ['method']],
    ['no output', { ...state, output: undefined }, ['output']],
    ['an output without a form in JSON', { ...state, output: z.object({ at: z.date() }) }, ['output.at']],
    ['a parameter that no text says', { ...state, input: z.object({ of: z.array(z.string()) }) }, ['input.of']],
    ['an input that is no object', { ...effect, input: z.string() }, ['input']],
    ['a rule that is none', { ...state, rule: role }, ['rule']],
    ['a rule about fields that the resource has not', { ...effect, rule: owner('boss') }, ['rule']],
    ['a rule about fields, of a state', { ...state, rule: equals('year', 1949) }, ['rule']],
    ['a rule about fields, of a collection', { ...effect, at: '/ship', rule: owner('buyer') }, ['rule']],
    ['reads of an effect', { ...effect, reads: [films] }, ['reads']],
    ['a read of itself', { ...state, reads: [films] }, ['reads']],
    ['a revision that is none', { ...state, revision: -1 }, ['revision']],
    ['an audience that is none', { ...state, audience: 'friends' }, ['audience']],
    ['an address for a host', { ...effect, fetches: ['10.0.0.1', 'localhost', 'https://a.example'] }, ['fetches', 'fetches', 'fetches']],
  ])('with %s is a mistake', (_what, declared, keys) => expect(keysOf(declared)).toEqual(keys));

  test('that is sound has none', () => {
    const parameters = z.object({ year: z.int().optional(), on: z.boolean().default(true), by: z.enum(['a']) });
    expect(mistakesOf({ ...state, input: parameters })).toEqual([]);
    expect(mistakesOf({ ...effect, rule: owner('buyer'), input: z.object({ to: z.string() }), fetches: ['api.example.com'] })).toEqual([]);
    expect(mistakesOf({ ...state, at: { path: '/charts/best' }, reads: [orders], audience: 'everybody' })).toEqual([]);
    expect([made({}).cost, made({ cost: 3 }).cost]).toEqual([1, 3]);
  });
});

describe('a module of endpoints', () => {
  const toMistakes = (...declared: object[]) => {
    return moduleMistakes(moduleList({ documents: { operations: documents }, own: endpointModule(...declared.map(made)) }));
  };

  test('has the mistakes of each, and of all together', () => {
    expect(toMistakes(state, effect)).toEqual([]);
    expect(toMistakes({ ...state, cost: 0 })).toHaveLength(1);
    expect(toMistakes(state, { ...state, at: '/worst' })).toEqual([
      'shared/endpoints/all.ts: endpoint "best": name: 2 endpoints have it',
    ]);
    expect(toMistakes(state, { ...state, name: 'worst' })).toEqual(['shared/modules.ts: GET of "/films/best": is brought by own and own']);
    expect(toMistakes(state, { ...state, name: 'worst', of: orders })).toEqual([]);
    expect(toMistakes({ ...state, name: 'list' })).toEqual(['shared/modules.ts: operation "list": is brought by documents and own']);
  });
});

describe('a row of the sample', () => {
  test('is found at its resource alone, and its word is no id there', () => {
    const found = (method: string, path: string) => {
      const { operation, id } = mustRoute(served, method, path);
      return [operation.name, id];
    };
    expect(found('GET', '/v2/films/top')).toEqual(['films-top', '']);
    expect(found('GET', '/v2/places/top')).toEqual(['get', 'top']);
    expect(found('GET', '/v2/films/:id')).toEqual(['get', ':id']);
    expect(found('POST', '/v2/orders/a/pay')).toEqual(['orders-pay', 'a']);
    const none = ['/v2/films/a/pay', '/v2/films/top/pay', '/v2/films/top/'];
    for (const path of none) expect(() => found('POST', path)).toThrow('route_not_found');
    expect(() => found('DELETE', '/v2/films/top')).toThrow('method_not_allowed');
  });

  test('names its answers the same for all spellings', () => {
    const { operation, resource: of } = mustRoute(served, 'GET', '/v2/films/top');
    const nameOf = (query: string) => operation.cached?.({ resource: of, id: '', input: operation.parse(of, query, () => null) }).name;
    expect(nameOf('?genre=Film%20Noir&limit=10')).toBe(nameOf('?genre=Film+Noir') ?? '');
    expect(nameOf('?genre=a&limit=9')).not.toBe(nameOf('?genre=a'));
  });
});
