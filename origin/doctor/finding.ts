/** What the doctor says of one thing. */
export type Finding =
  | { readonly check: string; readonly state: 'right'; readonly found: string }
  /** It cannot be asked, and why: nothing that is wrong by itself. */
  | { readonly check: string; readonly state: 'skipped'; readonly found: string }
  | { readonly check: string; readonly state: 'wrong'; readonly found: string; readonly matters: string; readonly mend: string };

export const right = (check: string, found: string): Finding => ({ check, state: 'right', found });
export const skipped = (check: string, found: string): Finding => ({ check, state: 'skipped', found });

interface Wrong {
  readonly found: string;
  /** What it does to whoever asks or operates this. */
  readonly matters: string;
  /** The command or the line that mends it. */
  readonly mend: string;
}

export const wrong = (check: string, { found, matters, mend }: Wrong): Finding => ({ check, state: 'wrong', found, matters, mend });

