import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { anonymous, type Principal } from '../../../shared/wire/principal.ts';
import {
  absent, all, any, anyone, branchesOf, equalitiesOf, equals, nobody, not, owner, type Predicate, reduce, role, type Rule, satisfies,
  signedIn, tenant, toCanonicalRule,
} from '../../../shared/contract/rules.ts';
import { bytesRank, withRanks, withRanksOf } from '../../../shared/contract/stored-ranks.ts';
import { toDecimalText } from '../../../shared/wire/shown-numbers.ts';
import { type Json, type JsonObject, ranks } from '../../../shared/wire/values.ts';

const alice: Principal = { subject: 'alice', roles: ['editor'], claims: { tenant: 'acme' } };

describe('rules', () => {
  test('a claim that is absent grants nothing, also under not', () => {
    expect(reduce(owner('author'), anonymous)).toBe(false);
    expect(reduce(not(owner('author')), anonymous)).toBe(false);
    expect(reduce(not(any(nobody, tenant('tenant'))), { subject: 'bob', roles: [], claims: {} })).toBe(false);
    expect(reduce(all(anyone, not(all(signedIn, owner('author')))), anonymous)).toBe(true);
  });

  test('an alternative without the absent claim still stands', () => {
    const rule = any(equals('status', 'published'), owner('author'));
    expect(reduce(rule, anonymous)).toEqual({ kind: 'equals', field: 'status', value: 'published' });
  });

  test('compare moments and UUIDs in their one form, whoever writes them', () => {
    const [lower, upper] = ['0198f2aa-0000-7000-8000-00000000000a', '0198F2AA-0000-7000-8000-00000000000A'];
    const kindOf = (field: string) => ({ by: 'uuid', film: 'uuid', at: 'instant', name: 'string' })[field];
    const seen = (rule: Rule, document: JsonObject, subject: string) =>
      satisfies(document, reduce(toCanonicalRule(rule, kindOf), { subject, roles: [], claims: {} }));
    expect(seen(any(nobody, all(not(nobody), owner('by'))), { by: lower }, upper)).toBe(true);
    expect(seen(not(owner('by')), { by: lower }, upper)).toBe(false);
    expect(seen(owner('by'), { by: 'abc' }, 'ABC')).toBe(false);
    expect(seen(owner('name'), { name: lower }, upper)).toBe(false);
    expect(
      seen(all(equals('film', upper), not(equals('at', '2026-01-01T00:00:00Z'))), { film: lower, at: '2026-01-02T00:00:00.000Z' }, 'ada'),
    ).toBe(true);
    expect(seen(equals('at', '2026-01-01T01:00:00+01:00'), { at: '2026-01-01T00:00:00.000Z' }, 'ada')).toBe(true);
  });

  test('a comparison with a missing, null, array or differently typed field is false', () => {
    const own = reduce(owner('author'), alice);
    for (const author of [undefined, null, ['alice'], { alice: 1 }, 1, true] as (Json | undefined)[])
      expect(satisfies(author === undefined ? {} : { author }, own)).toBe(false);
    expect(satisfies({ author: 'alice' }, own)).toBe(true);
    const nested = [reduce(owner('meta.by'), alice), reduce(not(owner('meta.by')), alice)];
    const holds = (document: JsonObject) => nested.map((predicate) => satisfies(document, predicate));
    expect(holds({ meta: { by: 'alice' } })).toEqual([true, false]);
    for (const meta of [[{ by: 'alice' }], 'alice', null, { by: ['alice'] }, { by: { alice: 1 } }, {}] as Json[]) {
      expect(holds({ meta })).toEqual([false, true]);
    }
    expect(holds({ 'meta.by': 'alice' })).toEqual([false, true]);
    expect(satisfies(JSON.parse('{"__proto__":{"author":"alice"}}') as JsonObject, own)).toBe(false);
  });

  const nearby = fc.constantFrom(0.1, 19.99, 80, -5, 2 ** 60, 2 ** -30, 1e21, 0);
  const double = fc.oneof(nearby, fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e25, max: 1e25 }));
  const withZeros = (value: number) => allDigits(value).replace(/^-?\d+$/, '$&.00');
  const spelling = double.chain((value) => fc.constantFrom(String(value), allDigits(value), withZeros(value)));

  test('compare numbers exactly, whether JSON carries them as numbers or as text', () => {
    fc.assert(fc.property(double, fc.oneof(spelling, double), fc.constantFrom('number', 'integer'), (value, found, kind) => {
      const predicate = reduce(toCanonicalRule(equals('n', value), () => kind), alice);
      const texts = [String(value), allDigits(value)];
      const isShownSo = typeof found === 'number' ? found === value : texts.some((text) => isSameNumber(text, found));
      const document = withRanks({ n: found }, () => ranks.number);
      expect([value, found, satisfies(document, predicate)]).toEqual([value, found, isShownSo]);
      expect(satisfies(document, reduce(not(toCanonicalRule(equals('n', value), () => kind)), alice))).toBe(!isShownSo);
    }), { numRuns: 3_000 });
    const held = spelling.filter((text) => toDecimalText(text) !== undefined);
    fc.assert(fc.property(held, held, fc.constantFrom('decimal', 'long'), (value, found, kind) => {
      const byClaim = { subject: 'ada', roles: [], claims: { tenant: value } };
      for (const rule of [equals('n', value), tenant('n')]) {
        const predicate = reduce(toCanonicalRule(rule, () => kind), byClaim);
        expect([value, found, satisfies({ n: found }, predicate)]).toEqual([value, found, isSameNumber(value, found)]);
      }
    }), { numRuns: 3_000 });
  });

  test('take a text for a number where it is one in the database, and nothing else', () => {
    const five = (kind: string) => reduce(toCanonicalRule(equals('n', 5), () => kind), alice);
    const stored = (rank: number | undefined) => withRanks({ n: '5' }, () => rank);
    const forms = [stored(ranks.number), stored(ranks.string), stored(undefined), { n: '5' }];
    const seenAs = (kind: string) => forms.map((each) => satisfies(each, five(kind)));
    expect(['number', 'decimal', 'string'].map(seenAs)).toEqual([
      [true, false, false, false], [true, false, true, true], [false, false, false, false],
    ]);
    const [kept, changed] = [{ n: '5', m: 1 }, { n: '5.0' }].map((next) => withRanksOf(stored(ranks.string), next));
    expect([kept, changed].map((each) => satisfies(each ?? {}, five('decimal')))).toEqual([false, true]);
    for (const n of ['', 'five', '5.', true, null, [5], { n: 5 }] as Json[]) expect(satisfies({ n }, five('decimal'))).toBe(false);
    const claims = (tenant: string | number | boolean) => ({ subject: 'ada', roles: [], claims: { tenant } });
    const seen = (kind: string, claim: string | number | boolean, n: Json) =>
      satisfies(withRanks({ n }, () => ranks.number), reduce(toCanonicalRule(tenant('n'), () => kind), claims(claim)));
    expect([seen('number', 5, '5.0'), seen('number', '5.0', '5.0')]).toEqual([true, false]);
    expect([seen('long', '5', 5), seen('long', true, 1)]).toEqual([true, false]);
    for (const claim of ['x', 'NaN', true]) expect(reduce(not(toCanonicalRule(tenant('n'), () => 'decimal')), claims(claim))).toBe(false);
  });

  test('take what is shown alike for what it is in the database', () => {
    const hex = 'a'.repeat(24);
    const moment = '2020-01-01T00:00:00.000Z';
    const shown = [[hex, 'objectId'], [moment, 'instant'], ['YWJj', 'binary'], [hex, 'string'], ['x', 'objectId']] as const;
    const stored = [ranks.string, ranks.objectId, ranks.instant, bytesRank, ranks.other, undefined];
    const seen = shown.map(([f, kind]) => {
      const predicate = reduce(toCanonicalRule(equals('f', f), () => kind), alice);
      return stored.map((rank) => Number(satisfies(withRanks({ f }, () => rank), predicate))).join('');
    });
    expect(seen).toEqual(['010001', '001001', '000101', '100001', '100001']);
    const isAbsent = (rank: number | undefined) => satisfies(withRanks({ f: null }, () => rank), reduce(absent('f'), alice));
    expect([ranks.null, ranks.number, undefined].map(isAbsent)).toEqual([true, false, true]);
    expect(satisfies(withRanks({ f: null }, () => ranks.number), reduce(not(absent('f')), alice))).toBe(true);
  });

  const rules = fc.letrec<{ rule: Rule }>((tie) => ({
    rule: fc.oneof({ maxDepth: 4 },
      fc.constantFrom<Rule>(
        anyone, nobody, signedIn, role('editor'), role('admin'), owner('author'), tenant('org'), equals('status', 'published'),
        equals('flag', true), absent('status'), absent('author'),
      ),
      tie('rule').map(not),
      fc.array(tie('rule'), { maxLength: 3 }).map((of) => all(...of)),
      fc.array(tie('rule'), { maxLength: 3 }).map((of) => any(...of)),
    ),
  })).rule;
  const documents = fc.record(
    {
      author: fc.constantFrom('alice', 'bob', null, 7),
      org: fc.constantFrom('acme', 'other'),
      status: fc.constantFrom('published', 'draft'),
      flag: fc.constantFrom(true, false, null),
    },
    { requiredKeys: [] },
  ) as fc.Arbitrary<JsonObject>;

  test('not is the exact complement for a caller who has every claim', () => {
    fc.assert(fc.property(rules, documents, (rule, document) => {
      expect(satisfies(document, reduce(not(rule), alice))).toBe(!satisfies(document, reduce(rule, alice)));
    }), { numRuns: 2_000 });
  });

  test('what a caller without claims may see, a rule read leaf by leaf allows as well', () => {
    fc.assert(fc.property(rules, documents, (rule, document) => {
      expect(satisfies(document, reduce(rule, anonymous))).toBe(plain(rule, document, anonymous, false));
    }), { numRuns: 2_000 });
  });

  test('the equalities of a predicate select exactly the documents that satisfy it', () => {
    fc.assert(fc.property(rules, documents, (rule, document) => {
      const predicate = reduce(rule, alice);
      const alternatives = equalitiesOf(predicate);
      if (alternatives === undefined) return;
      const selected = alternatives.some((fields) => [...fields].every(([field, value]) => (document[field] ?? null) === value));
      expect(selected).toBe(satisfies(document, predicate));
    }), { numRuns: 2_000 });
  });

  test('every alternative of a reduced rule pins the fields of one declared branch', () => {
    const rule = any(all(tenant('org'), equals('status', 'published')), owner('author'));
    const branches = branchesOf(rule).map((fields) => [...fields].sort().join());
    for (const fields of equalitiesOf(reduce(rule, alice) as Predicate) ?? []) expect(branches).toContain([...fields.keys()].sort().join());
  });
});

