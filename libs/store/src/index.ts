// A store: its tables, where they are, and how it is opened.
export { Store } from './store.js';
export type { StoreDialect, StoreName, StoreTables } from './store-tables.js';
export { storeSettings, type StoreOptions, type StoreSettings } from './store.options.js';

// What goes wrong, typed, and told apart.
export { StoreSetupError } from './store.errors.js';
export { errorCodeOf, faultOf, type WriteFault } from './store-fault.js';
