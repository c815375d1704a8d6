/** A store cannot be opened as it is wired; the message says what to write or to start. Holds no password. */
export class StoreSetupError extends Error {
    constructor() {
        super(...arguments);
        this.name = 'StoreSetupError';
        this.code = 'store_setup';
    }
}
//# sourceMappingURL=store.errors.js.map