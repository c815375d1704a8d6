export { Store } from './store.js';
export type { StoreDialect, StoreName, StoreTables } from './store-tables.js';
export { storeSettings, type StoreOptions, type StoreSettings } from './store.options.js';
export { StoreSetupError } from './store.errors.js';
export { errorCodeOf, faultOf, type WriteFault } from './store-fault.js';
