/** No acknowledged write lost, none applied twice, none applied in part, and one answer for one key. */
import { type Commit, type History, tagOf, type Violation, type Write } from './history.ts';

export function checkWrites(history: History): readonly Violation[] {
  const commits = Map.groupBy(history.commits, tagOf);
  const attempts = Map.groupBy(history.writes, (write) => write.tag);
  return [
    ...[...attempts].flatMap(([tag, of]) => checkTag(of, commits.get(tag) ?? [])),
    ...[...commits]
      .filter(([tag]) => !attempts.has(tag))
      .map(([tag, [commit]]): Violation => ({ law: 'write_of_nobody', detail: `${tag} is in ${commit?.id}, and nobody wrote it` })),
    ...checkKeys(history),
    ...checkBatches(history, commits),
    ...checkRevisions(history),
  ];
}

function checkTag(attempts: readonly Write[], commits: readonly Commit[]): readonly Violation[] {
  const found: Violation[] = [];
  const [commit] = commits;
  const tag = attempts[0]?.tag ?? '';
  if (commits.length > 1) {
    found.push({
      law: 'doubled_write',
      detail: `${tag} is committed ${commits.length} times: ${commits.map(({ id, after }) => `${id} rev ${after?.rev}`).join(', ')}`,
    });
  }
  if (commit !== undefined && attempts.every(({ outcome }) => outcome === 'refused')) {
    found.push({ law: 'refused_but_applied', detail: `${tag} was refused and stands in ${commit.id}` });
  }
  if (commit?.after?.whole === false) found.push({ law: 'torn_write', detail: `${tag} stands in half of ${commit.id}` });
  for (const write of attempts.filter(({ outcome }) => outcome === 'acked')) {
    if (
      commit === undefined ||
      (write.id !== undefined && write.id !== commit.id) ||
      (write.rev !== undefined && write.rev !== commit.after?.rev)
    ) {
      const committed = commit === undefined ? 'nothing' : `${commit.id} rev ${commit.after?.rev}`;
      const detail = `${tag} was acknowledged as ${write.id} rev ${write.rev}; committed is ${committed}`;
      found.push({ law: 'lost_write', detail });
    } else if (
      write.position !== undefined &&
      !(write.position.epoch === commit.position.epoch && write.position.order >= commit.position.order)
    ) {
      found.push({
        law: 'position_before_write',
        detail: `${tag} was committed at ${commit.position.order}; its answer says ${write.position.order}`,
      });
    }
  }
  return found;
}

function checkKeys({ writes }: History): readonly Violation[] {
  const acked = writes.filter(({ key, outcome }) => key !== undefined && outcome === 'acked');
  return [...Map.groupBy(acked, ({ key }) => key)].flatMap(([key, answers]) => {
    const bodies = new Set(answers.map(({ body }) => body));
    return bodies.size > 1 ? [{ law: 'two_answers' as const, detail: `the key ${key} was answered ${[...bodies].join(' and ')}` }] : [];
  });
}

function checkBatches({ writes }: History, commits: ReadonlyMap<string, readonly Commit[]>): readonly Violation[] {
  const batches = Map.groupBy(writes.filter(({ batch }) => batch !== undefined), ({ batch }) => batch);
  return [...batches].flatMap(([batch, rows]) => {
    const there = rows.filter(({ tag }) => commits.has(tag)).length;
    return there === 0 || there === rows.length
      ? []
      : [{ law: 'torn_write' as const, detail: `of the batch ${batch} ${there} of ${rows.length} rows are there` }];
  });
}

/** The revision grows by one a write, so a gap in it is a write that is gone. */
function checkRevisions({ commits }: History): readonly Violation[] {
  return [...Map.groupBy(commits, ({ id }) => id)].flatMap(([id, changes]) =>
    changes.flatMap(({ before, after }, index): Violation[] => {
      const previous = changes[index - 1]?.after;
      const follows = before?.rev === previous?.rev && (after === undefined || after.rev === (before?.rev ?? 0) + 1);
      return follows
        ? []
        : [{ law: 'revision_skipped', detail: `${id} goes from rev ${previous?.rev} by ${before?.rev} to ${after?.rev}` }];
    }));
}
