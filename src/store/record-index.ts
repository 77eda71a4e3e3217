import {DatabaseSync, type SQLInputValue, type StatementSync} from 'node:sqlite';
import {type Digest, digestOf, isDigest, isKey, type Key} from '../base/digest.ts';
import type {RecordCost} from './choose-evictions.ts';
import {APPLICATION_ID} from './index-file.ts';
import {
  costOf,
  DamagedIndex,
  indexedRecord,
  indexedWithPreimage,
  isIndexError,
  RECORD,
  RESULT,
  recordTexts,
} from './indexed-record.ts';
import type {StampedRecord} from './read-record.ts';
import type {StoreRecord} from './record.ts';
import {staticPart} from './static-part.ts';

/** Raised when a table changes; an index of another version is thrown away and made anew from the files. */
const INDEX_VERSION = 3;

const TABLES = `
  create table record(
    key text primary key, folder text not null, stage text, static text not null,
    preimage text not null, outputs text not null, seconds real not null, sum text not null, stamp text not null);
  create index record_folder on record(folder);
  create index record_stage on record(stage);
  create index record_static on record(static);
  create table folder(name text primary key, mtime text not null) without rowid;
  create table remembered(sequence integer primary key, pipeline text, instance text, key text);
  create index remembered_instance on remembered(pipeline, instance);
  create table file(path text primary key, stamp text not null, digest text not null, sum text not null)
    without rowid;
  create table note(name text primary key, value text not null) without rowid;
  pragma user_version = ${INDEX_VERSION};`;

const fileSum = (path: string, stamp: string, digest: Digest): Digest => digestOf(`${digest} ${stamp} ${path}`);

const OF_KEYS = 'from json_each(?) as asked cross join record on record.key = asked.value';

/**
 * What makes the files of a store fast to ask: never the truth, and lost without harm. Its methods throw only what SQLite
 * throws, and DamagedIndex; who uses it then goes on with a fresh one.
 */
