import { DataSource } from 'typeorm';
import { plantCanaries, tenantDatabase } from './support/tenant-database.js';

it('explores', async () => {
  const database = await tenantDatabase('PostgreSQL');
  await plantCanaries(database.admin);
  const raw = await new DataSource(database.options).initialize();
  for (const sql of [
    `SELECT E'a'\n'\\' , ' , set_config('sallyport'||'.tenant','globex',true), (SELECT string_agg(title, ',') FROM book) --'`,
    `SELECT set_config('sallyport'||'.tenant','globex',true), query_to_xml('select * from bo'||'ok',true,true,'')`,
    `WITH RECURSIVE r(id) AS (SELECT 1) SEARCH DEPTH FIRST BY id SET key UPDATE book SET title='x' RETURNING id`,
    `WITH a AS (SELECT 1) SELECT max(title) delete FROM book t UNION SELECT t.title FROM (SELECT 'acme' AS tenant, 'x' AS title) t`,
    `UPDATE pg_settings SET setting='globex' WHERE name='sallyport'||'.tenant'`,
    `DO $$ BEGIN PERFORM set_config('sallyport'||'.tenant','globex',false); END $$`,
    `SET SESSION "sallyport" . "tenant" = 'globex'`,
    `SELECT title FROM book`,
  ]) {
    try { process.stdout.write(sql + ' => ' + JSON.stringify(await raw.query(sql)) + '\n'); }
    catch (e) { process.stdout.write(sql + ' => ' + String(e) + '\n'); }
  }
  process.stdout.write(JSON.stringify(await raw.query('select version()')));
  await raw.destroy();
  await database.stop();
}, 120000);
