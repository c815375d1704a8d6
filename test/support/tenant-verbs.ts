import { In, Like, MoreThan, Not, Raw, type DataSource, type ObjectLiteral, type Repository } from 'typeorm';
import { Book, KINDS, Mark, Paper, Shelf, type Kind } from './tenant-entities.js';

/** What a verb is tried on: an ordinary repository, and the row of somebody. */
export interface Trial {
  readonly dataSource: DataSource;
  readonly repository: Repository<ObjectLiteral>;
  readonly id: string;
  /** The name of the tenant's property. */
  readonly property: string;
  readonly table: string;
}

export type Verb = (trial: Trial) => Promise<unknown>;

export function trialOf(dataSource: DataSource, kind: Kind, id: string): Trial {
  const { target, property, table } = KINDS[kind];
  return { dataSource, repository: dataSource.getRepository<ObjectLiteral>(target), id, property, table };
}

/** Everything that reads. Each finds the row of `id` when it may be found, and tells of it. */
export const READS: Readonly<Record<string, Verb>> = {
  find: ({ repository }) => repository.find(),
  'find by id': ({ repository, id }) => repository.find({ where: { id } }),
  'find with OR': ({ repository, id }) => repository.find({ where: [{ id }, { amount: MoreThan(0) }] }),
  'find with raw': ({ repository }) =>
    repository.find({ where: { id: Raw((alias) => `${alias} = '' OR 1=1`) } }),
  'find with deleted': ({ repository }) => repository.find({ withDeleted: true }),
  'find some columns': ({ repository }) => repository.find({ select: { title: true } }),
  'find a page': ({ repository }) => repository.find({ skip: 0, take: 10, order: { amount: 'DESC' } }),
  'find with a lock-free reader': ({ dataSource, repository }) => dataSource.manager.find(repository.target),
  findBy: ({ repository }) => repository.findBy({ title: Like('%') }),
  findAndCount: ({ repository }) => repository.findAndCount(),
  findAndCountBy: ({ repository, id }) => repository.findAndCountBy({ id: In([id, 'acme-1']) }),
  findOne: ({ repository, id }) => repository.findOne({ where: { id } }),
  findOneBy: ({ repository, id }) => repository.findOneBy({ id }),
  findOneOrFail: ({ repository, id }) => repository.findOneOrFail({ where: { id } }),
  findOneByOrFail: ({ repository, id }) => repository.findOneByOrFail({ id }),
  preload: ({ repository, id }) => repository.preload({ id }),
  count: ({ repository }) => repository.count(),
  countBy: ({ repository, id }) => repository.countBy({ id }),
  exists: ({ repository, id }) => repository.exists({ where: { id } }),
  existsBy: ({ repository, id }) => repository.existsBy({ id }),
  sum: ({ repository }) => repository.sum('amount'),
  average: ({ repository }) => repository.average('amount'),
  minimum: ({ repository }) => repository.minimum('amount', { title: Not('') }),
  maximum: ({ repository }) => repository.maximum('amount'),
  getMany: ({ repository }) => repository.createQueryBuilder('x').getMany(),
  'getMany with OR': ({ repository }) =>
    repository.createQueryBuilder('x').where('1=0').orWhere('1=1').getMany(),
  'getMany with a join by hand': ({ repository, table }) =>
    repository.createQueryBuilder('x').leftJoinAndMapMany('x.others', table, 'y', 'y.amount >= 0').getMany(),
  'getMany with a sub-query': ({ repository }) =>
    repository
      .createQueryBuilder('x')
      .where((builder) => {
        const inner = builder.subQuery().select('y.id').from(repository.target, 'y').getQuery();
        return `x.id IN ${inner}`;
      })
      .getMany(),
  'getMany with a sub-query by hand': ({ repository, table }) =>
    repository.createQueryBuilder('x').where(`x.id IN (SELECT id FROM ${table})`).getMany(),
  'getRawMany from a sub-query': ({ dataSource, repository }) =>
    dataSource
      .createQueryBuilder()
      .select('*')
      .from((builder) => builder.select('y.title', 'title').from(repository.target, 'y'), 'z')
      .getRawMany(),
  'getRawMany from a table by name': ({ dataSource, table }) =>
    dataSource.createQueryBuilder().select('*').from(table, 'x').getRawMany(),
  'getRawMany with a common table expression': ({ dataSource, repository }) =>
    dataSource
      .createQueryBuilder()
      .addCommonTableExpression(repository.createQueryBuilder('y').select('y.title', 'title'), 'c')
      .select('*')
      .from('c', 'c')
      .getRawMany(),
  'getRawMany with a select in the selection': ({ dataSource, table }) =>
    dataSource
      .createQueryBuilder()
      .select(`(SELECT MAX(title) FROM ${table})`, 'title')
      .from('page', 'p')
      .getRawMany(),
  getOne: ({ repository, id }) => repository.createQueryBuilder('x').where('x.id = :id', { id }).getOne(),
  getRawOne: ({ repository, id }) => repository.createQueryBuilder('x').where({ id }).getRawOne(),
  getRawAndEntities: ({ repository }) => repository.createQueryBuilder('x').getRawAndEntities(),
  getManyAndCount: ({ repository }) => repository.createQueryBuilder('x').take(5).getManyAndCount(),
  getCount: ({ repository }) => repository.createQueryBuilder('x').getCount(),
  getExists: ({ repository, id }) => repository.createQueryBuilder('x').where({ id }).getExists(),
  'a clone': ({ repository }) => repository.createQueryBuilder('x').clone().getMany(),
  'query of the repository': ({ repository, table }) => repository.query(`SELECT * FROM ${table}`),
  'query of the manager': ({ dataSource, table }) =>
    dataSource.manager.query(`SELECT title FROM "${table}" t`),
  'query of the data source': ({ dataSource, table }) =>
    dataSource.query(`SELECT COUNT(*) AS n FROM ${table}`),
  'sql of the data source': ({ dataSource, id, table }) =>
    dataSource.sql`SELECT title FROM ${() => table} WHERE id = ${id}`,
  'query of a runner': async ({ dataSource, table }) => {
    const runner = dataSource.createQueryRunner();
    try {
      return await runner.query(`SELECT * FROM "${table}"`);
    } finally {
      await runner.release();
    }
  },
  'within a transaction': ({ dataSource, repository }) =>
    dataSource.transaction((manager) => manager.find(repository.target)),
};

