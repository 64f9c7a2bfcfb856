/** Plans and what requests cost: wrong ones are errors at start, each naming where. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { planMistakes, unaffordable } from '../../../shared/checks/plan-mistakes.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { planOf, plans, type PlansDeclaration } from '../../../shared/limits/plans.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { toProblem } from '../../../shared/wire/problem.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { served } from '../../../shared/resources/all.ts';
import { offered } from '../../../shared/resources/plans.ts';

/** Wrong declarations are the point here, so what the types would refuse is let through. */
const declare =
  (windows: unknown, extra: object = {}) =>
  () =>
    plans({ anonymous: 'a', signedIn: 'a', plans: { a: windows }, ...extra } as PlansDeclaration);
const notes = (limits: unknown, name = 'notes') =>
  resource({ name, schema: z.object({ text: z.string() }), shapes: {}, limits } as ResourceDeclaration);
const user = (claims: Record<string, string>) => ({ subject: 'usr_1', roles: [], claims });

describe('plans', () => {
  test.each([
    ['no window', [], {}, 'plans.a: has 1 to 4 windows'],
    ['five windows', [1, 2, 3, 4, 5].map((n) => ({ limit: n, seconds: n })), {}, 'plans.a: has 1 to 4 windows'],
    ['a limit of nothing', [{ limit: 0, seconds: 1 }], {}, 'plans.a: limit must be'],
    ['a part of a second', [{ limit: 1, seconds: 0.5 }], {}, 'plans.a: seconds must be'],
    ['a window longer than a day', [{ limit: 1, seconds: 86_401 }], {}, 'plans.a: seconds must be'],
    ['an unknown key', [{ limit: 1, seconds: 1, per: 'ip' }], {}, 'plans.a: per: unknown key'],
    ['a name that headers cannot hold', [{ limit: 1, seconds: 1, name: 'a"b' }], {}, 'plans.a: a window is named'],
    ['two windows of one name', [{ limit: 1, seconds: 1, name: 'x' }, { limit: 2, seconds: 2, name: 'x' }], {}, 'plans.a: two windows'],
    [
      'a window that never refuses',
      [
        { limit: 10, seconds: 1 },
        { limit: 10, seconds: 60 },
      ],
      {},
      'plans.a: window "second" allows as much as "minute"',
    ],
    ['a quota of nothing', { windows: [{ limit: 1, seconds: 1 }], month: 0 }, {}, 'plans.a: month must be'],
    ['a window beside which no quota refuses', { windows: [{ limit: 9, seconds: 1 }], month: 9 }, {}, 'plans.a: window "second" allows'],
    ['a window of the quota’s name', { windows: [{ limit: 1, seconds: 1, name: 'month' }], month: 9 }, {}, 'plans.a: two windows'],
    ['no request at once', { windows: [{ limit: 1, seconds: 1 }], concurrent: 0 }, {}, 'plans.a: concurrent must be'],
    ['more at once than a counter holds', { windows: [{ limit: 1, seconds: 1 }], concurrent: 1_001 }, {}, 'plans.a: concurrent must be'],
    ['a window of that name', { windows: [{ limit: 1, seconds: 1, name: 'concurrent' }], concurrent: 1 }, {}, 'plans.a: two windows'],
    ['a quota alone', { month: 9 }, {}, 'plans.a: has 1 to 4 windows'],
    ['an unknown key beside windows', { windows: [{ limit: 1, seconds: 1 }], year: 9 }, {}, 'plans.a: year: unknown key'],
    ['a default that is not there', [{ limit: 1, seconds: 1 }], { signedIn: 'b' }, 'signedIn: there is no plan "b"'],
    ['a plan of tenants that is not there', [{ limit: 1, seconds: 1 }], { tenants: 'c' }, 'tenants: there is no plan "c"'],
    ['another unknown key', [{ limit: 1, seconds: 1 }], { guests: 'a' }, 'guests: unknown key'],
  ])('with %s are an error at start', (_what, windows, extra, message) => {
    const begin = `shared/resources/plans.ts: ${message}`;
    expect(planMistakes(declare(windows, extra)()).map((mistake) => mistake.slice(0, begin.length))).toContain(begin);
  });

  test('with several mistakes tell all of them', () => {
    const mistakes = planMistakes(plans({ anonymous: 'x', signedIn: 'y', plans: { a: [{ limit: 0, seconds: 0 }], B: [] } }));
    expect(mistakes.map((mistake) => mistake.slice('shared/resources/plans.ts: '.length).split(' ')[0])).toEqual([
      'plans.a:', 'plans.a:', 'plans.B:', 'plans.B:', 'anonymous:', 'signedIn:',
    ]);
  });

  test('order their windows, name them and say whether they are kept to the request', () => {
    const { anonymous: plan } = declare([
      { limit: 5_000, seconds: 3_600 },
      { limit: 20, seconds: 1 },
      { limit: 100, seconds: 90, name: 'burst' },
    ])();
    expect(plan).toEqual({
      name: 'a', exact: true, policy: '"second";q=20;w=1, "burst";q=100;w=90, "hour";q=5000;w=3600',
      windows: [
        { name: 'second', limit: 20, seconds: 1 },
        { name: 'burst', limit: 100, seconds: 90 },
        { name: 'hour', limit: 5_000, seconds: 3_600 },
      ],
    });
    expect(declare([{ limit: 21, seconds: 1 }])().anonymous.exact).toBe(false);
    expect(declare({ windows: [{ limit: 21, seconds: 60 }], month: 500 })().anonymous).toMatchObject({
      quota: 500, exact: false, policy: '"minute";q=21;w=60, "month";q=500',
    });
    expect(declare({ windows: [{ limit: 21, seconds: 60 }], concurrent: 4 })().anonymous).toMatchObject({
      concurrent: 4, exact: true, policy: '"minute";q=21;w=60, "concurrent";q=4;qu="concurrent-requests"',
    });
  });

  test('apply by the claim of the token, and never to whoever is not signed in', () => {
    expect(planOf(offered, anonymous).plan.name).toBe('anonymous');
    expect(planOf(offered, { ...anonymous, claims: { plan: 'bench' } }).plan.name).toBe('anonymous');
    expect(planOf(offered, user({}))).toEqual({ plan: offered.signedIn });
    expect(planOf(offered, user({ plan: 'partner' })).plan.name).toBe('partner');
    for (const unknown of ['gold', 'constructor', '__proto__', '']) {
      expect(planOf(offered, user({ plan: unknown }))).toEqual({ plan: offered.signedIn, unknown });
    }
  });

  test('that can never pay for a request are an error at start', () => {
    const small = declare([{ limit: 10, seconds: 1 }, { limit: 100, seconds: 60 }])();
    expect(unaffordable(small, contract(notes({ cost: { import: 10 } })))).toEqual([]);
    expect(unaffordable(small, contract(notes({ cost: { import: 11 } })))).toEqual([
      'shared/resources/plans.ts: plans.a: window "second" of 10 can never pay for "import" of notes, which costs 11',
    ]);
    expect(unaffordable(offered, served)).toEqual([]);
  });
});

