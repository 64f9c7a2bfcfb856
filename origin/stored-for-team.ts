/** What a store holds for what a team declares, for the commands that look into a database without serving it. */
import { served } from '../shared/resources/all.ts';
import { afterCommits, readModels } from './hooks/all.ts';
import { jobs } from './jobs/all.ts';
import { storedBy } from './stored-resources.ts';
import { jobsOfWorkflow } from './workflow-engine/workflow.ts';
import { workflows } from './workflows/all.ts';

export const storedForTeam = storedBy(served, { afterCommits, readModels, jobs: [...jobs, ...workflows.flatMap(jobsOfWorkflow)] });
