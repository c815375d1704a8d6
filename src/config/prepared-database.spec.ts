import { scopeToTenant } from 'sallyport';
import { DataSource } from 'typeorm';
import { startPostgres, type RunningPostgres } from '../../test/support/postgres.js';
import { OFFICE_ENTITIES } from '../office/office.entities.js';
import { preparedDatabase } from './database-options.js';

let postgres: RunningPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => postgres.stop());

describe('preparedDatabase', () => {
  it('migrates as the owner, so that the server can connect as a role that row-level security binds', async () => {
    const admin = await new DataSource(postgres.options).initialize();
    await admin.query(`CREATE ROLE landlord LOGIN PASSWORD 'landlord-password'`);
    await admin.query(`CREATE ROLE office LOGIN PASSWORD 'office-password'`);
    await admin.query('CREATE DATABASE office OWNER landlord');
    await admin.destroy();
    const { host, port } = postgres.options;
    const at = (role: string) =>
      ({ kind: 'postgres', url: `postgres://${role}:${role}-password@${host}:${port}/office` }) as const;
    const config = { database: at('office'), databaseOwner: at('landlord') };

    // A second boot finds everything done.
    for (let boot = 0; boot < 2; boot += 1) {
      const options = await preparedDatabase(config);
      expect(options.migrationsRun).toBe(false);
      const server = await new DataSource({ ...options, entities: [...OFFICE_ENTITIES] }).initialize();
      await expect(scopeToTenant(server)).resolves.toBeUndefined();
      await server.destroy();
    }
  });
});