/** A double without loss: a whole number over a power of two. */
function allDigits(value: number): string {
  let [mantissa, twos] = [value, 0];
  while (!Number.isInteger(mantissa)) [mantissa, twos] = [mantissa * 2, twos + 1];
  return `${BigInt(mantissa) * 5n ** BigInt(twos)}E-${twos}`.replace(/E-0$/, '');
}

/** By definition: whole numbers at one power of ten. */
function isSameNumber(left: string, right: string): boolean {
  const [a, b] = [left, right].map((text) => {
    const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
    return { digits: BigInt(whole + fraction) * (sign === '-' ? -1n : 1n), tens: Number(exponent) - fraction.length };
  }) as [{ digits: bigint; tens: number }, { digits: bigint; tens: number }];
  const least = Math.min(a.tens, b.tens);
  return a.digits * 10n ** BigInt(a.tens - least) === b.digits * 10n ** BigInt(b.tens - least);
}

/** The definition by recursion, without normal form: a leaf without its claim is false in either polarity. */
function plain(rule: Rule, document: JsonObject, principal: Principal, negated: boolean): boolean {
  switch (rule.kind) {
    case 'not':
      return plain(rule.rule, document, principal, !negated);
    case 'all':
    case 'any': {
      const every = (rule.kind === 'all') !== negated;
      return every
        ? rule.rules.every((part) => plain(part, document, principal, negated))
        : rule.rules.some((part) => plain(part, document, principal, negated));
    }
    case 'claim':
      return principal.subject === undefined ? false : (document[rule.field] === principal.subject) !== negated;
    case 'equals':
      return (document[rule.field] === rule.value) !== negated;
    case 'absent':
      return (document[rule.field] === undefined || document[rule.field] === null) !== negated;
    case 'role':
      return principal.roles.includes(rule.role) !== negated;
    case 'signedIn':
      return (principal.subject !== undefined) !== negated;
    default:
      return (rule.kind === 'anyone') !== negated;
  }
}
