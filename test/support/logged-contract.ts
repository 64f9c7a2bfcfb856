/** Resources that keep a log of their changes, and every way in which they are changed behind a request. */
import * as z from 'zod';
import { afterCommit } from '../../origin/after-commit/after-commit.ts';
import type { Own } from '../../origin/own.ts';
import { beforeWrite } from '../../origin/documents/before-write.ts';
import { executor } from '../../origin/execute.ts';
import { job } from '../../origin/job-queue/job.ts';
import { contract } from '../../shared/contract/contract.ts';
import { to } from '../../shared/contract/relations.ts';
import { resource } from '../../shared/contract/resource.ts';
import { any, anyone, equals, owner, role, signedIn } from '../../shared/contract/rules.ts';
import { endpoint, endpointModule } from '../../shared/operations/endpoint.ts';

const id = { kind: 'string', format: z.string().regex(/^[a-z]/) } as const;
const history = { keptDays: 30 } as const;

const boards = resource({
  name: 'boards', id, schema: z.object({ name: z.string() }), rules: { read: anyone, write: signedIn, history: role('auditor') },
  history, shapes: { all: {} },
});
const notes = resource({
  name: 'notes', id,
  schema: z.object({
    by: z.string(), text: z.string().max(20), open: z.boolean().default(true), length: z.int().optional(), seal: z.string().optional(),
    board: z.string().optional(), seen: z.string().optional(),
  }),
  rules: {
    read: any(equals('open', true), owner('by')), write: signedIn, restore: role('clerk'),
    history: any(role('auditor'), owner('by')),
  },
  fieldRules: { seal: { read: owner('by') } },
  removal: { at: 'deletedAt', keptDays: 10 }, history, shapes: { all: {} },
  unique: { bySeal: { fields: ['seal'] } },
  relations: {
    board: to('boards', 'board', { exists: true, onDelete: 'cascade' }), seen: to('boards', 'seen', { exists: true, onDelete: 'unset' }),
  },
});
export const logged = contract(boards, notes);
/** The two as they are served, whose relations are known. */
export const linked = [logged.resources.get('boards') ?? boards, logged.resources.get('notes') ?? notes] as const;

const stamp = job({
  name: 'stamp', payload: z.object({ note: z.string() }), attempts: 1,
  async handler(call) {
    call.atEnd([call.merge(notes, call.payload.note, ({ text = '' }) => ({ text: `${text.slice(0, 10)}!` }))]);
  },
});
const counting = beforeWrite(notes, ({ next }) => ({ length: next.text?.length ?? 0 }));
const greeting = afterCommit({
  name: 'greeting', of: boards, writes: [notes],
  handle: ({ kind, id: board, position }, call) =>
    kind === 'created' ? [call.create(notes, { id: `g-${board}-${position.order}`, by: 'hook', text: 'hello' })] : [],
  resync: () => [],
});
export const behind: Own = { jobs: [stamp], hooks: [counting], afterCommits: [greeting], erasingRestMs: 50 };

export const rows = endpointModule(endpoint({
  name: 'seize', of: notes, at: '/seize', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
  input: z.object({ id: z.string(), text: z.string() }), output: z.object({}),
})).operations;
export const carry = executor<typeof rows>({
  seize: (call) => {
    const { id: note, text } = call.input;
    return call.write([call.asSystem.merge(notes, note, () => ({ text })), call.enqueue(stamp, { note })], () => ({}));
  },
});
