/** A contract with what the served one lacks: rows and fields that depend on who asks, no caching at all, and preconditions. */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { any, anyone, owner, role, signedIn } from '../../shared/contract/rules.ts';
import { films } from '../../shared/resources/films.ts';
import { reviews } from '../../shared/resources/reviews.ts';
import { versions } from '../../shared/resources/versions.ts';

const notes = resource({
  name: 'notes',
  schema: z.object({ text: z.string(), by: z.string() }),
  rules: { read: any(owner('by'), role('auditor')), write: signedIn },
  shapes: { all: {} },
});

const ticks = resource({
  name: 'ticks',
  schema: z.object({ at: z.number() }),
  rules: { read: anyone },
  shapes: { all: {} },
  cache: 'none',
});

const pins = resource({
  name: 'pins', id: { kind: 'string', format: z.string() }, schema: z.object({ text: z.string() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} }, preconditions: 'required',
});

export const served = contract(versions, films, reviews, notes, ticks, pins);