export class RecordIndex {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** @param path a file that is ours, or `:memory:`: tables of another version are dropped. */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, {timeout: 5000});
    try {
      // Signed before there is a write-ahead log, so that the file itself says whose it is, whenever this process dies.
      if (this.#all('pragma application_id')[0]?.application_id !== APPLICATION_ID)
        this.#database.exec(`pragma application_id = ${APPLICATION_ID}`);
      this.#database.exec(
        'pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -65536; pragma temp_store = memory;',
      );
      this.transaction(() => {
        const version = this.#all('pragma user_version')[0]?.user_version;
        if (version === INDEX_VERSION) return;
        this.#dropTables();
        this.#database.exec(TABLES);
      });
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  #dropTables(): void {
    const names = this.#all("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'");
    for (const {name} of names) this.#database.exec(`drop table "${String(name).replaceAll('"', '""')}"`);
  }

  close(): void {
    this.#database.close();
  }

  transaction(work: () => void): void {
    this.#database.exec('begin immediate');
    try {
      work();
      this.#database.exec('commit');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      throw error;
    }
  }

  records(keys: readonly Key[]): Map<Key, StoreRecord> {
    const preimageText = (key: Key): string => this.#preimageText(key);
    return new Map(
      this.#all(`select ${RESULT} ${OF_KEYS}`, JSON.stringify(keys))
        .map((row) => indexedRecord(row, preimageText))
        .map((record) => [record.key, record]),
    );
  }

  /** Asked for at any time, also when another index has taken the place of this one. */
  #preimageText(key: Key): string {
    try {
      return String(this.#all('select preimage from record where key = ?', key)[0]?.preimage);
    } catch (error) {
      if (!isIndexError(error)) throw error;
      return '';
    }
  }

  stampedRecords(keys: readonly Key[]): StampedRecord[] {
    return this.#all(`select ${RECORD}, record.stamp ${OF_KEYS}`, JSON.stringify(keys)).map((row) => ({
      record: indexedRecord(row),
      stamp: String(row.stamp),
    }));
  }

  /** By static part, newest first. */
  withStaticPart(digests: readonly Digest[]): Map<Digest, StoreRecord[]> {
    const rows = this.#all(
      `select static, ${RECORD} from json_each(?) as asked cross join record on record.static = asked.value
       order by record.rowid desc`,
      JSON.stringify(digests),
    );
    const found = new Map<Digest, StoreRecord[]>();
    for (const row of rows) {
      const digest = String(row.static);
      if (!isDigest(digest)) continue;
      const record = indexedWithPreimage(row);
      const others = found.get(digest);
      if (others) others.push(record);
      else found.set(digest, [record]);
    }
    return found;
  }

  /** Newest first. */
  ofStage(stage: string, most: number): StoreRecord[] {
    return this.#all(`select ${RECORD} from record where stage = ? order by rowid desc limit ?`, stage, most).map(
      indexedWithPreimage,
    );
  }

  put(record: StampedRecord): void {
    this.#insert('replace', record);
  }

  /** As it was read from its file; one that is there was put by who published since. */
  add(record: StampedRecord): void {
    this.#insert('ignore', record);
  }

  #insert(orElse: 'replace' | 'ignore', {record, stamp}: StampedRecord): void {
    const {stage} = record.preimage;
    const {key, preimage, outputs, seconds, sum} = recordTexts(record);
    this.#run(
      `insert or ${orElse} into record(key, folder, stage, static, preimage, outputs, seconds, sum, stamp) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      key,
      key.slice(0, 2),
      typeof stage === 'string' ? stage : null,
      staticPart(record.preimage),
      preimage,
      outputs,
      seconds,
      sum,
      stamp,
    );
  }

  drop(key: Key): void {
    this.#run('delete from record where key = ?', key);
  }

  /** The keys whose records lie in a folder, with the stamps that their files had. */
  stampsIn(folder: string): Map<Key, string> {
    const stamps = new Map<Key, string>();
    for (const {key, stamp} of this.#all('select key, stamp from record where folder = ?', folder))
      if (typeof key === 'string' && isKey(key)) stamps.set(key, String(stamp));
    return stamps;
  }

  /** Change times of the folders of records when each was last seen to agree with this index. */
  folders(): Map<string, string> {
    return new Map(this.#all('select name, mtime from folder').map(({name, mtime}) => [String(name), String(mtime)]));
  }

  /** Folders that some record here lies in. */
  recordFolders(): readonly string[] {
    return this.#all('select distinct folder from record').map(({folder}) => String(folder));
  }

  setFolder(name: string, mtime: string | undefined): void {
    if (mtime === undefined) this.#run('delete from folder where name = ?', name);
    else this.#run('insert or replace into folder(name, mtime) values (?, ?)', name, mtime);
  }

  /** What was noted under the name alone is this pipeline's from now on. */
  remember(pipeline: string, instance: string, key: Key, name?: string): void {
    if (name !== undefined && name !== pipeline)
      this.#run('update remembered set pipeline = ? where pipeline = ? and instance = ?', pipeline, name, instance);
    this.#run('insert into remembered(pipeline, instance, key) values (?, ?, ?)', pipeline, instance, key);
  }

  forgetRemembered(): void {
    this.#run('delete from remembered');
  }

  lastKeys(pipeline: string, instances: readonly string[]): Map<string, Key> {
    const rows = this.#all(
      `select remembered.instance, remembered.key, max(remembered.sequence) from json_each(?) as asked
       cross join remembered on remembered.pipeline = ? and remembered.instance = asked.value group by remembered.instance`,
      JSON.stringify(instances),
      pipeline,
    );
    return new Map(
      rows.flatMap(({instance, key}) => (typeof key === 'string' && isKey(key) ? [[String(instance), key]] : [])),
    );
  }

  /** The last key of each instance of each pipeline. */
  currentKeys(): Set<Key> {
    const rows = this.#all('select key, max(sequence) from remembered group by pipeline, instance');
    return new Set(rows.map(({key}) => String(key)).filter(isKey));
  }

  costs(): RecordCost[] {
    return this.#all(`select ${RESULT}, stage from record`).map(costOf);
  }

  /** Newest first. */
  keyHistory(pipeline: string, instance: string): Key[] {
    const sql = 'select key from remembered where pipeline = ? and instance = ? order by sequence desc';
    return this.#all(sql, pipeline, instance)
      .map(({key}) => String(key))
      .filter(isKey);
  }

  fileDigest(path: string, stamp: string): Digest | undefined {
    const row = this.#all('select digest, sum from file where path = ? and stamp = ?', path, stamp)[0];
    if (row === undefined) return undefined;
    const {digest, sum} = row;
    if (typeof digest !== 'string' || !isDigest(digest) || fileSum(path, stamp, digest) !== sum)
      throw new DamagedIndex();
    return digest;
  }

  setFileDigest(path: string, stamp: string, digest: Digest): void {
    const sum = fileSum(path, stamp, digest);
    this.#run('insert or replace into file(path, stamp, digest, sum) values (?, ?, ?, ?)', path, stamp, digest, sum);
  }

  /** Takes over what cannot be had from the record files again. */
  copyFilesFrom(other: RecordIndex): void {
    for (const {path, stamp, digest} of other.#all('select path, stamp, digest from file')) {
      const text = String(digest);
      if (isDigest(text)) this.setFileDigest(String(path), String(stamp), text);
    }
  }

  note(name: string): string | undefined {
    const value = this.#all('select value from note where name = ?', name)[0]?.value;
    return typeof value === 'string' ? value : undefined;
  }

  setNote(name: string, value: string): void {
    this.#run('insert or replace into note(name, value) values (?, ?)', name, value);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#database.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #all(sql: string, ...values: SQLInputValue[]): ReturnType<StatementSync['all']> {
    return this.#statement(sql).all(...values);
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }
}
