/** Ids of every kind in the fields that name others, and the system, for which no rule holds, on both engines (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { to } from '../../../shared/contract/relations.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, nobody, signedIn } from '../../../shared/contract/rules.ts';
import { integer, long, objectId } from '../../../shared/contract/types.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const common = { schema: z.object({}), rules: { read: anyone, write: signedIn }, shapes: {} } as const;
const heeded = { exists: true, onDelete: 'restrict' } as const;
const [small, large, hex, uuid] = ['7', '9007199254740993', '6565656565656565656565ab', '01890a5d-ac96-774b-bcce-b302099a8057'] as const;
const targets = [
  resource({ ...common, name: 'integers', id: 'integer' }), resource({ ...common, name: 'hexes', id: 'objectId' }),
  resource({ ...common, name: 'uuids', id: { kind: 'uuid', storedAs: 'binary' } }),
];
const holders = resource({
  ...common, name: 'holders',
  schema: z.object({
    whole: integer().optional(), wide: long().optional(), wides: z.array(long()).optional(), hex: objectId().optional(),
    uuid: z.uuid().optional(), text: z.string().optional(),
  }),
  relations: {
    toWhole: to('integers', 'whole', heeded), toWide: to('integers', 'wide', heeded), toWides: to('integers', 'wides', heeded),
    toHex: to('hexes', 'hex', heeded), toUuid: to('uuids', 'uuid', heeded), toText: to('uuids', 'text', heeded),
  },
});
/** What nobody may see, and what names it. */
const secrets = resource({ ...common, name: 'secrets', rules: { read: nobody }, removal: { at: 'gone' } });
const notes = resource({
  ...common, name: 'notes', schema: z.object({ secret: z.uuid() }), relations: { secret: to('secrets', 'secret', heeded) },
});
const all = contract(...targets, holders, secrets, notes);
const rows = endpointModule(
  endpoint({
    name: 'note-down', of: notes, at: '/down', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
    input: z.object({ secret: z.uuid(), asSystem: z.boolean() }), output: z.object({ id: z.string() }),
  }),
  endpoint({
    name: 'forget', of: secrets, at: '/forget', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
    input: z.object({ secret: z.uuid() }), output: z.object({}),
  }),
).operations;
const carry = executor<typeof rows>({
  'note-down': (call) => {
    const { secret, asSystem } = call.input;
    return call.write([(asSystem ? call.asSystem : call).create(notes, { secret })], ([left]) => ({ id: left.id }));
  },
  forget: (call) => call.write([call.asSystem.remove(secrets, call.input.secret)], () => ({})),
});

function served(name: string): Resource {
  const found = all.resources.get(name);
  if (found === undefined) throw new Error(`"${name}" is not served`);
  return found;
}

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, all);
    for (const id of [small, large]) await origin.put(served('integers'), id, {});
    await origin.put(served('hexes'), hex, {});
    await origin.put(served('uuids'), uuid, {});
  }, 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());
  const told = ({ outcome, errors }: DirectAnswer) => [outcome, ...errors.map(({ at }) => at)];
  const make = (body: object) => origin.ask('create', served('holders'), { body });

  const kinds: readonly (readonly [name: string, target: string, id: string, value: unknown, other: unknown])[] = [
    ['whole', 'integers', small, 7, 8], ['wide', 'integers', large, large, '9007199254740992'], ['wide', 'integers', small, 7, 8],
    ['wides', 'integers', large, [large], ['9007199254740992']], ['hex', 'hexes', hex, hex, hex.replace('ab', 'ac')],
    ['uuid', 'uuids', uuid, uuid.toUpperCase(), uuid.replace('7', '8')], ['text', 'uuids', uuid, uuid, uuid.toUpperCase()],
  ];
  test.each(kinds)('what stands in %s names one of %s by its id alone (%s)', async (field, target, id, value, other) => {
    const place = field === 'wides' ? '/wides/0' : `/${field}`;
    expect(told(await make({ [field]: other }))).toEqual(['document_invalid', place]);
    const made = await make({ [field]: value });
    expect(told(made)).toEqual(['created']);
    expect((await origin.ask('remove', served(target), { id })).outcome).toBe('document_conflict');
    expect((await origin.ask('remove', served('holders'), { id: String(made.json['id']) })).outcome).toBe('removed');
  });

  test('what nobody names any more is removed', async () => {
    for (const [name, id] of [['integers', small], ['integers', large], ['hexes', hex], ['uuids', uuid]] as const) {
      expect((await origin.ask('remove', served(name), { id })).outcome).toBe('removed');
    }
  });

  test('the system names what nobody sees, but nothing that is removed, and removes nothing that is named', async () => {
    const secret = crypto.randomUUID();
    await origin.put(served('secrets'), secret, {});
    const note = (asSystem: boolean) => origin.askBy(rows['note-down'], carry, served('notes'), { body: { secret, asSystem } });
    const forget = () => origin.askBy(rows.forget, carry, served('secrets'), { body: { secret } });
    expect(told(await note(false))).toEqual(['document_invalid', '/secret']);
    const noted = await note(true);
    expect([noted.outcome, (await forget()).outcome]).toEqual(['written', 'document_conflict']);
    await origin.ask('remove', served('notes'), { id: String(noted.json['id']) });
    expect([(await forget()).outcome, (await note(true)).outcome]).toEqual(['written', 'document_invalid']);
  });
});