describe('the limits of a resource', () => {
  test.each([
    ['an unknown key', { costs: {} }, 'limits.costs'],
    ['an operation that is none', { cost: { read: 2 } }, 'limits.cost.read'],
    ['a cost of nothing', { cost: { list: 0 } }, 'limits.cost.list'],
    ['a part of a unit', { cost: { list: 1.5 } }, 'limits.cost.list'],
    ['an unknown kind', { unavailable: { reads: 'allow' } }, 'limits.unavailable.reads'],
    ['an unknown policy', { unavailable: { read: 'maybe' } }, 'limits.unavailable.read'],
  ])('with %s are an error at start', (_what, limits, key) => {
    expect(contractMistakes(contract(notes(limits)))[0]).toStartWith(`shared/resources/notes.ts: resource "notes": ${key}: `);
  });

  test('are one unit a request, reads allowed and writes refused, unless declared', () => {
    expect(notes(undefined).limits).toMatchObject({ unavailable: { read: 'allow', write: 'refuse' } });
    expect(notes({ cost: { list: 3 }, unavailable: { write: 'allow' } }).limits).toMatchObject({
      cost: { list: 3 },
      unavailable: { read: 'allow', write: 'allow' },
    });
  });

  test('do not make stored answers another contract\'s', () => expect(notes({ cost: { list: 3 } }).digest).toBe(notes(undefined).digest));
});

test('a resource cannot have the name below which feeds are opened', () => {
  expect(resourceMistakes(notes(undefined, 'live'))[0]).toStartWith('shared/resources/live.ts: resource "live": name: ');
});

test('a problem with a registered type keeps its code, and members cannot replace what is standard', () => {
  const occurrence = { requestId: 'req_1' };
  const members = { 'violated-policies': ['minute'], status: 200, code: 'x' };
  const problem = toProblem(new Fault('limit_exceeded', { members }), occurrence);
  expect(problem).toMatchObject({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    status: 429,
    code: 'limit_exceeded',
    'violated-policies': ['minute'],
  });
  expect(toProblem(new Fault('forbidden'), occurrence).type).toBe('urn:tombolo:problem:forbidden');
});
