// A store: its tables, where they are, and how it is opened.
export { Store } from './store.js';
export { storeSettings } from './store.options.js';
// What goes wrong, typed, and told apart.
export { StoreSetupError } from './store.errors.js';
export { errorCodeOf, faultOf } from './store-fault.js';
//# sourceMappingURL=index.js.map