/** Everything that changes the row of `id`, when it may be changed. */
export const WRITES: Readonly<Record<string, Verb>> = {
  'save over it': ({ repository, id }) => repository.save({ id, title: 'changed', amount: 7 }),
  'save without reading back': ({ repository, id }) =>
    repository.save({ id, title: 'changed', amount: 7 }, { reload: false, listeners: false }),
  'save in a transaction': ({ dataSource, repository, id }) =>
    dataSource.transaction((manager) => manager.save(repository.target, { id, title: 'changed', amount: 7 })),
  upsert: ({ repository, id }) => repository.upsert({ id, title: 'changed', amount: 7 }, ['id']),
  'upsert with the tenant': ({ repository, id, property }) =>
    repository.upsert({ id, title: 'changed', amount: 7, [property]: 'acme' }, ['id']),
  'orUpdate of a builder': ({ repository, id }) =>
    repository
      .createQueryBuilder()
      .insert()
      .values({ id, title: 'changed', amount: 7 })
      .orUpdate(['title'], ['id'])
      .execute(),
  'update by id': ({ repository, id }) => repository.update(id, { title: 'changed' }),
  'update by criteria': ({ repository }) => repository.update({ amount: MoreThan(0) }, { title: 'changed' }),
  updateAll: ({ repository }) => repository.updateAll({ title: 'changed' }),
  'update of a builder': ({ repository, id }) =>
    repository.createQueryBuilder().update().set({ title: 'changed' }).where('id = :id', { id }).execute(),
  'update of a builder with OR': ({ repository }) =>
    repository.createQueryBuilder().update().set({ title: 'changed' }).where('1=0 OR 1=1').execute(),
  'update of a builder without a condition': ({ repository }) =>
    repository
      .createQueryBuilder()
      .update()
      .set({ title: () => `'changed'` })
      .execute(),
  'update of a table by name': ({ dataSource, table }) =>
    dataSource.createQueryBuilder().update(table).set({ title: 'changed' }).execute(),
  increment: ({ repository, id }) => repository.increment({ id }, 'amount', 1),
  decrement: ({ repository }) => repository.decrement({ amount: MoreThan(0) }, 'amount', 1),
  'delete by id': ({ repository, id }) => repository.delete(id),
  'delete by criteria': ({ repository }) => repository.delete({ title: Like('%') }),
  deleteAll: ({ repository }) => repository.deleteAll(),
  'delete of a builder': ({ repository }) =>
    repository.createQueryBuilder().delete().where('1=0 OR 1=1').execute(),
  'delete from a table by name': ({ dataSource, table }) =>
    dataSource.createQueryBuilder().delete().from(table).execute(),
  remove: ({ repository, id }) => repository.remove(repository.create({ id })),
  softDelete: ({ repository, id }) => repository.softDelete(id),
  softRemove: ({ repository, id }) => repository.softRemove({ id, title: 'x', amount: 1 }),
  'softDelete of a builder': ({ repository }) => repository.createQueryBuilder().softDelete().execute(),
  'a raw update': ({ dataSource, table }) => dataSource.query(`UPDATE ${table} SET title = 'changed'`),
  'a raw delete': ({ dataSource, table }) => dataSource.query(`DELETE FROM "${table}" WHERE 1=1 OR 1=1 -- x`),
};

