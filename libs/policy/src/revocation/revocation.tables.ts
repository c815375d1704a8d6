import type { StoreName, StoreTables } from '@sallyport/store';
import { CreateSallyportRevocations1790000000100 } from './create-revocations.migration.js';
import { revocationRecordEntity } from './revocation-record.entity.js';

export const REVOCATION_TABLES: StoreTables = {
  entities: (dialect) => [revocationRecordEntity(dialect)],
  migrations: [CreateSallyportRevocations1790000000100],
};

export const REVOCATION_STORE: StoreName = {
  of: 'the revocations',
  option: 'revocations',
  applicationName: 'sallyport-revocations',
};
