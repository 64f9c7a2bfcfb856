/**
 * What origins say that they serve: contracts by their digests, and of each the digests of its resources. Of several
 * origins, as during a deploy, all that report now count. The last contract heard, and the resources of the latest few,
 * are on disk: while the origin is away, and after a restart, nothing is shown in its name that it would refuse.
 */
import type { Declared } from '../../shared/hop/purge-report.ts';
import type { Served } from './changes.ts';
import type { Sql } from './sql.ts';

/** An origin that has not reported for this long does not count beside one that has. */
export const reporterGoneMs = 2_000;
/** Contracts whose resources are kept: more than are under way in deploys. The origin of one that was dropped says it again. */
export const contractsKnownMax = 8;

export class Declarations {
  readonly #sql: Sql;
  /** When each contract was last heard. */
  readonly #heard = new Map<string, number>();
  /** The digests of each contract's resources. */
  readonly #known: Map<string, ReadonlyMap<string, string>>;

  constructor(sql: Sql) {
    this.#sql = sql;
    sql.exec(`
      create table if not exists contracts (only integer primary key check (only = 1), digest text not null);
      create table if not exists declarations (ordinal integer primary key, contract text not null unique, resources text not null);
    `);
    const kept = sql.exec<{ contract: string; resources: string }>('select contract, resources from declarations order by ordinal');
    this.#known = new Map([...kept].map(({ contract, resources }) => [contract, toMap(JSON.parse(resources) as Record<string, string>)]));
  }

  /** Says whether the resources of the report's contract are known. */
  hear({ contract, resources }: Declared, now: number): boolean {
    if (contract === undefined) return false;
    for (const [other, heardAt] of this.#heard) if (now - heardAt > reporterGoneMs) this.#heard.delete(other);
    this.#heard.set(contract, now);
    // Writes nothing where it is the same: reports come four a second, from every origin.
    this.#sql.exec(
      'insert into contracts values (1, ?) on conflict do update set digest = excluded.digest where digest <> excluded.digest',
      contract,
    );
    if (resources !== undefined && !this.#known.has(contract)) this.#keep(contract, resources);
    return this.#known.has(contract);
  }

  servedNow(resource: string, now: number): Served {
    const heard = [...this.#heard].filter(([, heardAt]) => now - heardAt <= reporterGoneMs).map(([contract]) => contract);
    const contracts = heard.length > 0 ? heard : this.#last();
    const digests: Record<string, string> = {};
    for (const contract of contracts) {
      const digest = this.#known.get(contract)?.get(resource);
      if (digest !== undefined) digests[contract] = digest;
    }
    return { contracts, digests };
  }

  #last(): readonly string[] {
    return [...this.#sql.exec<{ digest: string }>('select digest from contracts')].map(({ digest }) => digest);
  }

  #keep(contract: string, resources: Readonly<Record<string, string>>): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= contractsKnownMax && oldest !== undefined) {
      this.#sql.exec('delete from declarations where contract = ?', oldest);
      this.#known.delete(oldest);
    }
    this.#sql.exec('insert into declarations (contract, resources) values (?, ?)', contract, JSON.stringify(resources));
    this.#known.set(contract, toMap(resources));
  }
}

function toMap(resources: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(resources));
}