/** What brings a row back that was softly deleted. */
export const RECOVERIES: Readonly<Record<string, Verb>> = {
  restore: ({ repository, id }) => repository.restore(id),
  recover: ({ repository, id }) => repository.recover({ id, title: 'x', amount: 1 }),
  'restore of a builder': ({ repository }) => repository.createQueryBuilder().restore().execute(),
};

/** What nobody may do at all, with any row. */
export const REFUSED: Readonly<Record<string, Verb>> = {
  clear: ({ repository }) => repository.clear(),
  'insert for another tenant': ({ repository, property }) =>
    repository.insert({ id: 'new-1', title: 'x', amount: 1, [property]: 'globex' }),
  'save for another tenant': ({ repository, property }) =>
    repository.save({ id: 'new-2', title: 'x', amount: 1, [property]: 'globex' }),
  'update of the tenant': ({ repository, property }) => repository.update('acme-1', { [property]: 'globex' }),
  'save with another tenant': ({ repository, property }) =>
    repository.save({ id: 'acme-1', [property]: 'globex' }),
  'a computed tenant': ({ repository, property }) =>
    repository
      .createQueryBuilder()
      .insert()
      .values({ id: 'new-3', title: 'x', amount: 1, [property]: () => `'globex'` })
      .execute(),
  'insert over a row of another tenant': ({ repository }) =>
    repository.insert({ id: 'globex-1', title: 'changed', amount: 7 }),
  'an injected condition': ({ repository, table }) =>
    repository
      .createQueryBuilder('x')
      .withDeleted()
      .where(`x.id = '') UNION ALL SELECT * FROM ${table} WHERE (1=1`)
      .getRawMany(),
  'a table that is dropped': ({ dataSource, table }) => dataSource.query(`DROP TABLE ${table}`),
  'a copied table': ({ dataSource, table }) =>
    dataSource.query(`CREATE TABLE copied AS SELECT * FROM ${table}`),
};

/**
 * Every way from a row to another. Rows of acme point at rows of globex here, and the reverse: what was once written by
 * somebody who goes around all this.
 */
