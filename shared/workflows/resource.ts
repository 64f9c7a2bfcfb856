/**
 * Where workflows are stored (SEMANTICS §21), one document each:
 *
 *   running ◀──a wait is over──▶ waiting        undone ──retried──▶ running
 *    │  │ │                       │               ▲
 *    │  │ └───────────────────────┴─▶ undoing ────┘ nothing is left to undo
 *    │  │    a step fails for good,    │  ▲
 *    │  │    cancelled, too late       ▼  │ retried
 *    │  └──its step holds──────────▶ stuck ──cancelled──▶ undoing
 *    └──after the last step──▶ done
 *
 * Retried from a step that it has come to, one in any state but undoing is undoing until that step is undone, and running then.
 */
import * as z from 'zod';
import { type Resource, resource } from '../contract/resource.ts';
import { instant, integer } from '../contract/types.ts';

export const workflowStates = ['running', 'waiting', 'undoing', 'stuck', 'done', 'undone'] as const;
export type WorkflowState = (typeof workflowStates)[number];

export const stepStates = ['running', 'waiting', 'done', 'failed', 'undoing', 'undone', 'stuck'] as const;

/** Why what was done is undone. */
export const undoReasons = ['failed', 'cancelled', 'late', 'retried'] as const;

const stored = resource({
  name: 'tombolo_workflows', internal: true, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    name: z.string(), state: z.enum(workflowStates),
    /** Those that began, in their order; the last one that is not done or undone is in hand. */
    steps: z.array(z.object({
      name: z.string(), state: z.enum(stepStates),
      /** Its effects are committed, as JSON what it gave. */
      isDone: z.boolean().optional(), result: z.string().optional(),
      /** The round that it was done in, where that is over. */
      round: integer().optional(),
    })),
    why: z.enum(undoReasons).optional(),
    /** The step that it goes on with, once that and all behind it are undone. */
    from: z.string().optional(),
    /** Why a step failed, for whoever operates this; `told`: what of it the owner is told. */
    error: z.string().optional(), told: z.string().optional(),
    /** Raised whenever something else is in hand; whatever a job leads to is decided on it. */
    turn: integer(),
    /** How often it began, or went on anew from a step. */
    round: integer(),
    /** The job in hand, and the one that ends the whole when its time is over or forgets it after its end. */
    job: z.string().optional(), timer: z.string().optional(),
    /** The document whose change is waited for: resource, slash, id. */
    waitsFor: z.string().optional(),
    /** The subject whose request caused it; empty: the system. */
    owner: z.string(), tenant: z.string().optional(),
    /** As JSON. */
    input: z.string(),
    /** The `traceparent` of the write that began it. */
    trace: z.string().optional(),
    made: instant(), ended: instant().optional(),
  }),
  shapes: {
    inState: { equal: ['state'], sort: ['-made'] },
    ofTenant: { equal: ['tenant', 'state'], sort: ['-made'] },
    ofOwner: { equal: ['owner', 'state'], sort: ['-made'] },
    waiting: { equal: ['waitsFor'] },
  },
});

/** Named by its path, which no resource of a team can have beside it. */
export const workflows: Resource<typeof stored.schema> = { ...stored, name: 'workflows' };

type Stored = z.output<typeof stored.schema>;

export interface StoredWorkflow extends Omit<Stored, 'steps'> {
  readonly steps: readonly Stored['steps'][number][];
}
