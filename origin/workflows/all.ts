/** The team's own workflows. A new one is a file beside this, and a word here. */
import type { Workflow } from '../workflow-engine/workflow.ts';
import { order } from './order.ts';

export const workflows: readonly Workflow[] = [order];
