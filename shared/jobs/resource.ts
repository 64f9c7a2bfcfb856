/**
 * Where jobs are stored (SEMANTICS §21), one document each:
 *
 *   delayed ──its moment──▶ ready ──claimed──▶ running ──accepted──▶ done
 *      ▲                      ▲                 │  │ │
 *      │                      └──its lease ends─┘  │ └──its last attempt fails──▶ dead ──retried──▶ ready
 *      └──────────── an attempt fails ─────────────┘
 *   delayed, ready and running ──cancelled──▶ cancelled
 */
import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { instant, integer } from '../contract/types.ts';

export const jobStates = ['delayed', 'ready', 'running', 'done', 'dead', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export const jobs = resource({
  name: 'tombolo_jobs', internal: true, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    name: z.string(), queue: z.string(), state: z.enum(jobStates), priority: integer(),
    /**
     * When something is to be done about it: a delayed job is ready then, the lease of a running one ends, one that has ended
     * is forgotten. A ready one has been so since then.
     */
    dueAt: instant(),
    /** Attempts that were begun. */
    attempt: integer(),
    /** Names the claim of the attempt that runs: its end is accepted from this claim alone. */
    claim: z.string().optional(),
    /** The subject whose request caused it; empty: the system. */
    owner: z.string(), tenant: z.string().optional(),
    /** As JSON. */
    payload: z.string(), result: z.string().optional(),
    /** Of the whole, from 0 to 1. */
    progress: z.number().optional(),
    /** Why the last attempt failed, for whoever operates this; `told`: what of it the owner is told. */
    error: z.string().optional(), told: z.string().optional(),
    /** The `traceparent` of the write that enqueued it. */
    trace: z.string().optional(),
    made: instant(), ended: instant().optional(),
  }),
  shapes: {
    due: { equal: ['state'], range: 'dueAt' },
    next: { equal: ['queue', 'state'], sort: ['-priority,tenant,dueAt'], only: { state: 'ready' } },
    ofTenant: { equal: ['state', 'tenant'], sort: ['dueAt'], only: { state: 'dead' } },
  },
});

/** By the name of a schedule: the last of its moments that is dealt with. */
export const schedules = resource({
  name: 'tombolo_schedules', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({ moment: instant() }), shapes: {},
});

export type StoredJob = z.output<typeof jobs.schema>;
