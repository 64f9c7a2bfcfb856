/** Every door by which documents of the logged resources are changed, with what comes at random of a small world. */
import { execute } from '../../origin/execute.ts';
import { everyResourceOf } from '../../shared/contract/every-resource.ts';
import { bulk } from '../../shared/operations/bulk.ts';
import { documents } from '../../shared/operations/documents.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { removals } from '../../shared/operations/removals.ts';
import { transaction } from '../../shared/operations/transaction.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { DirectAnswer, DirectAsking, DirectOrigin } from './direct-origin.ts';
import { carry, linked, logged, rows } from './logged-contract.ts';
import type { Random } from './random.ts';

const [boards, notes] = linked;
const clerk: Principal = { subject: 'cid', roles: ['clerk'], claims: {} };
const names = ['a', 'b', 'c', 'd', 'e'] as const;

type Door = () => Promise<DirectAnswer>;

/** One request of any kind; many are refused. */
export function draw(origin: DirectOrigin, random: Random): Promise<DirectAnswer> {
  return random.pick(doorsOf(origin, random, { id: random.pick(names), place: random.pick(['x', 'y']) }))();
}

/** None is left to chance. */
export async function throughAll(origin: DirectOrigin, random: Random): Promise<void> {
  await origin.ask('create', boards, { body: { id: 'x', name: '' } });
  await origin.ask('create', notes, { body: { id: 'a', by: 'ada', text: '' } });
  for (const door of doorsOf(origin, random, { id: 'a', place: 'x' })) await door();
  // The job behind it comes later, and finds this one: no other door leads to it.
  await origin.ask('create', notes, { body: { id: 'stamped', by: 'ada', text: '' } });
  await origin.askBy(rows.seize, carry, notes, { body: { id: 'stamped', text: 's' } });
}

interface At {
  readonly id: string;
  readonly place: string;
}

function doorsOf(origin: DirectOrigin, random: Random, { id, place }: At): readonly [Door, ...Door[]] {
  const by = (row: Operation, asking: DirectAsking) => origin.askBy(row, execute, notes, asking);
  const text = 't'.repeat(random.below(19));
  const note = { by: 'ada', text, open: random.chance(0.7), ...(random.chance(0.5) ? { board: place } : { seen: place }) };
  return [
    () => origin.ask('create', boards, { body: { id: place, name: text } }),
    () => origin.ask('create', notes, { body: { id, ...note } }),
    () => origin.ask('replace', notes, { id, body: note }),
    () => by(documents.upsert, { query: '?seal=s', body: { id: 'u', ...note, board: place, seal: 's' } }),
    () => origin.ask('patch', notes, { id, body: { text } }),
    () => origin.ask('remove', notes, { id }),
    () => by(removals.restore, { id, principal: clerk }),
    () => by(bulk.patchMany, { body: names.map((each) => ({ id: each, merge: { text } })) }),
    () => by(bulk.patchMany, { body: ['a', 'b'].map((each) => ({ id: each, merge: { text } })), query: '?atomic=true' }),
    () => origin.ask('import', notes, {
      query: `?onDuplicate=${random.pick(['replace', 'merge'])}`,
      body: names.map((each) => JSON.stringify({ id: each, ...note })).join('\n'),
    }),
    () => origin.askBy(transaction.transaction, execute, everyResourceOf(logged), { body: { operations: [
      { op: 'patch', resource: 'notes', id, merge: { text: `.${text}`, board: place } },
      { op: 'patch', resource: 'notes', id, merge: { text: '' } }, { op: 'patch', resource: 'boards', id: place, merge: { name: text } },
    ] } }),
    () => origin.askBy(rows.seize, carry, notes, { body: { id, text } }),
    () => by(bulk.removeMany, { query: `?id[in]=${id},${random.pick(names)}` }),
    () => by(removals.erase, { id, principal: clerk }),
    () => origin.ask('remove', boards, { id: place }),
  ];
}
