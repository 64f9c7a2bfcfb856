/** The log of both sides of one process. */
import { logFrom } from '../../edge/log.ts';
import { attend, type Attended } from '../attend.ts';

export function attendBoth(origin: Attended): void {
  attend(origin, (level) => logFrom(level === 'debug' ? level : 'info'));
}