export const RELATIONS: Readonly<Record<string, Verb>> = {
  'relations of many': ({ dataSource }) => dataSource.manager.find(Shelf, { relations: { books: true } }),
  'relations of one': ({ dataSource }) => dataSource.manager.find(Book, { relations: { shelf: true } }),
  'relations of links': ({ dataSource }) => dataSource.manager.find(Book, { relations: { marks: true } }),
  'relations by queries of their own': ({ dataSource }) =>
    dataSource.manager.find(Shelf, { relations: { books: { marks: true } }, relationLoadStrategy: 'query' }),
  'a condition on a relation': ({ dataSource }) =>
    dataSource.manager.find(Book, { where: { shelf: { title: Like('%') } }, relations: { shelf: true } }),
  'an eager relation': ({ dataSource }) => dataSource.manager.find(Paper),
  'a lazy relation': async ({ dataSource }) => {
    const marks = await dataSource.manager.find(Mark);
    return Promise.all(marks.map(async ({ id, shelf }) => ({ id, title: (await shelf)?.title })));
  },
  'a join': ({ dataSource }) =>
    dataSource.manager.createQueryBuilder(Shelf, 's').leftJoinAndSelect('s.books', 'b').getMany(),
  'a join of links': ({ dataSource }) =>
    dataSource.manager.createQueryBuilder(Book, 'b').innerJoinAndSelect('b.marks', 'm').getRawMany(),
  'a join by hand': ({ dataSource }) =>
    dataSource.manager
      .createQueryBuilder(Shelf, 's')
      .leftJoin(Book, 'b', 'b.shelfId = s.id OR 1=1')
      .addSelect('b.title')
      .getRawMany(),
  'ids of links': ({ dataSource }) =>
    dataSource.manager.find(Book, { loadRelationIds: { relations: ['marks'] } }),
  'a counted relation': ({ dataSource }) =>
    dataSource.query(
      'SELECT s.title, (SELECT COUNT(*) FROM book b WHERE b."shelfId" = s.id) AS n FROM shelf s',
    ),
  loadMany: ({ dataSource, id }) =>
    dataSource.createQueryBuilder().relation(Shelf, 'books').of(id).loadMany(),
  'loadMany of links': ({ dataSource, id }) =>
    dataSource.createQueryBuilder().relation(Book, 'marks').of(id).loadMany(),
  loadOne: ({ dataSource, id }) => dataSource.createQueryBuilder().relation(Book, 'shelf').of(id).loadOne(),
  'links by hand': ({ dataSource }) => dataSource.query('SELECT * FROM book_marks'),
};

/** Every way to tie a row of the caller to one of another tenant, or to untie two that are not the caller's. */
export const TIES: Readonly<Record<string, Verb>> = {
  'add a mark of another tenant': ({ dataSource }) =>
    dataSource.createQueryBuilder().relation(Book, 'marks').of('acme-2').add('globex-1'),
  'add to a book of another tenant': ({ dataSource }) =>
    dataSource.createQueryBuilder().relation(Book, 'marks').of('globex-1').add('acme-2'),
  'remove from a book of another tenant': ({ dataSource }) =>
    dataSource.createQueryBuilder().relation(Book, 'marks').of('globex-1').remove('globex-1'),
  'set the shelf of a book of another tenant': ({ dataSource }) =>
    dataSource.createQueryBuilder().relation(Book, 'shelf').of('globex-1').set('acme-1'),
  'take a book of another tenant': ({ dataSource }) =>
    dataSource.createQueryBuilder().relation(Shelf, 'books').of('acme-1').add('globex-1'),
  'save with links to another tenant': ({ dataSource }) =>
    dataSource.manager.save(Book, { id: 'acme-2', title: 'x', amount: 1, marks: [{ id: 'globex-1' }] }),
  'save with books of another tenant': ({ dataSource }) =>
    dataSource.manager.save(Shelf, { id: 'acme-2', title: 'x', amount: 1, books: [{ id: 'globex-1' }] }),
  'delete all links': ({ dataSource }) => dataSource.query('DELETE FROM book_marks'),
  'insert a link': ({ dataSource }) =>
    dataSource.query(`INSERT INTO book_marks ("bookId", "markId") VALUES ('globex-1', 'globex-1')`),
};
