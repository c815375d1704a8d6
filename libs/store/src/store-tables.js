export {};
//# sourceMappingURL=store-tables.js.map