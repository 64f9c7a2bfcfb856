/** What a team serves, with what is its own: the same whichever process opens it. */
import { served } from '../shared/resources/all.ts';
import { offered as plans } from '../shared/resources/plans.ts';
import { openContext } from './open-context.ts';
import type { OriginContext } from './origin-context.ts';
import type { Own } from './own.ts';
import { afterCommits, beforeWrites as hooks, departings, readModels } from './hooks/all.ts';
import { incoming, jobs, schedules } from './jobs/all.ts';
import type { Settings } from './settings.ts';
import { workflows } from './workflows/all.ts';

export function openServed(settings: Settings, own: Own = {}): Promise<OriginContext> {
  return openContext(settings, served, {
    plans, ...own, hooks, afterCommits, readModels, departings, jobs, schedules, incoming, workflows,
  });
}
