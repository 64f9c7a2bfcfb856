/** Whether two clocks agree well enough for what is signed with a time, and for what ends at one. */
import { hopLimits } from '../../shared/hop/profile.ts';
import { type Finding, right, wrong } from './finding.ts';

interface Asked {
  /** Milliseconds of the epoch, as the other side tells them. */
  readonly theirs: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** Half of a signature's life is left for its way. */
const skewMsMax = hopLimits.ageSecondsMax * 500;

export function ofClocks(check: string, { theirs, askedAt, answeredAt }: Asked): Finding {
  // It was told somewhere in between: only what lies outside is skew.
  const skewMs = Math.round(Math.max(askedAt - theirs, theirs - answeredAt, 0));
  if (skewMs <= skewMsMax) return right(check, `within ${Math.max(skewMs, Math.round(answeredAt - askedAt))} ms of this one`);
  return clocksDiffer(check, `${theirs > answeredAt ? 'ahead of' : 'behind'} this one by ${Math.round(skewMs / 1_000)} s`);
}

export function clocksDiffer(check: string, found: string): Finding {
  return wrong(check, {
    found,
    matters: 'the hop refuses what was signed too long ago or in the future, and tokens and leases end at the wrong time',
    mend: 'timedatectl set-ntp true',
  });
}
