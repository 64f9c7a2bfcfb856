/** A contract that no start may serve. */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone, equals, not } from '../../shared/contract/rules.ts';

const note = { name: 'notes', schema: z.object({ text: z.string() }), shapes: { all: {} } };

export const served = contract(
  resource({ ...note, rules: { read: anyone, write: not(equals('lokced', true)) } }),
  resource({ ...note, name: 'dates', schema: z.object({ at: z.date() }), rules: { read: anyone } }),
);
