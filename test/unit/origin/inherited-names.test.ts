/** Members that others store under names which every object of JavaScript inherits: a car has a `constructor`. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { joinedValidation } from '../../../origin/store/mongo/install/joined-validation.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const inherited = Object.getOwnPropertyNames(Object.prototype).filter((name) => name !== '__proto__');
const names = [...inherited, 'prototype', 'length', 'toJSON', 'then'];
const common = { id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone } } as const;
const cars = names.map((stored, index) => resource({
  ...common, name: `cars${index}`, rules: { read: owner('driver'), write: anyone },
  schema: z.object({ builder: z.string(), driver: z.string(), engine: z.object({ builder: z.string().optional() }).optional() }),
  storedAs: { builder: stored, driver: `${stored}2`, 'engine.builder': stored },
  shapes: {
    ofBuilder: { equal: ['builder'] }, byBuilder: { sort: ['builder'], range: 'builder' }, ofEngine: { equal: ['engine.builder'] },
  },
}));
const owned = names.map((stored, index) => resource({
  ...common, name: `owned${index}`, rules: { read: owner('driver'), write: anyone }, schema: z.object({ driver: z.string() }),
  storedAs: { driver: stored }, shapes: { all: {} },
}));

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(...cars, ...owned))));
  afterAll(() => origin[Symbol.asyncDispose]());

  test('lists find by them what is asked for, and nothing else', async () => {
    for (const [index, of] of cars.entries()) {
      for (const [id, builder] of [['a', 'McLaren'], ['b', 'Lotus'], ['c', 'Tyrrell']] as const) {
        await origin.ask('create', of, { body: { id, builder, driver: 'ada', engine: { builder } } });
      }
      const listed = async (query: string) =>
        (((await origin.ask('list', of, { query })).json['data'] ?? []) as readonly { readonly id: string }[]).map(({ id }) => id);
      const asked = await Promise.all(['?builder=Lotus', '?engine.builder=Tyrrell', '?builder[gte]=M', '?sort=-builder'].map(listed));
      expect([names[index], ...asked]).toEqual([names[index], ['b'], ['c'], ['a', 'c'], ['c', 'a', 'b']]);
      const { outcome } = await origin.ask('patch', of, { id: 'a', body: { builder: 'Lotus', engine: { builder: null } } });
      expect([outcome, await listed('?builder=Lotus')]).toEqual(['written', ['a', 'b']]);
    }
    expect(['$eq', '$gt', '$not'].filter((operator) => operator in Object || operator in {})).toEqual([]);
  });

  test('a rule over one hides what is of others', async () => {
    for (const of of owned) {
      for (const driver of ['ada', 'eve']) await origin.ask('create', of, { body: { id: driver, driver } });
      const { json } = await origin.ask('list', of, {});
      expect(json['data']).toEqual([expect.objectContaining({ id: 'ada' })]);
    }
  });
});

test('a validator that does not name one takes it as it is', () => {
  const of = (properties: object) => ({ validator: { $jsonSchema: { properties: { _id: { bsonType: 'string' }, ...properties } } } });
  const { validator } = joinedValidation(of({}), of({ constructor: { bsonType: 'string' } }));
  expect(validator).toEqual({ $jsonSchema: { description: expect.any(String), properties: { _id: { bsonType: 'string' } } } });
});

test.each(['__proto__', '_bsontype'])('%s, which no document is written with, is no stored name', (stored) => {
  const schema = z.object({ builder: z.string() });
  const mistakes = resourceMistakes(resource({ ...common, name: 'cars', schema, storedAs: { builder: stored }, shapes: {} }));
  expect(mistakes).toEqual([expect.stringContaining('storedAs.builder')]);
});
