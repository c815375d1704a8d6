/** The setting that the policies of PostgreSQL compare each row with. */
export const TENANT_SETTING = 'sallyport.tenant';
