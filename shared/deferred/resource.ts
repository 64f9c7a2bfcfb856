/** Where operations that go on behind their answer are stored (SEMANTICS §10), and beside them what they answered. */
import * as z from 'zod';
import { type Resource, resource } from '../contract/resource.ts';
import { instant, integer } from '../contract/types.ts';

const unkept = { rev: false, createdAt: false, updatedAt: false } as const;

const states = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const;

const operationId = z.string().regex(/^[0-9a-f]{24}$/).meta({ examples: ['019a0b6c7d8e9f0a1b2c3d4e'] });

const stored = resource({
  name: 'tombolo_operations', internal: true, id: { kind: 'string', format: operationId }, ...unkept,
  schema: z.object({
    /** The subject that asked for it, their tenant, and the id of the API key that they asked with. */
    owner: z.string(), tenant: z.string().optional(), key: z.string().optional(),
    /** The request that asked for it, as logs name it. */
    request: z.string(),
    /** Names of the operation and of the resource that it is about. */
    operation: z.string(), resource: z.string(),
    state: z.enum(states),
    madeAt: instant(), startedAt: instant().optional(), endedAt: instant().optional(),
    /** Told anew while it waits and runs: past this moment, its origin has ended. */
    aliveUntil: instant(),
    keptUntil: instant(),
    isCancelled: z.boolean(),
    rows: integer(), rejected: integer(),
    /** As JSON: how an import ended, and the problem document of what failed. */
    summary: z.string().optional(), problem: z.string().optional(),
    /** What it answered, once it is all there. */
    mediaType: z.string().optional(), parts: integer(), bytes: integer(),
  }),
  shapes: { byOwner: { equal: ['owner'] }, byEnd: { range: 'keptUntil' } },
});

/** Named by its path, which no resource of a team can have beside it. */
export const deferred: Resource<typeof stored.schema> = { ...stored, name: 'operations' };

/** Ids are those of their operation, a hyphen and their number from 0 on. */
export const deferredParts = resource({
  name: 'tombolo_operation_parts', internal: true, id: { kind: 'string', format: z.string() }, ...unkept,
  schema: z.object({ of: z.string(), text: z.string() }),
  shapes: { ofOne: { equal: ['of'] } },
});
